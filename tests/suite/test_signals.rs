//! Signals: kept in order, received once, refused where nobody will ever receive them.

use serde_json::{Value, json};

use crate::test_host::TestHost;

#[tokio::test]
async fn signals_are_received_in_the_order_in_which_they_were_sent() {
    let mut host = TestHost::start().await;
    let id = host.run("signals", json!(5)).await;

    for number in 0..5 {
        host.signalled(&id, "message", json!(number)).await;
    }

    assert_eq!(host.ended(&id).await.value(), json!([0, 1, 2, 3, 4]));
    host.audit().await;
}

#[tokio::test]
async fn a_signal_may_come_before_the_execution_begins() {
    let mut host = TestHost::start().await;
    let order = json!({ "workflow": "signals", "input": 2, "delay": "500ms" });
    let id = host.start(order).await;

    host.signalled(&id, "message", json!("early")).await;
    host.signalled(&id, "message", json!("bird")).await;

    assert_eq!(host.ended(&id).await.value(), json!(["early", "bird"]));
    host.audit().await;
}

#[tokio::test]
async fn what_nobody_receives_is_noted_at_the_end() {
    let mut host = TestHost::start().await;
    let order = json!({ "workflow": "signals", "input": 1, "delay": "500ms" });
    let id = host.start(order).await;

    for name in ["other", "message", "message"] {
        host.signalled(&id, name, json!(name)).await;
    }

    assert_eq!(host.ended(&id).await.value(), json!(["message"]));
    assert_eq!(host.recorded(&id, "ended").await[0]["unreceived"], 2);
    host.audit().await;
}

#[tokio::test]
async fn signals_before_and_after_a_crash_arrive_once_each_and_in_order() {
    let mut host = TestHost::start().await;
    let id = host.run("signals", json!(4)).await;

    for number in 0..4 {
        host.signalled(&id, "message", json!(number)).await;
        host.kill_and_restart().await;
    }

    assert_eq!(host.ended(&id).await.value(), json!([0, 1, 2, 3]));
    host.audit().await;
}

#[tokio::test]
async fn a_repeat_of_a_signal_is_dropped_even_after_a_crash() {
    let mut host = TestHost::start().await;
    let id = host.run("signals", json!(2)).await;
    let path = format!("/v1/executions/{id}/signals/message?id=first");

    for _ in 0..3 {
        assert_eq!(host.post(&path, &json!("first")).await.status, 202);
        host.kill_and_restart().await;
    }
    host.signalled(&id, "message", json!("second")).await;

    assert_eq!(host.ended(&id).await.value(), json!(["first", "second"]));
    assert_eq!(host.recorded(&id, "received").await.len(), 2);
    host.audit().await;
}

#[tokio::test]
async fn a_parked_execution_is_woken_by_a_signal() {
    let mut host =
        TestHost::start_within(|limits| limits.hot_for = std::time::Duration::ZERO).await;
    let id = host.run("signals", json!(3)).await;

    for number in 0..3 {
        host.until_recorded(&id, "receive", number + 1).await;
        let parked = host.until_state(&id, "waiting").await;
        assert!(parked["owner"].is_null(), "{parked}");
        host.signalled(&id, "message", json!(number)).await;
    }

    assert_eq!(host.ended(&id).await.value(), json!([0, 1, 2]));
    host.audit().await;
}

#[tokio::test]
async fn a_signal_to_an_execution_that_has_ended_is_refused() {
    let host = TestHost::start().await;
    let id = host.run("noop", Value::Null).await;
    host.ended(&id).await.value();

    let answer = host.signal(&id, "message", &json!(1)).await;

    assert_eq!((answer.status, answer.problem()), (409, "execution-ended"), "{}", answer.body);
}

#[tokio::test]
async fn signals_that_nobody_receives_are_bounded() {
    let mut host = TestHost::start_within(|limits| limits.unreceived_signals_max = 3).await;
    let order = json!({ "workflow": "signals", "input": 3, "delay": "1s" });
    let id = host.start(order).await;

    let mut statuses = Vec::new();
    for number in 0..4 {
        statuses.push(host.signal(&id, "message", &json!(number)).await.status);
    }

    assert_eq!(statuses, [202, 202, 202, 429]);
    assert_eq!(host.ended(&id).await.value(), json!([0, 1, 2]));
    host.audit().await;
}

#[tokio::test]
async fn an_approval_counts_against_its_time_out() {
    let mut host = TestHost::start().await;
    let approval = |timeout: &str| json!({ "subject": "a lamp", "timeout": timeout });
    let refused = host.run("approval", approval("1h")).await;
    let expired = host.run("approval", approval("100ms")).await;

    host.signalled(&refused, "approval", json!({ "by": "eve", "approved": false })).await;

    let refusal = json!({ "decision": "refused", "by": "eve" });
    assert_eq!(host.ended(&refused).await.value(), refusal);
    assert_eq!(host.ended(&expired).await.value(), json!({ "decision": "expired" }));
    host.audit().await;
}
