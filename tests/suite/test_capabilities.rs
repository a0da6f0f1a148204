//! What modules may touch: declared, granted, shown, changed, and held to by every attempt.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use stepwell_test_servers::web::Web;

use crate::guests;
use crate::test_host::{Settings, TestHost};

/// This machine, by a name; nothing is granted.
const POLICY: &str = r#"
    env = { REGION = "north" }
    [http]
    private = ["http://public.test:*", "http://other.test:*"]
    resolve = { "public.test" = "127.0.0.1", "other.test" = "127.0.0.1" }
"#;

async fn host(policy: &str) -> TestHost {
    let policy = Some(policy.to_owned());
    TestHost::start_with(Settings { policy, ..Settings::default() }).await
}

async fn upload(host: &TestHost, name: &str, query: &str) -> crate::api::Answer {
    let path = format!("/v1/modules/{name}?{query}");
    host.send("PUT", &path, guests::wasm("reaching")).await.unwrap()
}

async fn grant(host: &TestHost, order: &Value) -> Value {
    let path = "/v1/modules/reaching/grants";
    let answer = host.send("PUT", path, order.to_string()).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn ask(server: &Web, host: &str) -> Value {
    json!({ "method": "GET", "url": format!("http://{host}:{}/", server.port()) })
}

#[tokio::test]
async fn a_deploy_says_what_is_wanted_and_missing_and_new() {
    let host = host(POLICY).await;

    let first = upload(&host, "reaching", "").await;
    assert_eq!(first.status, 200, "{}", first.body);
    let standing = &first.body["capabilities"];
    assert_eq!(standing["missing"], standing["wants"]);
    assert_eq!(standing["added"], standing["wants"]);
    assert_eq!(standing["granted"]["env"], json!([]));

    let again = upload(&host, "reaching", "grant=wanted&by=ada").await;
    let standing = &again.body["capabilities"];
    assert_eq!(standing["missing"]["env"], json!([]));
    assert_eq!(standing["added"]["env"], json!([]), "the version before wanted it too");
    assert_eq!(standing["granted_by"], "ada");
    assert_eq!(standing["unprovided"]["env"], json!(["NEVER_GRANTED"]));

    let shown = host.get("/v1/modules/reaching/grants").await;
    assert_eq!(shown.body["granted"], standing["granted"]);
    let other = host.deploy("reaching", guests::wasm("misbehaving")).await;
    assert!(!other.is_empty());
    let shown = host.get("/v1/modules/reaching/grants").await;
    assert_eq!(shown.body["wants"]["http"], json!([]));
}

#[tokio::test]
async fn a_strict_deploy_of_what_is_not_granted_is_refused_and_changes_nothing() {
    let host = host(POLICY).await;

    let refused = upload(&host, "reaching", "grant=strict").await;

    assert_eq!((refused.status, refused.problem()), (409, "not-granted"), "{}", refused.body);
    assert!(refused.body["detail"].as_str().unwrap().contains("secret API_KEY"));
    assert_eq!(refused.body["capabilities"]["missing"]["env"], json!(["REGION", "NEVER_GRANTED"]));
    assert_eq!(host.get("/v1/modules/reaching").await.status, 404);
}

#[tokio::test]
async fn a_grant_holds_for_the_next_attempts_without_a_restart_and_until_it_is_taken_back() {
    let server = Web::start().await;
    let host = host(POLICY).await;
    host.deploy("reaching", guests::wasm("reaching")).await;

    let before = host.run_to_end("fetched", ask(&server, "public.test")).await;
    assert_eq!((before.state.as_str(), before.kind()), ("failed", "not-granted"));
    assert!(before.message().contains("stepwell grant reaching"), "{}", before.message());
    assert_eq!(server.requests(), 0);

    grant(&host, &json!({ "granted": { "http": ["http://*.test:*"] }, "by": "ada" })).await;
    until(&host, &server, "completed").await;
    grant(&host, &json!({ "granted": {} })).await;
    until(&host, &server, "failed").await;
}

/// What holds within two seconds is tried until it does.
async fn until(host: &TestHost, server: &Web, state: &str) {
    let tried = async {
        while host.run_to_end("fetched", ask(server, "public.test")).await.state != state {}
    };
    let in_time = tokio::time::timeout(std::time::Duration::from_secs(20), tried).await;
    assert!(in_time.is_ok(), "no execution is {state}");
}

#[tokio::test]
async fn a_policy_grants_without_asking_and_lets_nobody_grant_beyond_it() {
    let server = Web::start().await;
    let policy = format!(
        "allow = {{ http = [\"http://public.test:*\"] }}\n{POLICY}\n\
         [modules.reaching.grant]\nhttp = [\"GET http://public.test:*\"]\n"
    );
    let host = host(&policy).await;
    let deployed = upload(&host, "reaching", "").await;

    let ended = host.run_to_end("fetched", ask(&server, "public.test")).await;
    assert_eq!(ended.value()["status"], 200);
    assert_eq!(
        deployed.body["capabilities"]["forbidden"]["secret"],
        json!(["API_KEY", "OTHER_KEY"])
    );
    let beyond = json!({ "granted": { "http": ["http://other.test:*"] } });
    let path = "/v1/modules/reaching/grants";
    let refused = host.send("PUT", path, beyond.to_string()).await.unwrap();
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body["detail"].as_str().unwrap().contains("policy of this host"));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_an_example() {
    let host = host(POLICY).await;
    let path = "/v1/modules/reaching/grants";

    for (order, says) in [
        (json!({}), "say either"),
        (json!({ "granted": {}, "wanted": true }), "say either"),
        (json!({ "granted": { "http": ["ftp://a.b"] } }), "for example"),
        (json!({ "granted": { "htpp": ["https://a.b"] } }), "unknown field `htpp`"),
        (json!({ "granted": { "dir": ["in"] } }), ":ro or :rw"),
        (json!({ "granted": { "env": ["A"], "secret": ["A"] } }), "another name"),
    ] {
        let refused = host.send("PUT", path, order.to_string()).await.unwrap();
        assert_eq!(refused.status, 422, "{order}: {}", refused.body);
        assert!(refused.body["detail"].as_str().unwrap().contains(says), "{}", refused.body);
    }
    let wanted = json!({ "wanted": true }).to_string();
    assert_eq!(host.send("PUT", path, wanted).await.unwrap().status, 404);
}

#[tokio::test]
async fn a_workflow_is_told_to_move_a_request_to_a_step() {
    let host = host(POLICY).await;
    upload(&host, "reaching", "grant=wanted").await;

    let ended = host.run_to_end("raw_in_workflow", Value::Null).await;

    assert!(ended.message().contains("move it to a step"), "{}", ended.message());
}

/// What a command prints on both outputs, and its exit code. Nobody sits before it.
async fn command(host: &TestHost, arguments: &[&str]) -> (String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepwell"));
    command
        .args(["--server", &format!("http://{}", host.address())])
        .args(arguments)
        .env("USER", "ada")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let told = [output.stdout, output.stderr].concat();
    (String::from_utf8(told).unwrap(), output.status.code().unwrap())
}

#[tokio::test]
async fn whoever_deploys_is_told_what_is_missing_and_may_grant_it() {
    let host = host(POLICY).await;
    let folder = tempfile::tempdir().unwrap();
    let (wasm, file) = (folder.path().join("reaching.wasm"), folder.path().join("granted.toml"));
    std::fs::write(&wasm, guests::wasm("reaching")).unwrap();
    std::fs::write(&file, "env = [\"REGION\"]").unwrap();
    let (wasm, file) = (wasm.to_str().unwrap(), file.to_str().unwrap());

    let (told, code) = command(&host, &["deploy", wasm, "--strict"]).await;
    assert!(code == 4 && told.contains("secret API_KEY") && told.contains("--grant"), "{told}");
    let (told, code) = command(&host, &["deploy", wasm, "--grant-file", file]).await;
    assert_eq!(code, 0, "{told}");
    assert!(
        told.contains("granted    env REGION") && told.contains("new        dir /in:ro"),
        "{told}"
    );
    assert!(told.contains("`stepwell grant reaching` grants it"), "{told}");
    let (told, _) = command(&host, &["deploy", wasm]).await;
    assert!(told.contains("missing    dir /in:ro"), "the version before wanted it too: {told}");
    let (told, code) = command(&host, &["deploy", wasm, "--grant"]).await;
    assert!(
        code == 0 && told.contains("granted by ada at 2") && !told.contains("missing"),
        "{told}"
    );
    let (told, _) = command(&host, &["grant", "reaching", "--file", file]).await;
    assert!(told.contains("granted    env REGION") && told.contains("missing    secret"), "{told}");
    let (told, _) = command(&host, &["grant", "reaching"]).await;
    assert!(told.contains("unprovided secret API_KEY") && !told.contains("missing"), "{told}");
    let (told, _) = command(&host, &["grant", "reaching", "--revoke"]).await;
    assert!(told.contains("missing    env REGION"), "{told}");
    let (told, _) = command(&host, &["grants", "reaching", "--json"]).await;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["granted"]["env"], json!([]));
}
