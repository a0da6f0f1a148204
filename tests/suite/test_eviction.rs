//! Instances that wait in memory: bounded by count and by bytes, and nothing is lost by dropping one.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use stepwell::model::Limits;

use crate::test_host::TestHost;

/// Starts so many that wait, sees them parked but for so many at most, and wakes all of them.
async fn all_are_woken(limit: impl FnOnce(&mut Limits), count: usize, hot_max: usize) {
    let mut host = TestHost::start_within(|limits| {
        // Nothing is parked because time has passed.
        limits.hot_for = Duration::from_secs(3_600);
        limit(limits);
    })
    .await;
    let ids = join_all((0..count).map(|_| host.run("signals", json!(2)))).await;
    for id in &ids {
        host.until_recorded(id, "receive", 1).await;
    }

    let mut hot = count;
    while hot > hot_max {
        let executions = join_all(ids.iter().map(|id| host.execution(id))).await;
        hot = executions.iter().filter(|execution| !execution["owner"].is_null()).count();
    }
    for number in 0..2 {
        join_all(ids.iter().map(|id| host.signalled(id, "message", json!(number)))).await;
    }

    for id in &ids {
        assert_eq!(host.ended(id).await.value(), json!([0, 1]));
    }
    host.audit().await;
}

#[tokio::test]
async fn more_executions_wait_than_there_may_be_in_memory() {
    all_are_woken(|limits| limits.hot_max = 3, 24, 3).await;
}

#[tokio::test]
async fn more_executions_wait_than_there_is_memory_for() {
    all_are_woken(|limits| limits.hot_bytes_max = 1, 12, 0).await;
}

#[tokio::test]
async fn more_executions_wait_than_there_may_be_activations() {
    all_are_woken(|limits| limits.activations_max = 4, 24, 4).await;
}

#[tokio::test]
async fn more_steps_are_called_than_there_are_slots() {
    let mut host = TestHost::start_within(|limits| limits.max_concurrency = 2).await;

    let ends = join_all((0..8).map(|_| host.run_to_end("wide", json!(25)))).await;

    assert!(ends.into_iter().all(|end| end.value() == 300));
    host.audit().await;
}

#[tokio::test]
async fn a_step_that_outlives_the_hot_window_is_handed_over() {
    let mut host = TestHost::start_within(|limits| limits.hot_for = Duration::ZERO).await;

    let id = host.run("ledgered", json!(6)).await;
    host.ended(&id).await.value();

    assert_eq!(host.execution(&id).await["counters"]["ledger"], 6);
    host.audit().await;
}
