//! Standing still, and going on.

use std::time::Duration;

use serde_json::json;

use crate::test_host::TestHost;

async fn pause(host: &TestHost, id: &str) {
    let answer = host.post(&format!("/v1/executions/{id}/pause"), &json!({})).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
}

async fn resume(host: &TestHost, id: &str) {
    let answer = host.post(&format!("/v1/executions/{id}/resume"), &json!({})).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
}

#[tokio::test]
async fn nothing_happens_to_a_paused_execution_until_it_goes_on() {
    let mut host = TestHost::start().await;
    let id = host.run("signals", json!(2)).await;
    host.until_recorded(&id, "receive", 1).await;

    pause(&host, &id).await;
    let paused = host.until(&id, |execution| execution["owner"].is_null()).await;
    host.signalled(&id, "message", json!(1)).await;
    host.signalled(&id, "message", json!(2)).await;
    let stands = host.stands(&id, "400ms").await;
    let received = host.recorded(&id, "received").await;
    resume(&host, &id).await;

    assert!(!paused["paused_at"].is_null(), "{paused}");
    assert_eq!(stands.state, "waiting");
    assert!(received.is_empty(), "{received:?}");
    assert_eq!(host.ended(&id).await.value(), json!([1, 2]));
    assert!(host.execution(&id).await["paused_at"].is_null());
    host.audit().await;
}

#[tokio::test]
async fn a_paused_execution_stays_paused_after_a_crash() {
    let mut host = TestHost::start().await;
    let id = host.run("signals", json!(1)).await;
    host.until_recorded(&id, "receive", 1).await;
    pause(&host, &id).await;

    host.kill_and_restart().await;
    host.signalled(&id, "message", json!(1)).await;
    let stands = host.stands(&id, "400ms").await;
    let received = host.recorded(&id, "received").await;
    resume(&host, &id).await;

    // Its host died under it while it ran, or after it had parked: either way it has not gone on.
    assert!(["running", "waiting"].contains(&stands.state.as_str()), "{}", stands.state);
    assert!(received.is_empty(), "{received:?}");
    assert_eq!(host.ended(&id).await.value(), json!([1]));
    host.audit().await;
}

#[tokio::test]
async fn a_delayed_start_that_is_paused_does_not_begin() {
    let mut host = TestHost::start().await;
    let order = json!({ "workflow": "noop", "input": 1, "delay": "100ms" });
    let id = host.start(order).await;

    pause(&host, &id).await;
    let stands = host.stands(&id, "400ms").await;
    resume(&host, &id).await;

    assert_eq!(stands.state, "pending");
    assert_eq!(host.ended(&id).await.value(), 1);
    host.audit().await;
}

#[tokio::test]
async fn a_paused_execution_can_be_cancelled() {
    let mut host = TestHost::start_within(|limits| limits.hot_for = Duration::ZERO).await;
    let id = host.run("signals", json!(1)).await;
    host.until_recorded(&id, "receive", 1).await;
    pause(&host, &id).await;

    host.cancel(&id, json!({})).await;
    resume(&host, &id).await;

    assert_eq!(host.ended(&id).await.state, "cancelled");
    host.audit().await;
}
