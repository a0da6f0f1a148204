//! Workflows that look at the world, and modules that change under an execution.

use std::time::Duration;

use serde_json::{Value, json};
use stepwell::model::Limits;

use crate::api::{Api, End};
use crate::guests;
use crate::test_host::TestHost;

/// Everything that a workflow of `observe` may look at.
const SIGHTS: [&str; 11] = [
    "clock",
    "monotonic",
    "random",
    "hash_order",
    "env",
    "file",
    "file_written",
    "thread_sleep",
    "thread",
    "socket",
    "stdin",
];

/// Starts all of them, lets each look once and be replayed, wakes them, and returns how they ended.
async fn observe(host: &mut TestHost, deaths: usize) -> Vec<(&'static str, String, End)> {
    let mut started = Vec::new();
    for sight in SIGHTS {
        started.push((sight, host.run("observe", json!(sight)).await));
    }
    for (_, id) in &started {
        waits_or_ended(host, id).await;
    }
    for _ in 0..deaths {
        host.kill_and_restart().await;
    }
    let mut ends = Vec::new();
    for (sight, id) in started {
        let answer = host.signal(&id, "go", &json!(1)).await;
        assert!(answer.is_ok() || answer.status == 409, "{}", answer.body);
        let end = host.ended(&id).await;
        ends.push((sight, id, end));
    }
    ends
}

async fn waits_or_ended(host: &Api, id: &str) {
    while host.stands(id, "10ms").await.state != "failed"
        && host.recorded(id, "receive").await.is_empty()
    {}
}

/// A sight gives the same on every replay, which the audit and the recorded inputs show, or it ends in an error that says
/// what to do instead.
async fn all_are_determined(mut host: TestHost, deaths: usize) {
    for (sight, id, end) in observe(&mut host, deaths).await {
        println!("{sight}: {} {} {}", end.state, end.result, end.failure);
        match end.state.as_str() {
            "completed" => {
                let calls = host.recorded(&id, "call").await;
                assert_eq!(calls.len(), 2, "{sight}");
                assert_eq!(calls[0]["input"], end.result[0], "{sight} changed on replay");
                assert_eq!(calls[1]["input"], end.result[1], "{sight} changed on replay");
            }
            // There are no threads anywhere, so the standard library's own answer is the same everywhere.
            "failed" if sight == "thread" => assert!(end.message().contains("supported")),
            "failed" => {
                assert!(end.message().contains("step"), "{sight}: {}", end.failure);
                assert_eq!(end.kind(), "not-in-a-workflow", "{sight}: {}", end.failure);
            }
            state => panic!("{sight} is {state}"),
        }
    }
    host.audit().await;
}

#[tokio::test]
async fn what_a_workflow_sees_is_the_same_on_every_replay_or_an_error() {
    all_are_determined(TestHost::start().await, 2).await;
}

#[tokio::test]
async fn what_a_workflow_sees_is_the_same_when_nothing_is_kept_hot() {
    let never_hot = |limits: &mut Limits| limits.hot_for = Duration::ZERO;
    all_are_determined(TestHost::start_within(never_hot).await, 0).await;
}

#[tokio::test]
async fn a_workflow_that_is_never_replayed_sees_the_same_too() {
    all_are_determined(TestHost::start().await, 0).await;
}

/// An execution of `changing` that waits for its signal, was cancelled, and is tried again with the module `changed`.
async fn diverged(host: &TestHost) -> (String, String) {
    let right =
        host.get("/v1/modules/misbehaving").await.body["digest"].as_str().unwrap().to_owned();
    let id = host.run("changing", Value::Null).await;
    host.until_recorded(&id, "receive", 1).await;
    host.cancel(&id, json!({})).await;
    assert_eq!(host.ended(&id).await.state, "cancelled");
    let wrong = host.deploy("changed", guests::wasm("changed")).await;
    let path = format!("/v1/executions/{id}/retry");
    let answer = host.post(&path, &json!({ "module": wrong })).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    host.until_state(&id, "blocked").await;
    (id, right)
}

#[tokio::test]
async fn a_module_that_changed_under_an_execution_blocks_it_and_the_entry_is_named() {
    let host = TestHost::start().await;

    let (id, _) = diverged(&host).await;

    let execution = host.execution(&id).await;
    let message = execution["failure"]["message"].as_str().unwrap();
    let call = host.recorded(&id, "call").await.remove(0);
    assert_eq!(execution["failure"]["kind"], "diverged", "{execution}");
    assert!(message.contains(&format!("entry {}", call["seq"])), "{message}");
    assert!(message.contains("a call of echo"), "{message}");
    assert_eq!(host.stands(&id, "1s").await.state, "blocked");
    // What it would have called was not called.
    assert_eq!(host.recorded(&id, "call").await.len(), 1);
}

#[tokio::test]
async fn a_blocked_execution_goes_on_once_the_right_module_is_back() {
    let mut host = TestHost::start().await;
    let (id, right) = diverged(&host).await;
    host.signalled(&id, "go", json!("then")).await;
    host.kill_and_restart().await;

    let path = format!("/v1/executions/{id}/resume");
    let answer = host.post(&path, &json!({ "module": right })).await;

    assert_eq!(answer.status, 204, "{}", answer.body);
    assert_eq!(host.ended(&id).await.value(), "before then");
    host.audit().await;
}

#[tokio::test]
async fn an_execution_keeps_the_module_it_began_with() {
    let mut host = TestHost::start().await;
    let id = host.run("changing", Value::Null).await;
    host.until_recorded(&id, "receive", 1).await;

    host.deploy("misbehaving", guests::wasm("changed")).await;
    host.kill_and_restart().await;
    let young = host.run("changing", Value::Null).await;
    for id in [&id, &young] {
        host.signalled(id, "go", json!("then")).await;
    }

    assert_eq!(host.ended(&id).await.value(), "before then");
    assert_eq!(host.ended(&young).await.value(), "after then");
    host.audit().await;
}
