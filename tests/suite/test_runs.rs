//! Continue-as-new: one execution, many runs.

use serde_json::json;

use crate::test_host::TestHost;

#[tokio::test]
async fn an_execution_goes_on_in_new_runs() {
    let mut host = TestHost::start().await;

    let id = host.run("continue_as_new", json!({ "left": 4 })).await;

    assert_eq!(host.ended(&id).await.value(), 4);
    let execution = host.execution(&id).await;
    assert_eq!(execution["run"], 4);
    assert_eq!(execution["counters"]["ledger"], 4);
    assert_eq!(host.recorded(&id, "run").await.len(), 4);
    host.audit().await;
}

#[tokio::test]
async fn a_crash_between_runs_is_not_seen() {
    let mut host = TestHost::start().await;
    let id = host.run("continue_as_new", json!({ "left": 12 })).await;

    for run in [1, 4, 8] {
        host.until(&id, |execution| execution["run"].as_u64().unwrap() >= run).await;
        host.kill_and_restart().await;
    }

    assert_eq!(host.ended(&id).await.value(), 12);
    assert_eq!(host.execution(&id).await["counters"]["ledger"], 12);
    host.audit().await;
}

#[tokio::test]
async fn signals_that_nobody_received_are_carried_into_the_next_run() {
    let mut host = TestHost::start().await;
    let order = json!({ "workflow": "relay", "input": { "left": 5 }, "delay": "400ms" });
    let id = host.start(order).await;

    for number in 0..5 {
        host.signalled(&id, "word", json!(number)).await;
    }

    assert_eq!(host.ended(&id).await.value(), json!([0, 1, 2, 3, 4]));
    assert_eq!(host.execution(&id).await["run"], 5);
    host.audit().await;
}

#[tokio::test]
async fn a_repeat_of_a_signal_is_dropped_in_a_later_run_too() {
    let mut host = TestHost::start().await;
    let id = host.run("relay", json!({ "left": 3 })).await;
    let path = format!("/v1/executions/{id}/signals/word?id=first");

    assert_eq!(host.post(&path, &json!("first")).await.status, 202);
    host.until(&id, |execution| execution["run"] == 1).await;
    assert_eq!(host.post(&path, &json!("first")).await.status, 202);
    host.kill_and_restart().await;
    host.signalled(&id, "word", json!("second")).await;
    host.signalled(&id, "word", json!("third")).await;

    assert_eq!(host.ended(&id).await.value(), json!(["first", "second", "third"]));
    host.audit().await;
}
