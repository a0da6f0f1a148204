//! Orders for many, lists by what people look for, everything as it happens, and answers that are known or short.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stepwell::model::Limits;

use crate::front::Front;

async fn shop() -> Front {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;
    front
}

async fn listed(front: &Front, query: &str) -> Vec<String> {
    let list = front.read(&format!("/v1/executions?{query}")).await;
    assert_eq!(list.status, StatusCode::OK, "{list:?}");
    let executions = list.json()["executions"].clone();
    executions.as_array().expect("a list").iter().map(|one| text(&one["id"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn each_of_many_orders_is_answered_and_a_key_is_one_execution() {
    let front = shop().await;
    let order = |n: usize| json!({ "workflow": "checkout", "input": n, "idempotency_key": format!("k{}", n % 900) });
    let mut orders: Vec<_> = (0..1_000).map(order).collect();
    orders[7] = json!({ "workflow": "nobody-has-this" });
    orders[8] = json!({ "workflow": "checkout", "input": 908, "idempotency_key": "k908" });

    let answer = front.post("/v1/executions", json!({ "executions": orders }).to_string()).await;

    let answers = answer.json()["executions"].as_array().unwrap().clone();
    assert_eq!(answers.len(), 1_000);
    assert_eq!(answers[0]["created"], true);
    assert_eq!(answers[7]["error"]["type"], "urn:stepwell:problem:unknown-workflow");
    // A key that comes twice with another input is refused, and with the same it is one execution.
    assert_eq!(answers[900]["error"]["type"], "urn:stepwell:problem:idempotency-conflict");
    assert_eq!(answers[8]["created"], true);
    assert_eq!(front.count().await, 901);
}

#[tokio::test]
async fn a_list_is_of_what_was_asked_for() {
    let front = shop().await;
    let eu = front
        .start(json!({ "workflow": "checkout", "tags": ["eu", "vip"], "queue": "slow" }))
        .await;
    let us = front.start(json!({ "workflow": "checkout", "tags": ["us"] })).await;
    let between = front.read(&format!("/v1/executions/{us}")).await.json()["created_at"].clone();
    let between = text(&between).replace(':', "%3A");

    assert_eq!(listed(&front, "tag=vip").await, std::slice::from_ref(&eu));
    assert_eq!(listed(&front, "queue=slow&tag=eu").await, std::slice::from_ref(&eu));
    assert_eq!(listed(&front, "module=shop&workflow=checkout").await, [us.clone(), eu.clone()]);
    assert_eq!(listed(&front, &format!("since={between}")).await, [us]);
    assert_eq!(listed(&front, &format!("until={between}")).await, [eu]);
    assert!(listed(&front, "failure=card-declined").await.is_empty());
    front.read("/v1/executions?module=nobody").await.problem(404, "unknown-module");
}

/// Whatever each of two filters has, they have nothing in common but the oldest.
#[tokio::test]
async fn a_page_that_would_read_through_too_many_ends_early_and_says_where_to_go_on() {
    let front = Front::with_limits(Limits { page_reads_max: 3, ..Limits::for_cores(1) }).await;
    front.module("shop", &[("checkout", json!(true)), ("refund", json!(true))]).await;
    let order = |workflow: &str, queue: &str| json!({ "workflow": workflow, "queue": queue });
    let oldest = front.start(order("checkout", "slow")).await;
    for _ in 0..5 {
        front.start(order("checkout", "fast")).await;
        front.start(order("refund", "slow")).await;
    }
    let query = "workflow=checkout&queue=slow";

    let first = front.read(&format!("/v1/executions?{query}")).await.json();
    let shown = front.read(&format!("/executions?{query}")).await.text;
    let typed = stepwell(&front, &["list", "--workflow", "checkout", "--queue", "slow"]).await;
    let would = json!({ "filter": { "workflow": "checkout", "queue": "slow" }, "dry_run": true });
    let would = front.post("/v1/bulk/pause", would.to_string()).await.json();

    let cursor = text(&first["next_cursor"]);
    assert_eq!(first["executions"], json!([]));
    assert_eq!(
        listed(&front, &format!("{query}&cursor={cursor}")).await,
        std::slice::from_ref(&oldest)
    );
    assert!(shown.contains("look further") && shown.contains(&cursor), "{shown}");
    assert!(typed.contains(&oldest), "{typed}");
    assert_eq!((&would["done"], text(&would["next_cursor"])), (&json!([]), cursor));
}

/// What the command line prints.
async fn stepwell(front: &Front, words: &[&str]) -> String {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_stepwell"));
    let output =
        command.args(words).args(["--server", front.address()]).output().await.expect("it runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("a text")
}

#[tokio::test]
async fn a_page_of_many_is_cancelled_and_the_rest_is_told_of() {
    let front = shop().await;
    for number in 0..5 {
        front.start(json!({ "workflow": "checkout", "input": number, "tags": ["old"] })).await;
    }
    let kept = front.start(json!({ "workflow": "checkout" })).await;
    let order = |more: Value| {
        let mut order =
            json!({ "filter": { "tag": "old" }, "limit": 3, "force": true, "reason": "tidy" });
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        order.to_string()
    };

    let would = front.post("/v1/bulk/cancel", order(json!({ "dry_run": true }))).await.json();
    assert_eq!(would["done"].as_array().unwrap().len(), 3);
    assert_eq!(front.count().await, 6, "a dry run does nothing");

    let first = front.post("/v1/bulk/cancel", order(json!({}))).await.json();
    let cursor = text(&first["next_cursor"]);
    let second = front.post("/v1/bulk/cancel", order(json!({ "cursor": cursor }))).await.json();

    let (first, second) = (first["done"].as_array().unwrap(), second["done"].as_array().unwrap());
    assert_eq!((first.len(), second.len()), (3, 2));
    assert!(first.iter().chain(second).all(|id| *id != json!(kept)));
    front.post("/v1/bulk/cancel", "{}").await.problem(422, "invalid-request");
    let paused = front.post("/v1/bulk/pause", r#"{"filter":{}}"#).await.json();
    assert_eq!(paused["done"].as_array().unwrap().len(), 6);
    let resumed = front.post("/v1/bulk/resume", r#"{"filter":{"queue":"default"}}"#).await.json();
    assert_eq!(resumed["done"].as_array().unwrap().len(), 6);
    let retried = front.post("/v1/bulk/retry", r#"{"filter":{}}"#).await.json();
    assert_eq!(retried["done"], json!([]), "none has ended");
}

/// What a client is told of all executions: the id of each event, the execution, its state.
async fn told(front: &Front, query: &str, seen: Option<&str>) -> Vec<(String, String, String)> {
    let request = front.request(Method::GET, &format!("/v1/events?{query}"));
    let request = match seen {
        Some(id) => request.header("last-event-id", id),
        None => request,
    };
    let stream = front.send(request).await;
    assert_eq!(stream.content, "text/event-stream", "{stream:?}");
    let events = stream.text.split("\n\n").filter(|event| event.contains("event: execution"));
    let field = |event: &str, name| {
        event.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned)).expect(name)
    };
    events
        .map(|event| {
            let data: Value = serde_json::from_str(&field(event, "data: ")).expect("JSON");
            (field(event, "id: "), text(&data["id"]), text(&data["state"]))
        })
        .collect()
}

#[tokio::test]
async fn everything_that_is_accepted_is_told_once_and_from_where_a_client_stopped() {
    let front = shop().await;
    let first = front.start(json!({ "workflow": "checkout" })).await;
    let second = front.start(json!({ "workflow": "checkout" })).await;
    let beginning = format!("after=0.{first}&for=300ms");

    let all = told(&front, &beginning, None).await;
    let nothing_new = told(&front, "for=300ms", None).await;

    let of = |events: &[(String, String, String)]| {
        events.iter().map(|(_, id, state)| (id.clone(), state.clone())).collect::<Vec<_>>()
    };
    let accepted = "pending".to_owned();
    assert_eq!(of(&all), [(first, accepted.clone()), (second, accepted)]);
    assert!(nothing_new.is_empty(), "{nothing_new:?}");
    // Somebody who comes again within the time in which a commit may be late is told once more.
    assert_eq!(told(&front, &format!("after={}&for=300ms", all[1].0), None).await, all);
}

/// A browser comes again by itself, with the header.
#[tokio::test]
async fn a_browser_that_comes_again_is_told_of_the_ends_that_it_has_missed() {
    let mut front = shop().await;
    let snapshot = front.start_owned("checkout").await;
    let id = snapshot.execution.id.to_string();
    let seen = told(&front, &format!("after=0.{id}&for=300ms"), None).await;
    assert_eq!((seen.len(), &seen[0].2), (1, &"pending".to_owned()), "{seen:?}");

    front.end(&snapshot, "true").await;
    // The header goes before the query, which is that of the first time.
    let never = format!("after=9999999999999999.{id}&for=300ms");
    let again = told(&front, &never, Some(&seen[0].0)).await;
    let without = told(&front, &never, None).await;

    let states: Vec<_> = again.iter().map(|(_, id, state)| (id.clone(), &**state)).collect();
    assert_eq!(states, [(id.clone(), "pending"), (id.clone(), "completed")]);
    assert!(without.is_empty(), "{without:?}");
    // From the end on, that is told once more within the same bound, and nothing is left out or made up.
    let last = told(&front, "for=300ms", Some(&again[1].0)).await;
    assert_eq!(last.last(), again.last());
    let request = front.request(Method::GET, "/v1/events?for=1ms").header("last-event-id", "x");
    front.send(request).await.problem(400, "malformed-request");
}

#[tokio::test]
async fn only_so_many_follow_at_once() {
    let front = Front::with_limits(Limits { followers_max: 1, ..Limits::for_cores(1) }).await;
    let follower = front.request(Method::GET, "/v1/events").send().await.unwrap();
    assert_eq!(follower.status(), StatusCode::OK);

    let refused = front.read("/v1/events?for=100ms").await;

    assert!(refused.problem(503, "unavailable").contains('1'));
}

#[tokio::test]
async fn a_module_that_is_known_is_not_sent_again() {
    let front = shop().await;
    let ask = |tag: Option<&str>| {
        let request = front.request(Method::GET, "/v1/modules/shop");
        tag.map_or(request.try_clone().unwrap(), |tag| request.header("if-none-match", tag)).send()
    };
    let first = ask(None).await.unwrap();
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();

    let again = ask(Some(&tag)).await.unwrap();
    let among = ask(Some(&format!("\"other\", W/{tag}"))).await.unwrap();
    let other = ask(Some("\"other\"")).await.unwrap();

    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(again.headers()["etag"].to_str().unwrap(), tag);
    assert_eq!(again.bytes().await.unwrap().len(), 0);
    assert_eq!((among.status(), other.status()), (StatusCode::NOT_MODIFIED, StatusCode::OK));
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_take_it() {
    let front = shop().await;
    for number in 0..20 {
        front.start(json!({ "workflow": "checkout", "input": number })).await;
    }
    let encoding = async |path: &str, takes: &str| {
        let request = front.request(Method::GET, path).header("accept-encoding", takes);
        let answer = request.send().await.unwrap();
        answer
            .headers()
            .get("content-encoding")
            .map(|encoding| encoding.to_str().unwrap().to_owned())
    };

    assert_eq!(encoding("/v1/executions", "gzip").await.as_deref(), Some("gzip"));
    assert_eq!(encoding("/v1/executions", "zstd, gzip").await.as_deref(), Some("zstd"));
    assert_eq!(encoding("/v1/executions", "identity").await, None);
    assert_eq!(encoding("/v1/queues", "gzip").await, None, "it is short");
    assert_eq!(encoding("/v1/events?for=50ms", "gzip").await, None, "it is a stream");
}

#[tokio::test]
async fn the_api_is_described() {
    let front = Front::open().await;

    let document = front.read("/openapi.json").await.json();

    assert!(text(&document["openapi"]).starts_with("3.1"));
    let operations = document["paths"].as_object().unwrap().values();
    let operations = operations.flat_map(|path| path.as_object().unwrap().values());
    let names: Vec<_> = operations.map(|operation| text(&operation["operationId"])).collect();
    let unique: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len(), "an operation has a name of its own: {names:?}");
    assert!(names.contains(&"start_executions".to_owned()));
}
