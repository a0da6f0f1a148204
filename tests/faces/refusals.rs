//! Whatever cannot be done is answered by a problem document of the 4xx kind that names it.

use std::io;
use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::json;
use stepwell::model::Limits;

use crate::front::{Front, nobody};

/// A request, its body, the status and the kind of problem that answer it; `{id}` is an execution that nobody has.
type Refused = (Method, &'static str, &'static str, u16, &'static str);

const ORDERS: &[Refused] = &[
    (Method::GET, "/v2", "", 404, "no-such-route"),
    (Method::DELETE, "/v1/executions", "", 405, "wrong-method"),
    (Method::POST, "/v1/executions", "", 400, "malformed-request"),
    (Method::POST, "/v1/executions", "{\"workflow\":\"checkout\"", 400, "malformed-request"),
    (Method::POST, "/v1/executions", "[]", 422, "invalid-request"),
    (Method::POST, "/v1/executions", "7", 422, "invalid-request"),
    (Method::POST, "/v1/executions", "{\"workflow\":\"checkout\",\"x\":1}", 422, "invalid-request"),
    (Method::POST, "/v1/executions", "{\"workflow\":\"a\\u0000b\"}", 422, "invalid-request"),
    (Method::POST, "/v1/executions", "{\"workflow\":\"nobody\"}", 404, "unknown-workflow"),
    (
        Method::POST,
        "/v1/executions",
        "{\"workflow\":\"checkout\",\"input\":7}",
        422,
        "invalid-input",
    ),
    (
        Method::POST,
        "/v1/executions",
        "{\"workflow\":\"checkout\",\"priority\":101}",
        422,
        "invalid-request",
    ),
    (Method::POST, "/v1/executions", "{\"executions\":7}", 422, "invalid-request"),
];

const QUESTIONS: &[Refused] = &[
    (Method::GET, "/v1/executions?state=paused", "", 400, "malformed-request"),
    (Method::GET, "/v1/executions?colour=red", "", 400, "malformed-request"),
    (Method::GET, "/v1/executions?limit=-1", "", 400, "malformed-request"),
    (Method::GET, "/v1/executions?limit=0", "", 422, "invalid-request"),
    (Method::GET, "/v1/executions?limit=1001", "", 422, "invalid-request"),
    (Method::GET, "/v1/hosts?limit=0", "", 422, "invalid-request"),
    (Method::GET, "/v1/dead-letters?limit=1001", "", 422, "invalid-request"),
    (Method::GET, "/v1/executions/{id}/logs?limit=0", "", 422, "invalid-request"),
    (Method::GET, "/v1/executions/{id}/journal?limit=1001", "", 422, "invalid-request"),
    (Method::GET, "/v1/executions?cursor=x", "", 400, "malformed-request"),
    (Method::GET, "/v1/executions/not-an-id", "", 400, "malformed-request"),
    (Method::GET, "/v1/executions/%ff", "", 400, "malformed-request"),
    (Method::GET, "/v1/executions/{id}", "", 404, "unknown-execution"),
    (Method::GET, "/v1/executions/{id}/journal", "", 404, "unknown-execution"),
    (Method::GET, "/v1/executions/{id}/journal?after=x", "", 400, "malformed-request"),
    (Method::GET, "/v1/executions/{id}/logs", "", 404, "unknown-execution"),
    (Method::GET, "/v1/executions/{id}/result", "", 404, "unknown-execution"),
    (Method::GET, "/v1/executions/{id}/result?wait=5", "", 400, "malformed-request"),
    (Method::POST, "/v1/executions/{id}/signals/go", "1", 404, "unknown-execution"),
    (Method::POST, "/v1/executions/{id}/signals/go", "{", 400, "malformed-request"),
    (Method::POST, "/v1/executions/{id}/cancel", "", 404, "unknown-execution"),
    (Method::POST, "/v1/executions/{id}/cancel", "{\"force\":\"yes\"}", 422, "invalid-request"),
    (Method::POST, "/v1/executions/{id}/retry", "", 404, "unknown-execution"),
    (Method::POST, "/v1/executions/{id}/pause", "", 404, "unknown-execution"),
    (Method::POST, "/v1/executions/{id}/resume", "", 404, "unknown-execution"),
    (Method::GET, "/v1/modules/nobody", "", 404, "unknown-module"),
    (Method::POST, "/v1/modules/shop/activate", "{\"digest\":\"12\"}", 422, "invalid-request"),
    (Method::GET, "/v1/modules/12345678", "", 404, "unknown-module"),
    (Method::POST, "/v1/modules/shop/activate", "{\"digest\":\"12345678\"}", 404, "unknown-module"),
    (Method::GET, "/v1/dead-letters/7", "", 404, "unknown-dead-letter"),
    (Method::GET, "/v1/dead-letters/x", "", 400, "malformed-request"),
    (Method::POST, "/v1/dead-letters/7/replay", "", 404, "unknown-dead-letter"),
    (Method::POST, "/v1/dead-letters/replay", "", 422, "invalid-request"),
    (Method::POST, "/v1/dead-letters/discard", "", 422, "invalid-request"),
    (Method::GET, "/v1/modules/nobody/grants", "", 404, "unknown-module"),
    (Method::DELETE, "/v1/dead-letters/7", "", 404, "unknown-dead-letter"),
    (Method::GET, "/ready", "", 503, "unavailable"),
];

#[tokio::test]
async fn no_request_is_answered_by_anything_but_a_problem() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!({ "type": "object" }))]).await;

    for (method, path, body, status, kind) in ORDERS.iter().chain(QUESTIONS) {
        let path = path.replace("{id}", &nobody().to_string());
        let answer = front.ask(method.clone(), &path, *body).await;
        assert_eq!(answer.status, *status, "{method} {path} {body}: {answer:?}");
        answer.problem(*status, kind);
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

/// What was logged on this thread.
#[derive(Debug, Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl io::Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics while holding it").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_host_that_is_not_ready_says_so_and_cries_for_nobody() {
    let heard = Heard::default();
    let writer = heard.clone();
    let listening = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .finish();
    let _listening = tracing::subscriber::set_default(listening);
    let front = Front::open().await;

    let status = front.read("/ready").await.status.as_u16();

    let said = String::from_utf8(heard.0.lock().unwrap().clone()).unwrap();
    assert_eq!(status, 503);
    assert!(said.contains("A request was put off"), "{said}");
    assert!(!said.contains("ERROR"), "{said}");
}
