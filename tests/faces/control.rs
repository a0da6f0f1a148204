//! Signals, cancelling, pausing.

use serde_json::{Value, json};
use stepwell::model::Limits;

use crate::front::Front;

#[tokio::test]
async fn a_signal_to_what_has_ended_is_refused_and_a_cancel_is_not() {
    let mut front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let snapshot = front.start_owned("checkout").await;
    let id = snapshot.execution.id;
    let path = |rest: &str| format!("/v1/executions/{id}{rest}");
    assert_eq!(front.post(&path("/signals/go"), "{}").await.status.as_u16(), 202);
    let cancelled = front.post(&path("/cancel"), r#"{"reason":"why"}"#).await;
    assert_eq!(cancelled.status.as_u16(), 202, "{cancelled:?}");

    front.end(&snapshot, "1").await;

    front.post(&path("/signals/go"), "{}").await.problem(409, "execution-ended");
    front.post(&path("/pause"), "").await.problem(409, "execution-ended");
    front.post(&path("/retry"), "").await.problem(409, "not-in-state");
    let told =
        front.post(&path("/resume"), r#"{"module":"shop"}"#).await.problem(409, "not-in-state");
    assert!(told.contains("has completed: only a blocked execution"), "{told}");
    let cancelled = front.post(&path("/cancel"), "").await;
    assert_eq!(cancelled.status.as_u16(), 200);
    assert_eq!(cancelled.json()["state"], "completed");
}

#[tokio::test]
async fn signals_that_nobody_receives_are_bounded() {
    let limits = Limits { unreceived_signals_max: 2, ..Limits::for_cores(1) };
    let front = Front::with_limits(limits).await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let id = front.start(json!({ "workflow": "checkout" })).await;
    let path = format!("/v1/executions/{id}/signals/a%2Fb");

    for _ in 0..2 {
        assert_eq!(front.post(&path, "").await.status.as_u16(), 202);
    }

    let refused = front.post(&path, "").await.problem(429, "signals-full");
    assert!(refused.contains("unreceived_signals_max"), "{refused}");
}

#[tokio::test]
async fn what_is_paused_says_since_when() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let id = front.start(json!({ "workflow": "checkout" })).await;
    let path = |rest: &str| format!("/v1/executions/{id}{rest}");
    let paused_at = async || front.read(&path("")).await.json()["paused_at"].clone();

    assert_eq!(front.post(&path("/pause"), "").await.status.as_u16(), 204);
    assert!(paused_at().await.is_string());
    let cancelled = front.post(&path("/cancel"), "").await;
    assert_eq!(cancelled.status.as_u16(), 202);
    assert_eq!(cancelled.json()["paused_at"], paused_at().await);

    assert_eq!(front.post(&path("/resume"), "").await.status.as_u16(), 204);
    assert_eq!(paused_at().await, Value::Null);
}
