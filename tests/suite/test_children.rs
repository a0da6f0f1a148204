//! Executions that start executions.

use serde_json::{Value, json};

use crate::test_host::TestHost;

fn children(execution: &Value) -> Vec<String> {
    let children = execution["children"].as_array().unwrap().iter();
    children.map(|child| child.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_parent_adds_up_what_its_children_return() {
    let mut host = TestHost::start().await;

    let id = host.run("parent", json!(5)).await;

    assert_eq!(host.ended(&id).await.value(), 20);
    let children = children(&host.execution(&id).await);
    assert_eq!(children.len(), 5);
    for child in &children {
        let child = host.execution(child).await;
        assert_eq!(child["state"], "completed");
        assert_eq!(child["parent"]["execution"], *id);
    }
    host.audit().await;
}

#[tokio::test]
async fn a_crash_while_children_run_starts_none_twice() {
    let mut host = TestHost::start().await;
    let id = host.run("parent", json!(20)).await;
    host.until_recorded(&id, "start-child", 20).await;

    host.kill_and_restart().await;
    host.kill_and_restart().await;

    assert_eq!(host.ended(&id).await.value(), 380);
    assert_eq!(children(&host.execution(&id).await).len(), 20);
    let list = host.get(&format!("/v1/executions?parent={id}&limit=100")).await.body;
    assert_eq!(list["executions"].as_array().unwrap().len(), 20);
    host.audit().await;
}

#[tokio::test]
async fn cancelling_a_parent_reaches_its_children() {
    let mut host = TestHost::start().await;
    let id = host.run("deaf_parent", Value::Null).await;
    let parent = host.until(&id, |parent| parent["children"][0].is_string()).await;
    let child = children(&parent).remove(0);
    host.until_recorded(&child, "receive", 1).await;

    host.cancel(&id, json!({})).await;

    assert_eq!(host.ended(&id).await.state, "cancelled");
    assert_eq!(host.ended(&child).await.state, "cancelled");
    host.audit().await;
}

#[tokio::test]
async fn a_blocked_parent_that_is_tried_again_keeps_its_children() {
    let mut host = TestHost::start().await;
    let id = host.run("deaf_parent", Value::Null).await;
    let parent = host.until(&id, |parent| parent["children"][0].is_string()).await;
    let child = children(&parent).remove(0);
    host.until_recorded(&child, "receive", 1).await;
    host.stop().await;
    host.spoil("update executions set state = 'blocked', ready = 0, visible_at = null where parent_id is null").await;
    host.restart().await;

    let answer = host.post(&format!("/v1/executions/{id}/retry"), &json!({})).await;
    host.until_state(&id, "waiting").await;
    host.signalled(&child, "message", json!("hello")).await;

    assert_eq!((answer.status, &answer.body["run"]), (202, &json!(1)), "{}", answer.body);
    assert_eq!(host.ended(&id).await.value(), json!(["hello"]));
    assert_eq!(children(&host.execution(&id).await), [child]);
    host.audit().await;
}

#[tokio::test]
async fn a_parent_that_is_ended_by_force_takes_its_children_with_it() {
    let mut host = TestHost::start().await;
    let id = host.run("deaf_parent", Value::Null).await;
    let parent = host.until(&id, |parent| parent["children"][0].is_string()).await;
    let child = children(&parent).remove(0);

    host.cancel(&id, json!({ "force": true })).await;

    assert_eq!(host.ended(&id).await.state, "cancelled");
    assert_eq!(host.ended(&child).await.state, "cancelled");
    host.audit().await;
}

#[tokio::test]
async fn a_time_out_reaches_children_too() {
    let mut host = TestHost::start().await;

    let id = host.start(json!({ "workflow": "deaf_parent", "max_duration": "400ms" })).await;
    let parent = host.until(&id, |parent| parent["children"][0].is_string()).await;
    let child = children(&parent).remove(0);

    assert_eq!(host.ended(&id).await.state, "timed_out");
    assert_eq!(host.ended(&child).await.state, "cancelled");
    host.audit().await;
}

#[tokio::test]
async fn a_child_that_is_cancelled_tells_its_parent() {
    let mut host = TestHost::start().await;
    let id = host.run("deaf_parent", Value::Null).await;
    let parent = host.until(&id, |parent| parent["children"][0].is_string()).await;
    let child = children(&parent).remove(0);

    host.cancel(&child, json!({ "reason": "the child alone" })).await;

    assert_eq!(host.ended(&child).await.state, "cancelled");
    let end = host.ended(&id).await;
    assert_eq!((end.state.as_str(), end.kind()), ("failed", "cancelled"));
    host.audit().await;
}

#[tokio::test]
async fn a_detached_child_outlives_its_parent() {
    let mut host = TestHost::start().await;

    let id = host.run("detaching", json!(4)).await;
    assert_eq!(host.ended(&id).await.value(), 4);

    let child = children(&host.execution(&id).await).remove(0);
    assert_eq!(host.ended(&child).await.value(), 8);
    host.audit().await;
}

#[tokio::test]
async fn parents_of_one_detached_child_with_a_key_share_it() {
    let mut host = TestHost::start().await;

    let one = host.run("detaching", json!(6)).await;
    let two = host.run("detaching", json!(6)).await;
    host.ended(&one).await.value();
    host.ended(&two).await.value();

    let list = host.get("/v1/executions?workflow=child").await.body;
    let children = list["executions"].as_array().unwrap();
    assert_eq!(children.len(), 1, "{list}");
    assert_eq!(host.ended(children[0]["id"].as_str().unwrap()).await.value(), 12);
    host.audit().await;
}
