//! The audit log through the door.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use stepwell::app::App;
use stepwell::dispatch::Dispatch;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::front::Front;
use crate::house;
use crate::keys::{first_key, made, read, signed};

#[tokio::test]
async fn every_change_is_written_down_with_who_and_from_where() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let admin = first_key(&front).await;
    let order = json!({ "name": "till", "roles": ["start"] });
    let till = made(&front, order, Some(&admin)).await.json();
    let till = till["key"].as_str().expect("the key");
    let post = |key: &str, path: &str, body: &str| {
        front.send(signed(front.request(Method::POST, path), Some(key)).body(body.to_owned()))
    };
    let started = post(till, "/v1/executions", r#"{"workflow":"checkout"}"#).await.json();
    let id = started["id"].as_str().expect("an id");
    post(till, &format!("/v1/executions/{id}/cancel"), "").await.problem(403, "forbidden");
    post(&admin, &format!("/v1/executions/{id}/cancel"), "").await;

    let log = read(&front, "/v1/audit", Some(&admin)).await.json();

    let entries = log["entries"].as_array().expect("entries");
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap_or("-").to_owned();
            assert_eq!(entry["from"], "127.0.0.1");
            format!("{} {} {}", text("by"), text("action"), entry["status"])
        })
        .collect();
    let mut told: Vec<_> = told.iter().map(String::as_str).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "first execution.cancel 202",
            "first key.create 201",
            "local key.create 201",
            "till execution.cancel 403",
            "till execution.start 201",
        ]
    );
    assert!(entries.iter().any(|entry| entry["subject"] == format!("checkout {id}")), "{log}");
    assert!(!log.to_string().contains(&admin[20..]) && !log.to_string().contains(&till[20..]));
}

#[tokio::test]
async fn the_audit_log_is_read_page_by_page() {
    let front = Front::open().await;
    let admin = first_key(&front).await;
    for _ in 0..5 {
        front.send(signed(front.request(Method::POST, "/v1/queues/q/pause"), Some(&admin))).await;
    }

    let (mut ids, mut before) = (Vec::new(), String::new());
    loop {
        let page = read(&front, &format!("/v1/audit?limit=2{before}"), Some(&admin)).await.json();
        ids.extend(page["entries"].as_array().expect("entries").iter().map(|e| e["id"].as_i64()));
        match page["next"].as_i64() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }

    assert_eq!(ids.len(), 6);
    assert!(ids.is_sorted_by(|one, other| one > other), "{ids:?}");
}

async fn post(app: &App, path: &str, body: &'static str) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let url = format!("http://{}{path}", app.address());
    client.post(url).body(body).send().await.expect("an answer")
}

/// Starts something that is not there, which is written down as well.
async fn start_nothing(app: &App) {
    let answer = post(app, "/v1/executions", r#"{"workflow":"nothing"}"#).await;
    assert_eq!(answer.status(), 404);
}

#[tokio::test]
async fn a_log_that_cannot_be_written_is_told_of_and_starts_wait_for_it() {
    let data = tempfile::tempdir().unwrap();
    let app = house::start(data.path()).await.unwrap();
    let mut outside = house::outside(data.path()).await;
    let away = sqlx::raw_sql("begin immediate; alter table audit rename to audit_away; commit");
    away.execute(&mut outside).await.unwrap();

    let unrecorded = post(&app, "/v1/queues/q/pause", "").await;
    assert_eq!(unrecorded.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(unrecorded.headers().contains_key("retry-after"));
    let told = unrecorded.text().await.unwrap();
    assert!(told.contains("queue.pause was done, and could not be written"), "{told}");
    let queues = app.dispatch().queues(10).await.unwrap();
    assert!(queues.iter().any(|queue| queue.paused_at.is_some()), "{queues:?}");
    for _ in 0..3 {
        start_nothing(&app).await;
        app.dispatch().write_noted().await.unwrap_err();
    }

    let back = sqlx::raw_sql("begin immediate; alter table audit_away rename to audit; commit");
    back.execute(&mut outside).await.unwrap();
    let log = loop {
        match app.dispatch().audit_log(None, 10).await.unwrap() {
            log if log.is_empty() => tokio::time::sleep(Duration::from_millis(10)).await,
            log => break log,
        }
    };
    assert_eq!(log.len(), 3);
    assert!(log.iter().all(|row| row.entry.action == "execution.start"), "{log:?}");
    app.kill().await;
}

#[tokio::test]
async fn starts_are_written_down_soon_and_before_a_host_stops() {
    let data = tempfile::tempdir().unwrap();
    let app = house::start(data.path()).await.unwrap();

    start_nothing(&app).await;
    while app.dispatch().audit_log(None, 10).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    start_nothing(&app).await;
    app.stop().await;

    let app = house::start(data.path()).await.unwrap();
    let log = app.dispatch().audit_log(None, 10).await.unwrap();
    assert_eq!(log.len(), 2);
    assert!(log.iter().all(|row| row.entry.action == "execution.start"), "{log:?}");
    app.kill().await;
}

#[tokio::test]
async fn whoever_reads_the_log_waits_for_what_is_just_being_written() {
    let data = tempfile::tempdir().unwrap();
    let app = house::start(data.path()).await.unwrap();
    let mut outside = house::outside(data.path()).await;
    sqlx::raw_sql("begin immediate").execute(&mut outside).await.unwrap();
    start_nothing(&app).await;
    // By now the host has taken it, and waits for the database.
    tokio::time::sleep(Dispatch::AUDIT_EVERY * 3).await;

    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/v1/audit", app.address());
    let reading = async { client.get(url).send().await.unwrap().text().await.unwrap() };
    let letting_go = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        sqlx::raw_sql("commit").execute(&mut outside).await.unwrap();
    };
    let (log, ()) = tokio::join!(reading, letting_go);

    assert!(log.contains("execution.start"), "{log}");
    app.kill().await;
}

#[tokio::test]
async fn whoever_hangs_up_takes_no_entry_with_him() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let body = r#"{"workflow":"checkout"}"#;
    let length = body.len();
    let request = format!(
        "POST /v1/executions HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let address = front.address().trim_start_matches("http://").to_owned();

    for round in 0..200 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        // At another moment each time.
        tokio::time::sleep(Duration::from_micros(10 * round)).await;
    }

    // What has begun comes to its end, and then there is an entry for each execution.
    while front.door.requests() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let log = read(&front, "/v1/audit?limit=1000", None).await.json();
    let entries = log["entries"].as_array().expect("entries");
    let started = entries.iter().filter(|entry| entry["status"] == 201).count();
    assert!(started > 0);
    assert_eq!(u64::try_from(started).unwrap(), front.count().await);
}

#[tokio::test]
async fn a_whole_key_in_a_path_is_not_written_down() {
    let front = Front::open().await;
    let admin = first_key(&front).await;
    let other = made(&front, json!({ "name": "o", "roles": ["read"] }), Some(&admin)).await.json();
    let other = other["key"].as_str().expect("the key");

    let request = front.request(Method::DELETE, &format!("/v1/keys/{other}"));
    assert_eq!(front.send(signed(request, Some(&admin))).await.status, StatusCode::NO_CONTENT);

    read(&front, "/v1/stats", Some(other)).await.problem(401, "unauthorized");
    let log = read(&front, "/v1/audit", Some(&admin)).await.text;
    assert!(log.contains(&other[..19]) && !log.contains(&other[20..]), "{log}");
}
