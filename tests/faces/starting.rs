//! Starting executions.

use reqwest::Method;
use serde_json::{Value, json};

use crate::front::Front;

#[tokio::test]
async fn the_input_is_in_the_journal_byte_for_byte() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!({ "type": "object" }))]).await;

    let body = r#"{"workflow":"checkout","input":{ "b":1.0,"a" : [1e3] }}"#;
    let answer = front.post("/v1/executions", body).await;

    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let journal = front.read(&format!("/v1/executions/{id}/journal")).await;
    assert!(journal.text.contains(r#""input":{ "b":1.0,"a" : [1e3] }"#), "{journal:?}");
    assert_eq!(journal.json()["entries"][0]["kind"], "started");
    assert_eq!(journal.json()["next_after"], Value::Null);
}

#[tokio::test]
async fn an_order_overrides_what_the_workflow_declares() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;

    let id = front
        .start(json!({ "workflow": "checkout", "queue": "slow", "tags": ["eu"], "priority": 7,
                       "delay": "1h", "max_duration": "2h" }))
        .await;

    let shown = front.read(&format!("/v1/executions/{id}")).await.json();
    assert_eq!(shown["state"], "pending");
    assert_eq!((&shown["queue"], &shown["priority"]), (&json!("slow"), &json!(7)));
    assert_eq!(shown["tags"], json!(["eu"]));
    let time = |field: &str| shown[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let (created, visible, expires) = (time("created_at"), time("visible_at"), time("expires_at"));
    assert_eq!(visible.duration_since(created).as_secs(), 3_600);
    assert_eq!(expires.duration_since(created).as_secs(), 3 * 3_600);
}

#[tokio::test]
async fn one_key_is_one_execution() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let start = async |key: &str, input: &str| {
        let body = format!(r#"{{"workflow":"checkout","input":{input}}}"#);
        let request = front.request(Method::POST, "/v1/executions").header("idempotency-key", key);
        front.send(request.body(body)).await
    };

    let (first, again) = (start("k", "1").await, start("k", "1").await);

    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 200));
    assert_eq!(first.json()["id"], again.json()["id"]);
    assert_eq!((&first.json()["created"], &again.json()["created"]), (&json!(true), &json!(false)));
    start("k", "2").await.problem(409, "idempotency-conflict");
    assert_eq!(start("l", "2").await.status.as_u16(), 201);
    assert_eq!(front.count().await, 2);
}

#[tokio::test]
async fn of_many_orders_each_is_answered_by_itself() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!({ "type": "integer" }))]).await;
    let mut orders: Vec<_> =
        (0..1_500).map(|input| json!({ "workflow": "checkout", "input": input })).collect();
    orders[7] = json!({ "workflow": "checkout", "input": "seven" });
    orders[8] = json!({ "workflow": "chekout" });

    let answer = front.post("/v1/executions", json!({ "executions": orders }).to_string()).await;

    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    let answers = answer.json()["executions"].as_array().unwrap().clone();
    assert_eq!(answers.len(), 1_500);
    assert_eq!(answers[7]["error"]["status"], 422);
    assert_eq!(answers[8]["error"]["type"], "urn:stepwell:problem:unknown-workflow");
    let started = answers.iter().filter(|answer| answer["created"] == true).count();
    assert_eq!(started, 1_498);
    assert_eq!(front.count().await, 1_498);
}

#[tokio::test]
async fn a_workflow_in_two_modules_needs_the_module_named() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!(true)), ("refund", json!(true))]).await;
    front.module("store", &[("checkout", json!(true))]).await;
    let start = async |body: Value| front.post("/v1/executions", body.to_string()).await;

    let told = start(json!({ "workflow": "checkout" })).await.problem(422, "ambiguous-workflow");

    assert!(told.contains("shop") && told.contains("store") && told.contains("module"), "{told}");
    let named = start(json!({ "workflow": "checkout", "module": "store" })).await;
    assert_eq!(named.status.as_u16(), 201);
    assert_eq!(start(json!({ "workflow": "refund" })).await.status.as_u16(), 201);
    let modules = front.read("/v1/modules").await.json();
    let digest = modules["modules"][0]["digest"].clone();
    let by_digest = start(json!({ "workflow": "checkout", "module": digest })).await;
    assert_eq!(by_digest.status.as_u16(), 201, "{by_digest:?}");
    let short = &digest.as_str().unwrap()[..12];
    let by_digits = start(json!({ "workflow": "checkout", "module": short })).await;
    assert_eq!(by_digits.status.as_u16(), 201, "{by_digits:?}");
    let shown = front.read(&format!("/v1/modules/{short}")).await.json();
    assert_eq!(shown["digest"], digest);
    start(json!({ "workflow": "refund", "module": "store" }))
        .await
        .problem(404, "unknown-workflow");
    start(json!({ "workflow": "refund", "module": "x" })).await.problem(404, "unknown-module");
}
