//! Cancelling: with compensation, without asking, twice, too late, and before anything began.

use std::time::Duration;

use serde_json::{Value, json};
use stepwell::model::Name;

use crate::test_host::{Settings, TestHost};

#[tokio::test]
async fn force_ends_what_nobody_takes() {
    let queues = vec![Name::default_queue()];
    let mut host = TestHost::start_with(Settings { queues, ..Settings::default() }).await;
    let unserved = host.start(json!({ "workflow": "noop", "input": 1, "queue": "nobody" })).await;
    host.post("/v1/queues/default/pause", &json!({})).await;
    let (waits, paused) = (host.run("noop", json!(1)).await, host.run("noop", json!(2)).await);
    host.post(&format!("/v1/executions/{paused}/pause"), &json!({})).await;

    for id in [&unserved, &waits, &paused] {
        assert_eq!(host.cancel(id, json!({ "force": true })).await.status, 202);
        assert_eq!(host.ended(id).await.state, "cancelled");
    }

    host.post("/v1/queues/default/resume", &json!({})).await;
    host.audit().await;
}

#[tokio::test]
async fn what_was_done_is_undone_when_the_execution_is_cancelled() {
    let mut host = TestHost::start().await;
    let id = host.run("compensate", json!("1h")).await;
    host.until_recorded(&id, "sleep", 1).await;

    let answer = host.cancel(&id, json!({ "reason": "no longer wanted" })).await;
    let end = host.ended(&id).await;

    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!((end.state.as_str(), end.kind()), ("cancelled", "cancelled"));
    assert_eq!(host.recorded(&id, "cancel-requested").await[0]["reason"], "no longer wanted");
    assert_eq!(host.execution(&id).await["counters"], json!({ "ledger": 1, "undone": 1 }));
    host.audit().await;
}

#[tokio::test]
async fn a_crash_in_the_middle_of_compensation_does_not_undo_twice() {
    let mut host = TestHost::start().await;
    let id = host.run("compensate", json!("1h")).await;
    host.until_recorded(&id, "sleep", 1).await;

    host.cancel(&id, json!({})).await;
    host.kill_and_restart().await;
    host.kill_and_restart().await;

    assert_eq!(host.ended(&id).await.state, "cancelled");
    assert_eq!(host.execution(&id).await["counters"], json!({ "ledger": 1, "undone": 1 }));
    host.audit().await;
}

#[tokio::test]
async fn a_parked_execution_compensates_too() {
    let mut host = TestHost::start_within(|limits| limits.hot_for = Duration::ZERO).await;
    let id = host.run("compensate", json!("1h")).await;
    host.until_recorded(&id, "sleep", 1).await;
    host.until_state(&id, "waiting").await;

    host.cancel(&id, json!({})).await;

    assert_eq!(host.ended(&id).await.state, "cancelled");
    assert_eq!(host.execution(&id).await["counters"]["undone"], 1);
    host.audit().await;
}

#[tokio::test]
async fn by_force_an_execution_ends_without_being_asked() {
    let mut host = TestHost::start().await;
    let id = host.run("compensate", json!("1h")).await;
    host.until_recorded(&id, "sleep", 1).await;

    host.cancel(&id, json!({ "reason": "now", "force": true })).await;

    assert_eq!(host.ended(&id).await.state, "cancelled");
    assert_eq!(host.execution(&id).await["counters"], json!({ "ledger": 1 }));
    host.audit().await;
}

#[tokio::test]
async fn by_force_a_parked_execution_ends_too() {
    let mut host = TestHost::start_within(|limits| limits.hot_for = Duration::ZERO).await;
    let id = host.run("stubborn", Value::Null).await;
    host.until_recorded(&id, "sleep", 1).await;
    host.until_state(&id, "waiting").await;

    host.cancel(&id, json!({ "force": true })).await;

    assert_eq!(host.ended(&id).await.state, "cancelled");
    host.audit().await;
}

#[tokio::test]
async fn a_workflow_that_does_not_want_to_end_is_ended_after_compensate_for() {
    let limits = |limits: &mut stepwell::model::Limits| {
        limits.compensate_for = Duration::from_millis(300);
    };
    let mut host = TestHost::start_within(limits).await;
    let id = host.run("stubborn", Value::Null).await;
    host.until_recorded(&id, "sleep", 1).await;

    host.cancel(&id, json!({})).await;
    let end = host.ended(&id).await;

    assert_eq!(end.state, "cancelled");
    assert!(end.message().contains("compensate_for"), "{}", end.message());
    host.audit().await;
}

#[tokio::test]
async fn cancelling_what_has_ended_changes_nothing() {
    let mut host = TestHost::start().await;
    let done = host.run("noop", json!(1)).await;
    host.ended(&done).await.value();
    let cancelled = host.run("signals", json!(1)).await;
    host.cancel(&cancelled, json!({})).await;
    host.ended(&cancelled).await;
    let before = host.journal(&cancelled).await;

    let answers = [host.cancel(&done, json!({})).await, host.cancel(&cancelled, json!({})).await];

    assert_eq!(answers.each_ref().map(|answer| answer.status), [200, 200]);
    assert_eq!(answers[0].body["state"], "completed");
    assert_eq!(answers[1].body["state"], "cancelled");
    assert_eq!(host.journal(&cancelled).await, before);
    host.audit().await;
}

#[tokio::test]
async fn what_is_cancelled_before_it_began_never_begins() {
    let mut host = TestHost::start().await;
    let order = json!({ "workflow": "ledgered", "input": 3, "delay": "1h" });
    let id = host.start(order).await;

    host.cancel(&id, json!({ "reason": "not today" })).await;
    let end = host.ended(&id).await;

    assert_eq!(end.state, "cancelled");
    assert!(host.recorded(&id, "call").await.is_empty());
    assert_eq!(host.execution(&id).await["counters"], json!({}));
    host.audit().await;
}

#[tokio::test]
async fn a_step_that_runs_is_stopped() {
    let mut host = TestHost::start().await;
    let endless = json!({ "excess": "computing", "in_step": true });
    let id = host.run("excess_in_workflow", endless).await;
    host.until_recorded(&id, "call", 1).await;

    host.cancel(&id, json!({})).await;

    assert_eq!(host.ended(&id).await.state, "cancelled");
    host.audit().await;
}

#[tokio::test]
async fn cancelling_twice_is_one_request() {
    let mut host = TestHost::start().await;
    let id = host.run("compensate", json!("1h")).await;
    host.until_recorded(&id, "sleep", 1).await;

    let (one, two) = tokio::join!(host.cancel(&id, json!({})), host.cancel(&id, json!({})));

    assert!(one.is_ok() && two.is_ok(), "{} {}", one.body, two.body);
    assert_eq!(host.ended(&id).await.state, "cancelled");
    assert_eq!(host.execution(&id).await["counters"]["undone"], 1);
    host.audit().await;
}
