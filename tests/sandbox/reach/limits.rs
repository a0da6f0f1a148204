//! What requests may use: each bound ends as a failure that names it.

use std::time::Duration;

use serde_json::{Value, json};
use stepwell::model::{EgressLimits, Limits};

use super::world::{Plan, World, own};
use crate::house;
use stepwell_test_servers::web::Web;

async fn bounded(egress: EgressLimits) -> (Web, World) {
    let server = Web::start().await;
    let plan = Plan::new(own(&["public.test"])).http(&["http://public.test:*"]);
    let limits = Limits { egress, ..house::limits() };
    (server, Plan { limits, ..plan }.build().await)
}

fn get(server: &Web, path: &str) -> Value {
    json!({ "method": "GET", "url": format!("http://public.test:{}{path}", server.port()) })
}

#[tokio::test]
async fn a_response_that_is_too_long_is_broken_off() {
    let limits = EgressLimits { response_body_bytes_max: 1_000_000, ..EgressLimits::default() };
    let (server, world) = bounded(limits).await;

    let whole = world.value("fetch", get(&server, "/bytes?1000000")).await;
    let failure = world.failure("fetch", get(&server, "/bytes?1000001")).await;

    assert_eq!(whole["body"].as_str().unwrap().len(), 1_000_000);
    assert_eq!(failure.kind, "limit-exceeded", "{failure}");
    assert!(failure.message.contains("egress.response_body_bytes_max"), "{failure}");
}

#[tokio::test]
async fn a_request_that_is_too_long_is_not_sent_whole() {
    let limits = EgressLimits { request_body_bytes_max: 100_000, ..EgressLimits::default() };
    let (server, world) = bounded(limits).await;
    let url = format!("http://public.test:{}/", server.port());
    let upload = |bytes: u32| json!({ "url": url, "bytes": bytes });

    assert_eq!(world.value("upload", upload(100_000)).await, 200);
    let failure = world.failure("upload", upload(100_001)).await;

    assert!(failure.message.contains("egress.request_body_bytes_max"), "{failure}");
}

#[tokio::test]
async fn heads_are_bounded_both_ways() {
    let limits = EgressLimits { header_bytes_max: 10_000, ..EgressLimits::default() };
    let (server, world) = bounded(limits).await;

    assert_eq!(world.value("fetch", get(&server, "/headers?9000")).await["status"], 200);
    let answered = world.failure("fetch", get(&server, "/headers?20000")).await;
    let mut ask = get(&server, "/");
    ask["headers"] = json!([["x-large", "x".repeat(10_000)]]);
    let asked = world.failure("fetch", ask).await;

    for failure in [answered, asked] {
        assert!(failure.message.contains("egress.header_bytes_max"), "{failure}");
    }
}

#[tokio::test]
async fn an_attempt_makes_only_so_many_requests() {
    let limits = EgressLimits { requests_max: 3, ..EgressLimits::default() };
    let (server, world) = bounded(limits).await;
    let many = |times: u32| json!({ "ask": get(&server, "/"), "times": times });

    assert_eq!(world.value("fetch_many", many(3)).await, 3);
    let failure = world.failure("fetch_many", many(4)).await;

    assert!(failure.message.contains("egress.requests_max"), "{failure}");
    assert_eq!(server.requests(), 6);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_waited_for_only_so_long() {
    let soon = Duration::from_millis(200);
    let (server, world) =
        bounded(EgressLimits { first_byte_timeout: soon, ..EgressLimits::default() }).await;
    let failure = world.failure("fetch", get(&server, "/silence")).await;
    assert!(failure.message.contains("HttpResponseTimeout"), "{failure}");

    let (server, world) =
        bounded(EgressLimits { request_timeout: soon, ..EgressLimits::default() }).await;
    let failure = world.failure("fetch", get(&server, "/silence")).await;
    assert!(failure.message.contains("egress.request_timeout"), "{failure}");
}

#[tokio::test]
async fn what_crosses_costs_fuel() {
    let (server, world) = bounded(EgressLimits::default()).await;

    let small = world.run("fetch", get(&server, "/bytes?1")).await.usage.fuel;
    let large = world.run("fetch", get(&server, "/bytes?1000000")).await.usage.fuel;

    assert!(large > small + 1_000_000, "{small} {large}");
}
