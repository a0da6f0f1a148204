//! Whoever kills its host again and again is found, and nobody who was merely near it.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::test_host::TestHost;

/// Far more often than it should take.
const DEATHS_MAX: usize = 20;

fn is_owned(execution: &Value) -> bool {
    !execution["owner"].is_null()
}

/// One execution is running whenever the host dies; eight others were begun with it, and would end in a fifth of a second.
#[tokio::test]
async fn only_the_one_that_kills_its_host_is_put_aside() {
    let mut host = TestHost::start().await;
    let computing = json!({ "excess": "computing", "in_step": true });
    let culprit = host.run("excess_in_workflow", computing).await;
    let innocents = join_all((0..8).map(|_| host.run("hasty", Value::Null))).await;
    for innocent in &innocents {
        host.until(innocent, is_owned).await;
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
    let mut host = TestHost::start().await;
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
