//! Whatever cannot be done is answered by a problem document of the 4xx kind that names it.

use reqwest::Method;
use serde_json::json;
use stepwell::model::Limits;

use crate::front::{Front, nobody};

#[tokio::test]
async fn no_request_is_answered_by_anything_but_a_problem() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!({ "type": "object" }))]).await;
    let execution = format!("/v1/executions/{}", nobody());
    let of = |rest: &str| format!("{execution}{rest}");
    let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);

    for (method, path, body, status, kind) in [
        (&get, "/v2".to_owned(), "", 404, "no-such-route"),
        (&delete, "/v1/executions".into(), "", 405, "wrong-method"),
        (&post, "/v1/executions".into(), "", 400, "malformed-request"),
        (&post, "/v1/executions".into(), "{\"workflow\":\"checkout\"", 400, "malformed-request"),
        (&post, "/v1/executions".into(), "[]", 422, "invalid-request"),
        (&post, "/v1/executions".into(), "7", 422, "invalid-request"),
        (
            &post,
            "/v1/executions".into(),
            "{\"workflow\":\"checkout\",\"x\":1}",
            422,
            "invalid-request",
        ),
        (&post, "/v1/executions".into(), "{\"workflow\":\"a\\u0000b\"}", 422, "invalid-request"),
        (&post, "/v1/executions".into(), "{\"workflow\":\"nobody\"}", 404, "unknown-workflow"),
        (
            &post,
            "/v1/executions".into(),
            "{\"workflow\":\"checkout\",\"input\":7}",
            422,
            "invalid-input",
        ),
        (
            &post,
            "/v1/executions".into(),
            "{\"workflow\":\"checkout\",\"priority\":101}",
            422,
            "invalid-request",
        ),
        (&post, "/v1/executions".into(), "{\"executions\":7}", 422, "invalid-request"),
        (&get, "/v1/executions?state=paused".into(), "", 400, "malformed-request"),
        (&get, "/v1/executions?colour=red".into(), "", 400, "malformed-request"),
        (&get, "/v1/executions?limit=-1".into(), "", 400, "malformed-request"),
        (&get, "/v1/executions?limit=0".into(), "", 422, "invalid-request"),
        (&get, "/v1/executions?limit=1001".into(), "", 422, "invalid-request"),
        (&get, "/v1/hosts?limit=0".into(), "", 422, "invalid-request"),
        (&get, "/v1/dead-letters?limit=1001".into(), "", 422, "invalid-request"),
        (&get, of("/logs?limit=0"), "", 422, "invalid-request"),
        (&get, of("/journal?limit=1001"), "", 422, "invalid-request"),
        (&get, "/v1/executions?cursor=x".into(), "", 400, "malformed-request"),
        (&get, "/v1/executions/not-an-id".into(), "", 400, "malformed-request"),
        (&get, "/v1/executions/%ff".into(), "", 400, "malformed-request"),
        (&get, of(""), "", 404, "unknown-execution"),
        (&get, of("/journal"), "", 404, "unknown-execution"),
        (&get, of("/journal?after=x"), "", 400, "malformed-request"),
        (&get, of("/logs"), "", 404, "unknown-execution"),
        (&get, of("/result"), "", 404, "unknown-execution"),
        (&get, of("/result?wait=5"), "", 400, "malformed-request"),
        (&post, of("/signals/go"), "1", 404, "unknown-execution"),
        (&post, of("/signals/go"), "{", 400, "malformed-request"),
        (&post, of("/cancel"), "", 404, "unknown-execution"),
        (&post, of("/cancel"), "{\"force\":\"yes\"}", 422, "invalid-request"),
        (&post, of("/retry"), "", 404, "unknown-execution"),
        (&post, of("/pause"), "", 404, "unknown-execution"),
        (&post, of("/resume"), "", 404, "unknown-execution"),
        (&get, "/v1/modules/nobody".into(), "", 404, "unknown-module"),
        (&post, "/v1/modules/shop/activate".into(), "{\"digest\":\"12\"}", 422, "invalid-request"),
        (&get, "/v1/modules/12345678".into(), "", 404, "unknown-module"),
        (
            &post,
            "/v1/modules/shop/activate".into(),
            "{\"digest\":\"12345678\"}",
            404,
            "unknown-module",
        ),
        (&get, "/v1/dead-letters/7".into(), "", 404, "unknown-dead-letter"),
        (&get, "/v1/dead-letters/x".into(), "", 400, "malformed-request"),
        (&post, "/v1/dead-letters/7/replay".into(), "", 404, "unknown-dead-letter"),
        (&delete, "/v1/dead-letters/7".into(), "", 404, "unknown-dead-letter"),
        (&get, "/ready".into(), "", 503, "unavailable"),
    ] {
        let answer = front.ask(method.clone(), &path, body).await;
        assert_eq!(answer.status, status, "{method} {path} {body}: {answer:?}");
        answer.problem(status, kind);
    }
    assert_eq!(front.count().await, 0);
}

#[tokio::test]
async fn what_does_not_fit_the_schema_is_listed_by_its_pointer() {
    let front = Front::open().await;
    let schema = json!({ "type": "object", "properties": { "card": { "type": "string" } },
                         "required": ["id"] });
    front.module("shop", &[("checkout", schema)]).await;

    let order = json!({ "workflow": "checkout", "input": { "card": 7 } });
    let answer = front.post("/v1/executions", order.to_string()).await;

    answer.problem(422, "invalid-input");
    let errors = answer.json()["errors"].clone();
    let pointers: Vec<_> = errors.as_array().unwrap().iter().map(|e| &e["pointer"]).collect();
    assert!(pointers.contains(&&json!("/card")) && pointers.contains(&&json!("")), "{answer:?}");
}

#[tokio::test]
async fn what_is_too_large_names_its_limit() {
    let limits = Limits { payload_bytes_max: 100, module_bytes_max: 100, ..Limits::for_cores(1) };
    let front = Front::with_limits(limits).await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let id = front.start(json!({ "workflow": "checkout" })).await;
    let long = "x".repeat(200);

    let input = json!({ "workflow": "checkout", "input": long }).to_string();
    let input = front.post("/v1/executions", input).await;
    let signal =
        front.post(&format!("/v1/executions/{id}/signals/go"), format!("\"{long}\"")).await;
    let module = front.ask(Method::PUT, "/v1/modules/m", vec![0_u8; 5 << 20]).await;

    for (answer, limit) in [
        (&input, "payload_bytes_max"),
        (&signal, "payload_bytes_max"),
        (&module, "module_bytes_max"),
    ] {
        assert!(answer.problem(413, "too-large").contains(limit), "{answer:?}");
        assert_eq!(answer.json()["limit"], limit);
    }
}

#[tokio::test]
async fn what_is_no_component_is_refused() {
    let front = Front::open().await;

    for bytes in [&b""[..], b"hello", b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0\xff"] {
        let answer = front.ask(Method::PUT, "/v1/modules/m", bytes).await;
        answer.problem(422, "module-refused");
    }
    assert_eq!(front.read("/v1/modules").await.json()["modules"], json!([]));
}

#[tokio::test]
async fn a_module_has_a_name_that_can_be_told_from_a_path_and_a_digest() {
    let front = Front::open().await;

    for name in ["a%2Fb", ".git", "caf%C3%A9", "a%20b", &"0".repeat(64)] {
        let answer = front.ask(Method::PUT, &format!("/v1/modules/{name}"), "no module").await;
        let told = answer.problem(422, "invalid-request");
        assert!(told.contains("the module's name is"), "{told}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_words_of_the_api() {
    let front = Front::open().await;
    let told = async |path: &str| front.read(path).await.problem(400, "malformed-request");

    assert_eq!(
        told("/v1/executions?parent=foo").await,
        "the query: parent: \"foo\" is no execution id"
    );
    assert!(told("/v1/executions?limit=x").await.starts_with("the query: limit: "));
    let letter = told("/v1/dead-letters/x").await;
    assert!(letter.starts_with("\"x\" is no dead letter id: it is a number"), "{letter}");
    let seven = front.post("/v1/executions", "7").await.problem(422, "invalid-request");
    assert!(seven.ends_with("it must be a JSON object"), "{seven}");
}
