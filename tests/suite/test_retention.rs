//! What has ended goes after a time, or when somebody says so.

use std::time::Duration;

use serde_json::{Value, json};
use stepwell::model::Period;

use crate::test_host::TestHost;

/// Waits until an execution is gone, while another one waits: whoever asks for its result is told when to look again.
async fn gone(host: &TestHost, id: &str, waiting: &str) {
    let path = format!("/v1/executions/{id}");
    while host.get(&path).await.status != 404 {
        host.get(&format!("/v1/executions/{waiting}/result?wait=10ms")).await;
    }
}

#[tokio::test]
async fn what_has_ended_goes_when_its_time_is_over_and_its_key_is_free_again() {
    let mut host = TestHost::start_within(|limits| {
        limits.retention.cleanup_interval = Duration::from_millis(50);
        limits.retention.executions = Period::For(Duration::ZERO);
        limits.retention.by_state.push("failed=30d".parse().unwrap());
    })
    .await;
    let order = json!({ "workflow": "parent", "input": 3, "idempotency_key": "k" });
    let parent = host.start(order).await;
    let failed = host.run("retried", json!("hopeless")).await;
    let waiting = host.run("signals", json!(1)).await;

    gone(&host, &parent, &waiting).await;

    let other = json!({ "workflow": "parent", "input": 4, "idempotency_key": "k" });
    assert_eq!(host.start(other).await, parent);
    assert_eq!(host.ended(&failed).await.state, "failed");
    assert_eq!(host.dead_letters(&failed).await.len(), 1);
    gone(&host, &parent, &waiting).await;
    host.signalled(&waiting, "message", json!(7)).await;
    gone(&host, &waiting, &waiting).await;
    host.audit().await;
}

#[tokio::test]
async fn by_hand_it_is_counted_first_and_then_removed() {
    let mut host = TestHost::start().await;
    let parent = host.run("parent", json!(3)).await;
    let failed = host.run("retried", json!("hopeless")).await;
    let waiting = host.run("signals", json!(1)).await;
    host.ended(&parent).await;
    host.ended(&failed).await;
    let clean = async |order: Value| host.post("/v1/cleanup", &order).await.body;

    let none = clean(json!({})).await;
    let counted = clean(json!({ "older_than": "0s", "dry_run": true })).await;
    let letters = clean(json!({ "older_than": "0s", "states": [] })).await;
    let removed = clean(json!({ "older_than": "0s", "states": ["completed"] })).await;
    let refused = host.post("/v1/cleanup", &json!({ "states": ["waiting"] })).await;

    let states = |completed: u64, failed: u64| json!({ "completed": completed, "failed": failed, "timed_out": 0, "cancelled": 0 });
    assert_eq!((&none["executions"], &none["dead_letters"]), (&states(0, 0), &json!(0)));
    assert_eq!((&counted["executions"], &counted["dead_letters"]), (&states(4, 1), &json!(1)));
    assert_eq!((&letters["executions"], &letters["dead_letters"]), (&json!({}), &json!(1)));
    assert_eq!(removed["executions"], json!({ "completed": 4 }));
    assert_eq!((&removed["more"], refused.status), (&json!(false), 422));
    assert_eq!(host.get(&format!("/v1/executions/{parent}")).await.status, 404);
    assert_eq!(host.execution(&failed).await["state"], "failed");
    host.signalled(&waiting, "message", json!(7)).await;
    assert_eq!(host.ended(&waiting).await.value(), json!([7]));
    host.audit().await;
}

#[tokio::test]
async fn the_audit_log_goes_when_its_time_is_over() {
    let mut host = TestHost::start_within(|limits| {
        limits.retention.cleanup_interval = Duration::from_millis(50);
        limits.retention.audit = Period::For(Duration::from_secs(1));
    })
    .await;
    let entries = async |host: &TestHost| {
        host.get("/v1/audit").await.body["entries"].as_array().expect("entries").len()
    };

    host.post("/v1/queues/slow/pause", &json!({})).await;

    assert!(entries(&host).await > 0);
    while entries(&host).await > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    host.audit().await;
}
