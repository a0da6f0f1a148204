//! What clients get wrong: a clear 4xx that names it, never a 500, never a crash.

use serde_json::{Value, json};

use crate::api::Answer;
use crate::guests;
use crate::test_host::TestHost;

/// A problem document of this status whose text has this word in it.
#[track_caller]
fn refused(answer: &Answer, status: u16, kind: &str, word: &str) {
    let body = &answer.body;
    assert_eq!(answer.status, status, "{body}");
    assert_eq!(answer.content_type, "application/problem+json", "{body}");
    assert_eq!(body["status"], status, "{body}");
    assert_eq!(answer.problem(), kind, "{body}");
    assert!(!body["title"].as_str().unwrap().is_empty(), "{body}");
    assert!(body.to_string().contains(word), "no {word:?} in {body}");
}

async fn serves(host: &TestHost) {
    assert_eq!(host.run_to_end("noop", json!("still here")).await.value(), "still here");
}

#[tokio::test]
async fn a_start_that_cannot_be_is_refused_by_name() {
    let host = TestHost::start().await;
    let start = async |body: &str| host.send("POST", "/v1/executions", body.to_owned()).await;

    for (body, status, kind, word) in [
        ("", 400, "malformed-request", "EOF"),
        ("{\"workflow\":", 400, "malformed-request", "EOF"),
        ("{\"workflow\":\"noop\",\"input\":{]}", 400, "malformed-request", "line 1"),
        ("[1]", 422, "invalid-request", "object"),
        ("{}", 422, "invalid-request", "workflow"),
        ("{\"workflow\":\"nothing\"}", 404, "unknown-workflow", "nothing"),
        ("{\"workflow\":\"a\\u0000b\"}", 422, "invalid-request", "character"),
        ("{\"workflow\":\"noop\",\"inptu\":1}", 422, "invalid-request", "inptu"),
        ("{\"workflow\":\"noop\",\"delay\":\"5x\"}", 422, "invalid-request", "position"),
        ("{\"workflow\":\"noop\",\"priority\":101}", 422, "invalid-request", "priority"),
        ("{\"workflow\":\"noop\",\"tags\":[\"\"]}", 422, "invalid-request", "empty"),
        ("{\"workflow\":\"noop\",\"module\":\"other\"}", 404, "unknown-module", "other"),
        ("{\"workflow\":\"noop\",\"module\":\"checkout\"}", 404, "unknown-workflow", "noop"),
    ] {
        let answer = start(body).await.unwrap();
        println!("{body} -> {}", answer.body);
        refused(&answer, status, kind, word);
    }
    serves(&host).await;
}

#[tokio::test]
async fn an_input_that_does_not_fit_the_schema_is_refused_with_its_places() {
    let host = TestHost::start().await;

    let order = json!({ "workflow": "checkout", "input": { "order": 1, "amount": "much" } });
    let answer = host.post("/v1/executions", &order).await;

    refused(&answer, 422, "invalid-input", "/amount");
    let errors = answer.body["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert!(pointers.contains(&"/order") && pointers.contains(&"/amount"), "{pointers:?}");
    let nothing = host.get("/v1/executions").await.body["executions"].as_array().unwrap().len();
    assert_eq!(nothing, 0);
    serves(&host).await;
}

#[tokio::test]
async fn what_is_too_large_is_refused_with_the_limit_it_goes_past() {
    let host = TestHost::start_within(|limits| {
        limits.payload_bytes_max = 10_000;
        limits.module_bytes_max = 100_000;
    })
    .await;
    let id = host.run("signals", json!(1)).await;
    let large = "x".repeat(10_001);

    let order = json!({ "workflow": "noop", "input": large });
    let started = host.post("/v1/executions", &order).await;
    let signalled = host.signal(&id, "message", &json!(large)).await;
    let deployed = host.send("PUT", "/v1/modules/large", guests::wasm("misbehaving")).await;

    refused(&started, 413, "too-large", "payload_bytes_max");
    refused(&signalled, 413, "too-large", "payload_bytes_max");
    refused(&deployed.unwrap(), 413, "too-large", "module_bytes_max");
    serves(&host).await;
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_unknown() {
    let host = TestHost::start().await;
    let id = "00000000-0000-7000-8000-000000000000";

    for (path, kind) in [
        (format!("/v1/executions/{id}"), "unknown-execution"),
        (format!("/v1/executions/{id}/journal"), "unknown-execution"),
        (format!("/v1/executions/{id}/logs"), "unknown-execution"),
        (format!("/v1/executions/{id}/result"), "unknown-execution"),
        ("/v1/modules/nothing".to_owned(), "unknown-module"),
        ("/v1/dead-letters/999".to_owned(), "unknown-dead-letter"),
        ("/v2/executions".to_owned(), "no-such-route"),
    ] {
        refused(&host.get(&path).await, 404, kind, "");
    }
    for path in ["signals/x", "cancel", "retry", "pause", "resume"] {
        let answer = host.post(&format!("/v1/executions/{id}/{path}"), &json!({})).await;
        refused(&answer, 404, "unknown-execution", id);
    }
    serves(&host).await;
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_refused() {
    let host = TestHost::start().await;
    let id = host.run("noop", Value::Null).await;

    for (path, status) in [
        ("/v1/executions/not-an-id".to_owned(), 400),
        ("/v1/executions?state=asleep".to_owned(), 400),
        ("/v1/executions?cursor=x".to_owned(), 400),
        ("/v1/executions?limit=-1".to_owned(), 400),
        ("/v1/executions?unknown=1".to_owned(), 400),
        (format!("/v1/executions/{id}/result?wait=soon"), 400),
        (format!("/v1/executions/{id}/logs?after=99999999999999999999"), 400),
        ("/v1/dead-letters/x".to_owned(), 400),
    ] {
        let answer = host.get(&path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        refused(&answer, status, "malformed-request", "");
    }
    refused(&host.delete("/v1/executions").await, 405, "wrong-method", "DELETE");
    let path = format!("/v1/executions/{id}/signals/bad%00name");
    let answer = host.post(&path, &json!(1)).await;
    assert!((400..500).contains(&answer.status), "{}", answer.body);
    serves(&host).await;
}

#[tokio::test]
async fn what_is_no_module_is_refused_and_nothing_is_deployed() {
    let host = TestHost::start().await;
    let whole = guests::wasm("checkout");
    let before = host.get("/v1/modules").await.body;
    let core_module = b"\0asm\x01\0\0\0".to_vec();
    let empty_component = b"\0asm\x0d\0\x01\0".to_vec();

    for (what, wasm, word) in [
        ("nothing", Vec::new(), ""),
        ("text", b"#!/bin/sh".to_vec(), "WebAssembly"),
        ("a core module", core_module, "core module"),
        ("a component of no world", empty_component, ""),
        ("half a module", whole[..whole.len() / 2].to_vec(), ""),
        ("a module but for its last byte", whole[..whole.len() - 1].to_vec(), ""),
    ] {
        let answer = host.send("PUT", "/v1/modules/bad", wasm).await.unwrap();
        println!("{what}: {}", answer.body["detail"]);
        refused(&answer, 422, "module-refused", word);
    }
    assert_eq!(host.get("/v1/modules").await.body, before);
    serves(&host).await;
}
