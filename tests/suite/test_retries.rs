//! Retries of steps by their policy, and of executions by people.

use serde_json::{Value, json};

use crate::test_host::TestHost;

fn flaky(failures: u32) -> Value {
    json!({ "flaky": { "failures": failures } })
}

#[tokio::test]
async fn a_step_is_tried_again_until_it_goes_well() {
    let mut host = TestHost::start().await;

    let id = host.run("retried", flaky(3)).await;
    let attempt = host.ended(&id).await.value();

    assert_eq!(attempt, 4);
    let completed = host.recorded(&id, "completed").await;
    assert_eq!(completed.len(), 1);
    assert_eq!(completed[0]["attempt"], 4);
    // What a failed attempt adds to a counter does not count.
    assert_eq!(host.execution(&id).await["counters"]["attempts that count"], 1);
    // Each attempt that failed is told of, and when it began and ended.
    let lines = host.logs(&id).await;
    let told = |number: u64| {
        let of = |line: &&Value| line["attempt"] == number && line["attempt_began_at"].is_string();
        let (mut lines, what) = (lines.iter().filter(of), "an attempt is told of once");
        let line = lines.next().expect(what);
        assert!(lines.next().is_none(), "{what}: {lines:?}");
        line
    };
    let mut last = "";
    for number in 1..=3 {
        let line = told(number);
        let message = line["message"].as_str().unwrap();
        assert!(message.starts_with("failed, and is tried again: flaky: attempt"), "{message}");
        assert_eq!((&line["level"], &line["step"]), (&json!("warn"), &json!("flaky")));
        let times = ["attempt_began_at", "at"].map(|field| line[field].as_str().unwrap());
        let next = line["fields"]["next_attempt_at"].as_str().unwrap();
        assert!(last <= times[0] && times[0] <= times[1] && times[1] < next, "{line}");
        last = next;
    }
    let path = format!("/v1/executions/{id}/logs?failed_attempts=true&step=flaky&attempt=2");
    assert_eq!(host.get(&path).await.body["lines"], json!([told(2)]));
    host.audit().await;
}

#[tokio::test]
async fn a_crash_between_attempts_is_no_failure() {
    let mut host = TestHost::start().await;
    let id = host.run("retried", flaky(5)).await;

    for _ in 0..3 {
        host.until(&id, |execution| execution["tasks"] == 1 || execution["state"] == "completed")
            .await;
        host.kill_and_restart().await;
    }

    assert_eq!(host.ended(&id).await.value(), 6);
    host.audit().await;
}

#[tokio::test]
async fn a_failure_that_the_policy_does_not_cover_goes_to_the_workflow_at_once() {
    let mut host = TestHost::start().await;

    let id = host.run("retried", json!("unreasonable")).await;
    let end = host.ended(&id).await;

    assert_eq!((end.state.as_str(), end.kind()), ("failed", "unreasonable"));
    assert_eq!(host.recorded(&id, "failed").await[0]["attempt"], 1);
    assert!(host.dead_letters(&id).await.is_empty());
    host.audit().await;
}

#[tokio::test]
async fn an_attempt_reads_what_the_one_before_it_left() {
    let mut host = TestHost::start().await;

    let id = host.run("retried", flaky(100)).await;
    let end = host.ended(&id).await;

    assert_eq!((end.state.as_str(), end.kind()), ("failed", "flaky"));
    assert!(end.message().contains("after Some(9)"), "{}", end.message());
    assert_eq!(host.dead_letters(&id).await[0]["attempts"], 10);
    host.audit().await;
}

#[tokio::test]
async fn a_caller_may_have_it_another_way_for_one_call() {
    let mut host = TestHost::start().await;

    let enough = host.run("overriding", json!(5)).await;
    let too_few = host.run("overriding", json!(2)).await;

    assert_eq!(host.ended(&enough).await.value(), 5);
    assert_eq!(host.ended(&too_few).await.kind(), "flaky");
    assert_eq!(host.dead_letters(&too_few).await[0]["attempts"], 2);
    host.audit().await;
}

#[tokio::test]
async fn a_failed_execution_that_is_tried_again_goes_on_where_it_failed() {
    let mut host = TestHost::start().await;
    let id = host.run("stumbling", Value::Null).await;
    let first = host.ended(&id).await;
    let before = host.recorded(&id, "completed").await[0]["result"]["nonce"].clone();

    let answer = host.post(&format!("/v1/executions/{id}/retry"), &json!({})).await;
    let second = host.ended(&id).await;

    assert_eq!((first.state.as_str(), first.kind()), ("failed", "stumbled"));
    assert_eq!((answer.status, &answer.body["run"]), (202, &json!(1)));
    assert_eq!(second.value(), 1);
    let nonces: Vec<_> = host.recorded(&id, "completed").await.into_iter().collect();
    let of_before = nonces.iter().filter(|entry| entry["result"]["nonce"] == before).count();
    assert_eq!(of_before, 1, "what was recorded ran again: {nonces:#?}");
    assert_eq!(host.execution(&id).await["counters"]["ledger"], 2);
    host.audit().await;
}

#[tokio::test]
async fn what_was_cancelled_can_be_tried_again() {
    let mut host = TestHost::start().await;
    let id = host.run("signals", json!(2)).await;
    host.signalled(&id, "message", json!(1)).await;
    host.until_recorded(&id, "receive", 2).await;
    host.cancel(&id, json!({})).await;
    assert_eq!(host.ended(&id).await.state, "cancelled");

    let answer = host.post(&format!("/v1/executions/{id}/retry"), &json!({})).await;
    host.signalled(&id, "message", json!(2)).await;

    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!(host.ended(&id).await.value(), json!([1, 2]));
    host.audit().await;
}

#[tokio::test]
async fn what_completed_or_runs_is_not_tried_again() {
    let mut host = TestHost::start().await;
    let done = host.run("noop", json!(1)).await;
    host.ended(&done).await.value();
    let runs = host.run("signals", json!(1)).await;
    host.until_recorded(&runs, "receive", 1).await;

    for id in [&done, &runs] {
        let answer = host.post(&format!("/v1/executions/{id}/retry"), &json!({})).await;

        assert_eq!((answer.status, answer.problem()), (409, "not-in-state"), "{}", answer.body);
    }

    host.signalled(&runs, "message", json!(1)).await;
    host.ended(&runs).await.value();
    host.audit().await;
}

#[tokio::test]
async fn a_workflow_that_waits_for_nothing_fails() {
    let mut host = TestHost::start().await;

    let end = host.run_to_end("deadlock", Value::Null).await;

    assert_eq!((end.state.as_str(), end.kind()), ("failed", "deadlocked"));
    host.audit().await;
}

#[tokio::test]
async fn a_checkout_that_cannot_ship_gives_everything_back() {
    let mut host = TestHost::start().await;

    let order = json!({ "order": "A-7", "amount": 500, "fail_at": "ship" });
    let id = host.run("checkout", order).await;
    let end = host.ended(&id).await;

    assert_eq!((end.state.as_str(), end.kind()), ("failed", "refused"));
    let counters = host.execution(&id).await["counters"].clone();
    assert_eq!(counters, json!({ "charges": 1, "refunds": 1, "releases": 1 }));
    host.audit().await;
}
