//! Variables and secrets: the guest holds a placeholder, and the value goes where it may go and nowhere else.

use serde_json::{Value, json};
use stepwell::model::{Failure, StepReport};

use super::world::{KEY, Plan, World, own};
use stepwell_test_servers::web::Web;

const SECRET: &str = r#"API_KEY = { from_env = "THE_KEY", hosts = ["http://public.test:*"] }"#;

fn plan(secret: &str) -> Plan {
    let policy = format!(
        "{}[env]\nREGION = \"north\"\n[secrets]\n{secret}\n",
        own(&["public.test", "other.test"])
    );
    Plan::new(policy).wants(json!({
        "http": ["http://*.test:*"], "env": ["REGION", "LANGUAGE"], "secret": ["API_KEY"],
    }))
}

fn ask(server: &Web, host: &str, path: &str, headers: Value) -> Value {
    let url = format!("http://{host}:{}{path}", server.port());
    json!({ "method": "POST", "url": url, "headers": headers, "body": "" })
}

async fn research(world: &World, server: &Web, path: &str) -> StepReport {
    let url = format!("http://public.test:{}{path}", server.port());
    world.run("research", json!({ "url": url, "fails": false })).await
}

#[tokio::test]
async fn a_variable_is_there_where_it_is_granted() {
    let world = plan(SECRET).granted(json!({ "env": ["REGION"] })).build().await;

    assert_eq!(world.value("env_of", json!("REGION")).await, "north");
    let failure = world.failure("env_of", json!("LANGUAGE")).await;

    assert_eq!(failure.kind, "not-granted");
    assert!(failure.message.contains("not granted to module reaching"), "{failure}");
    for other in ["PATH", "HOME", "THE_KEY"] {
        assert_eq!(world.failure("env_of", json!(other)).await.kind, "not-granted");
    }
}

#[tokio::test]
async fn a_guest_sees_a_placeholder_that_is_another_in_every_attempt() {
    let world = plan(SECRET).build().await;

    let first = world.value("secret_of", json!("API_KEY")).await;
    let second = world.value("secret_of", json!("API_KEY")).await;

    assert!(first.as_str().unwrap().starts_with("secret-api_key-"), "{first}");
    assert_ne!(first, second);
}

#[tokio::test]
async fn the_value_goes_into_the_headers_of_a_request_and_does_not_come_back() {
    let server = Web::start().await;
    let world = plan(SECRET).build().await;
    let stars = "*".repeat(KEY.len());

    for path in ["/", "/dripping"] {
        let report = research(&world, &server, path).await;

        let told = format!("{report:?}");
        assert!(!told.contains("sk_live") && !told.contains("slashed"), "{told}");
        assert!(told.contains(&stars), "the server said the key, so it must be starred: {told}");
    }
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_secret_goes_only_where_the_policy_lets_it_go() {
    let server = Web::start().await;
    let world = plan(SECRET).build().await;

    let url = format!("http://other.test:{}/", server.port());
    let failure = world.failure("research", json!({ "url": url, "fails": false })).await;

    assert_eq!(failure.kind, "not-granted");
    assert!(failure.message.contains("secrets.API_KEY.hosts"), "{failure}");
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_placeholder_of_another_attempt_is_only_text() {
    let server = Web::start().await;
    let world = plan(SECRET).build().await;
    let old = world.value("secret_of", json!("API_KEY")).await;

    let answer =
        world.value("fetch", ask(&server, "public.test", "/", json!([["x-key", old]]))).await;

    assert!(answer["body"].as_str().unwrap().contains(old.as_str().unwrap()), "{answer}");
}

#[tokio::test]
async fn a_body_holds_the_value_only_where_the_policy_says_so() {
    let server = Web::start().await;
    let in_body =
        r#"API_KEY = { from_env = "THE_KEY", hosts = ["http://public.test:*"], in_body = true }"#;

    for (secret, is_starred) in [(SECRET, false), (in_body, true)] {
        let world = plan(secret).build().await;
        let url = format!("http://public.test:{}/", server.port());
        let answer = world.value("send_in_body", json!(url)).await;

        let body = answer.as_str().unwrap();
        assert_eq!(body.contains(&"*".repeat(KEY.len())), is_starred, "{body}");
        assert_eq!(body.contains("key=secret-api_key-"), !is_starred, "{body}");
        assert!(body.ends_with("&end"), "{body}");
    }
}

#[tokio::test]
async fn a_secret_in_an_address_is_refused() {
    let server = Web::start().await;
    let world = plan(SECRET).build().await;

    let url = format!("http://public.test:{}/", server.port());
    let failure = world.failure("send_in_address", json!(url)).await;

    assert!(failure.message.contains("stands in the address"), "{failure}");
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_refused_where_a_secret_may_be_sent() {
    let server = Web::start().await;
    let world = plan(SECRET).build().await;

    let ask_in = |host| ask(&server, host, "/compressed", json!([]));
    let failure: Failure = world.failure("fetch", ask_in("public.test")).await;
    let elsewhere = world.value("fetch", ask_in("other.test")).await;

    assert!(failure.message.contains("compressed"), "{failure}");
    assert_eq!(elsewhere["status"], 200);
}

#[tokio::test]
async fn a_secret_that_is_not_granted_is_not_there() {
    let world = plan(SECRET).granted(json!({ "http": ["http://*.test:*"] })).build().await;

    let failure = world.failure("secret_of", json!("API_KEY")).await;

    assert_eq!(failure.kind, "not-granted");
    assert!(failure.message.contains("secret API_KEY"), "{failure}");
}
