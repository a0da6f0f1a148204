//! As many starts as one request may have are one transaction.

use std::path::Path;

use reqwest::StatusCode;
use serde_json::json;
use sqlx::Connection as _;
use stepwell_test_servers::postgres::Postgres;

use crate::front::Front;

/// `starts_max`.
const MANY: usize = 10_000;

async fn start_many(front: &Front) {
    let order = |n: usize| json!({ "workflow": "checkout", "input": n, "idempotency_key": format!("k{n}") });
    let orders: Vec<_> = (0..MANY).map(order).collect();

    let answer = front.post("/v1/executions", json!({ "executions": orders }).to_string()).await;

    assert_eq!(answer.status, StatusCode::OK);
    let answers = answer.json()["executions"].as_array().expect("a list").clone();
    assert_eq!(answers.len(), MANY);
    assert!(answers.iter().all(|answer| answer["created"] == true));
    assert_eq!(front.count().await, MANY as u64);
}

/// Commits in the log of SQLite, since it was begun anew: the last frame of each says how large the database is then.
fn commits(data: &Path) -> usize {
    const HEADER: usize = 32;
    let log = std::fs::read(data.join("stepwell.db-wal")).expect("a log");
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().expect("four bytes"));
    let frame = 24 + number(8) as usize;
    let salts = (number(16), number(20));
    let frames = (HEADER..log.len()).step_by(frame).filter(|at| at + frame <= log.len());
    // What is left of the log before has other salts.
    let frames = frames.take_while(|at| (number(at + 8), number(at + 12)) == salts);
    frames.filter(|at| number(at + 4) > 0).count()
}

#[tokio::test]
async fn ten_thousand_starts_of_one_request_are_one_transaction_on_sqlite() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let before = commits(front.data());

    start_many(&front).await;

    assert_eq!(commits(front.data()) - before, 1);
}

#[tokio::test]
async fn ten_thousand_starts_of_one_request_are_one_transaction_on_postgres() {
    let server = Postgres::shared().await;
    let url = server.url(&server.fresh_database().await);
    let front = Front::on_server(&url).await;
    front.module("shop", &[("checkout", json!(true))]).await;

    start_many(&front).await;

    let mut outside = sqlx::PgConnection::connect(&url).await.unwrap();
    let transactions = "select count(distinct xmin::text) from executions";
    let transactions: i64 = sqlx::query_scalar(transactions).fetch_one(&mut outside).await.unwrap();
    assert_eq!(transactions, 1);
}
