//! Results, lists, hosts.

use futures::future::join;
use serde_json::json;

use crate::front::Front;

#[tokio::test]
async fn whoever_waits_for_a_result_is_told_when_it_comes() {
    let mut front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let snapshot = front.start_owned("checkout").await;
    let path = format!("/v1/executions/{}/result", snapshot.execution.id);
    let early = front.read(&path).await;
    assert_eq!((early.status.as_u16(), early.text.as_str()), (202, r#"{"state":"running"}"#));

    let wait = format!("{path}?wait=60s");
    let (told, ()) = join(front.read(&wait), front.end(&snapshot, "{ \"r\":1.0}")).await;

    assert_eq!(told.status.as_u16(), 200);
    assert_eq!(told.text, r#"{"state":"completed","result":{ "r":1.0}}"#);
}

#[tokio::test]
async fn a_door_that_closes_lets_nobody_wait() {
    let mut front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let snapshot = front.start_owned("checkout").await;
    let wait = format!("/v1/executions/{}/result?wait=60s", snapshot.execution.id);
    let door = front.door.clone();

    // Polled in this order, the request is under way before the door closes; if it were not, nobody would answer it.
    let (told, ()) = join(front.read(&wait), async {
        while door.requests() == 0 {
            tokio::task::yield_now().await;
        }
        door.close();
    })
    .await;

    assert_eq!(told.status.as_u16(), 202);
}

#[tokio::test]
async fn a_list_is_read_on_by_its_cursor() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!(true)), ("refund", json!(true))]).await;
    for _ in 0..5 {
        front.start(json!({ "workflow": "checkout" })).await;
    }
    front.start(json!({ "workflow": "refund" })).await;
    let mut ids = Vec::new();
    let mut path = "/v1/executions?workflow=checkout&state=pending&limit=2".to_owned();

    loop {
        let page = front.read(&path).await.json();
        ids.extend(page["executions"].as_array().unwrap().iter().map(|e| e["id"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/executions?workflow=checkout&state=pending&limit=2&cursor={cursor}");
    }

    assert_eq!(ids.len(), 5);
    let mut once = ids.clone();
    once.dedup();
    assert_eq!(once, ids);
}

#[tokio::test]
async fn a_host_shows_itself_and_what_it_counts() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;
    front.start(json!({ "workflow": "checkout" })).await;

    let hosts = front.read("/v1/hosts").await.json();
    let stats = front.read("/v1/stats").await.json();

    assert_eq!(hosts["hosts"][0]["name"], "front");
    assert_eq!(hosts["hosts"][0]["alive"], true);
    assert_eq!(stats["executions"]["pending"], 1);
    assert_eq!(stats["executions"]["failed"], 0);
    assert_eq!(front.read("/health").await.status.as_u16(), 200);
    assert!(front.read("/").await.text.contains("/v1"));
}
