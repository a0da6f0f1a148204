//! The example programs, each once on a real host.

use std::time::Duration;

use serde_json::{Value, json};

use crate::guests;
use crate::test_host::TestHost;

async fn host_with(module: &str) -> TestHost {
    let host = TestHost::start_within(|limits| limits.hot_for = Duration::from_millis(200)).await;
    host.deploy(module, guests::wasm(module)).await;
    host
}

#[tokio::test]
async fn simple_flow_sends_two_letters() {
    let mut host = host_with("simple_flow").await;
    let who = json!({ "name": "Ada", "email": "ada@example.com", "remind_after": "300ms" });

    let id = host.run("welcome", who).await;

    assert_eq!(host.ended(&id).await.value()["letters"], 2);
    assert_eq!(host.execution(&id).await["counters"]["letters"], 2);
    host.audit().await;
}

#[tokio::test]
async fn saga_trip_booking_books_all_of_a_trip() {
    let mut host = TestHost::start().await;

    let end = host.run_to_end("book_trip", json!({ "traveller": "ada" })).await;

    assert_eq!(end.value()["car"], "car-of-ada");
    host.audit().await;
}

#[tokio::test]
async fn batch_processing_names_the_items_that_are_broken() {
    let mut host = host_with("batch_processing").await;

    let end = host.run_to_end("batch", json!({ "items": 500, "broken_every": 100 })).await;

    let summary = end.value();
    assert_eq!(summary["done"], 495);
    assert_eq!(summary["broken"], json!([99, 199, 299, 399, 499]));
    host.audit().await;
}

#[tokio::test]
async fn failing_flow_handles_what_it_can_and_leaves_a_dead_letter() {
    let mut host = host_with("failing_flow").await;
    let plan = json!({ "flaky_failures": 1, "declined": true, "broken": true });

    let id = host.run("handled", plan).await;
    let report = host.ended(&id).await.value();

    assert_eq!(report, json!({ "attempt": 2, "payment": "invoice sent", "printed": false }));
    let letters = host.dead_letters(&id).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["step"], "print_receipt");
    host.audit().await;
}

#[tokio::test]
async fn failing_flow_says_where_the_failure_of_a_child_came_from() {
    let mut host = host_with("failing_flow").await;

    let end = host.run_to_end("explained", json!({ "broken": true })).await;

    assert_eq!(end.value(), "out-of-order at unhandled > print_receipt");
    host.audit().await;
}

#[tokio::test]
async fn complex_workflow_ends_by_what_its_part_failed_with() {
    let mut host = host_with("complex_workflow").await;
    let id = host.run("fulfil", json!({ "id": "o-1", "warehouses": ["north", "closed"] })).await;

    host.signalled(&id, "approval", json!({ "by": "ada" })).await;
    let end = host.ended(&id).await;

    assert_eq!(end.kind(), "closed");
    let path = end.failure["details"]["path"].as_array().unwrap();
    assert_eq!(path[0]["workflow"], "ship_part");
    assert_eq!(path[1], json!({ "step": "check_stock" }));
    let children = host.execution(&id).await["children"].clone();
    let failed = path[0]["execution"].clone();
    assert!(children.as_array().unwrap().contains(&failed), "{failed} of {children}");
    for child in children.as_array().unwrap() {
        host.ended(child.as_str().unwrap()).await;
    }
    host.audit().await;
}

#[tokio::test]
async fn complex_workflow_ships_nothing_and_archives_an_empty_order() {
    let mut host = host_with("complex_workflow").await;
    let id = host.run("fulfil", json!({ "id": "o-1", "warehouses": [] })).await;

    host.signalled(&id, "remark", json!("hello")).await;
    host.signalled(&id, "approval", json!({ "by": "ada" })).await;
    let shipped = host.ended(&id).await.value();

    assert_eq!(shipped["approved_by"], "ada");
    assert_eq!(shipped["remarks"], json!(["hello"]));
    let archive = host.execution(&id).await["children"][0].as_str().unwrap().to_owned();
    host.until_recorded(&archive, "sleep", 1).await;
    host.cancel(&archive, json!({ "force": true })).await;
    assert_eq!(host.ended(&archive).await.state, "cancelled");
    host.audit().await;
}

#[tokio::test]
async fn complex_workflow_stops_a_subscription_by_a_signal() {
    let mut host = host_with("complex_workflow").await;
    let id = host.run("subscription", json!({ "customer": "ada", "months": 7 })).await;

    host.signalled(&id, "stop", Value::Null).await;

    assert_eq!(host.ended(&id).await.value(), 7);
    host.audit().await;
}
