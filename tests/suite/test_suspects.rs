//! Whoever kills its host again and again is found, and nobody who was merely near it.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use stepwell::model::Limits;

use crate::test_host::TestHost;

/// Far more often than it should take.
const DEATHS_MAX: usize = 20;

fn is_owned(execution: &Value) -> bool {
    !execution["owner"].is_null()
}

/// What runs is owned by its host until it ends.
fn kept(limits: &mut Limits) {
    limits.hot_for = Duration::from_secs(60);
    limits.step_fuel = ENDLESS;
}

/// More fuel than a step burns in a test, however slow the machine is.
const ENDLESS: u64 = 1 << 50;

/// One execution is running whenever the host dies; eight others were begun with it, and would end in a fifth of a second.
#[tokio::test]
async fn only_the_one_that_kills_its_host_is_put_aside() {
    let mut host = TestHost::start_within(kept).await;
    let computing = json!({ "excess": "computing", "in_step": true });
    let culprit = host.run("excess_in_workflow", computing).await;
    let innocents = join_all((0..8).map(|_| host.run("hasty", Value::Null))).await;
    // One that nobody looked at for a while has ended already, and was near it all the same.
    let has_begun = |it: &Value| is_owned(it) || !it["completed_at"].is_null();
    for innocent in &innocents {
        host.until(innocent, has_begun).await;
    }

    let mut deaths = 0;
    let found = loop {
        let is_caught = |it: &Value| is_owned(it) || it["state"] == "blocked";
        let seen = host.until(&culprit, is_caught).await;
        if seen["state"] == "blocked" {
            break seen;
        }
        host.kill_and_restart().await;
        deaths += 1;
        assert!(deaths <= DEATHS_MAX, "it is not found: {seen}");
    };

    assert_eq!(found["failure"]["kind"], "host-lost", "{found}");
    assert!(found["losses"].as_u64().unwrap() >= 5, "{found}");
    for innocent in &innocents {
        let end = host.ended(innocent).await;
        assert_eq!((end.state.as_str(), end.kind()), ("failed", "deadline-exceeded"));
        assert!(host.execution(innocent).await["losses"].as_u64().unwrap() < 5);
    }
    assert_eq!(host.run_to_end("noop", json!(1)).await.value(), 1);
    host.cancel(&culprit, json!({ "force": true })).await;
    host.until_state(&culprit, "cancelled").await;
    host.audit().await;
}

/// A suspect that only took long is begun alone, and the others follow when it has come to something.
#[tokio::test]
async fn others_wait_only_until_a_suspect_has_come_to_something() {
    let mut host = TestHost::start_within(kept).await;
    let slow = host.run("hasty", Value::Null).await;
    for _ in 0..3 {
        host.until(&slow, is_owned).await;
        host.kill_and_restart().await;
    }

    let others = join_all((0..20).map(|number| host.run_to_end("noop", json!(number)))).await;

    assert!(others.into_iter().enumerate().all(|(number, end)| end.value() == number));
    assert_eq!(host.ended(&slow).await.kind(), "deadline-exceeded");
    host.audit().await;
}

/// The same where the executions are parked and their steps are tasks.
#[tokio::test]
async fn only_the_step_that_kills_its_host_becomes_a_dead_letter() {
    let parked = |limits: &mut Limits| {
        limits.hot_for = Duration::ZERO;
        limits.step_fuel = ENDLESS;
    };
    let mut host = TestHost::start_within(parked).await;
    let computing = json!({ "excess": "computing", "in_step": true });
    let culprit = host.run("excess_in_workflow", computing).await;
    let innocents = join_all((0..8).map(|_| host.run("hasty", Value::Null))).await;

    let mut deaths = 0;
    let end = loop {
        let stands = host.stands(&culprit, "10ms").await;
        if stands.state == "failed" {
            break stands;
        }
        if host.running_tasks("excess_in_workflow").await > 0 {
            host.kill_and_restart().await;
            deaths += 1;
            assert!(deaths <= DEATHS_MAX, "it is not found: {stands:?}");
        }
    };

    assert_eq!(end.kind(), "host-lost", "{}", end.message());
    assert_eq!(host.dead_letters(&culprit).await.len(), 1);
    for innocent in &innocents {
        assert_eq!(host.ended(innocent).await.kind(), "deadline-exceeded");
    }
    host.audit().await;
}
