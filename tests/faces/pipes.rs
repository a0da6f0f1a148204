//! What pipes are told: JSON of every order, and where a list goes on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

use std::io;

use serde_json::{Value, json};
use stepwell_test_witness::guests;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::typing::{Hand, Host, stepwell};

const CHECKOUT: &str = r#"{"order":"A-1","amount":100}"#;

/// Somebody who reads JSON alone.
struct Pipe(Hand);

impl Pipe {
    async fn reads(&mut self, line: &str) -> Value {
        let words: Vec<_> = line.split_whitespace().chain(["--json"]).collect();
        let output = self.0.run(&words).await;
        let [said, told] = [output.stdout, output.stderr].map(|of| String::from_utf8(of).unwrap());
        assert!(output.status.success() && told.is_empty(), "{line}: {told}");
        serde_json::from_str(&said).expect(line)
    }

    /// An execution that begins in an hour.
    async fn starts(&mut self) -> String {
        let words = ["run", "checkout", "--input", CHECKOUT, "--delay", "1h"];
        self.0.does(&words).await.trim().to_owned()
    }
}

#[tokio::test]
async fn every_order_answers_pipes_in_json() {
    let data = tempfile::tempdir().unwrap();
    let host = Host::start(data.path(), &[]).await;
    let mut pipe = Pipe(Hand::at(&host));
    pipe.0.does(&["deploy", guests::path("checkout").to_str().unwrap()]).await;
    let id = pipe.starts().await;

    for line in ["pause", "resume"] {
        assert_eq!(pipe.reads(&format!("{line} {id}")).await, Value::Null, "{line}");
    }
    let cancelled = pipe.reads(&format!("cancel {id} --force")).await;
    assert!(cancelled["state"].is_string(), "{cancelled}");
    let (code, _) = pipe.0.types(&["result", &id, "--wait"]).await;
    assert_eq!(code, 1, "it was cancelled");
    assert_eq!(pipe.reads(&format!("retry {id}")).await["run"], 1);
    for line in ["queues pause q", "queues resume q"] {
        assert_eq!(pipe.reads(line).await, Value::Null, "{line}");
    }
    pipe.0
        .does(&["schedules", "put", "nightly", "checkout", "--every", "1h", "--input", CHECKOUT])
        .await;
    let paused = pipe.reads("schedules pause nightly").await;
    assert!(paused["paused_at"].is_string(), "{paused}");
    let resumed = pipe.reads("schedules resume nightly").await;
    assert!(resumed["paused_at"].is_null() && resumed["name"] == "nightly", "{resumed}");
    let started = pipe.reads("schedules trigger nightly").await["id"].as_str().unwrap().to_owned();
    assert_eq!(pipe.reads("schedules delete nightly").await, Value::Null);
    let paused = pipe.reads("bulk pause --all --dry-run").await;
    assert_eq!((&paused["dry_run"], &paused["next_cursor"]), (&json!(true), &Value::Null));
    let discarded = pipe.reads("dlq discard-all --all").await;
    assert_eq!((&discarded["discarded"], &discarded["ids"]), (&json!(0), &json!([])));
    assert_eq!(pipe.reads("dlq replay-all --all").await["replayed"], json!([]));
    let cleaned = pipe.reads("cleanup --dry-run --dlq").await;
    assert_eq!((&cleaned["dead_letters"], &cleaned["more"]), (&json!(0), &json!(false)));
    let followed = pipe.0.run(&["logs", &started, "--follow", "--json"]).await;
    let followed = String::from_utf8(followed.stdout).unwrap();
    let lines: Vec<Value> =
        followed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_told =
        |line: &Value| line["message"].as_str().is_some_and(|said| said.contains("charged A-1"));
    assert!(lines.iter().any(is_told), "{followed}");
    let made = pipe.0.creates(&["ops", "--role", "admin"]).await;
    pipe.0.key.clone_from(&made);
    let other = pipe.0.creates(&["eyes", "--role", "read"]).await;
    assert_eq!(pipe.reads(&format!("keys revoke {other}")).await, Value::Null);
}

#[tokio::test]
async fn a_list_that_goes_on_says_how() {
    let data = tempfile::tempdir().unwrap();
    let host = Host::start(data.path(), &[]).await;
    let mut pipe = Pipe(Hand::at(&host));
    pipe.0.does(&["deploy", guests::path("checkout").to_str().unwrap()]).await;
    let (first, second) = (pipe.starts().await, pipe.starts().await);

    let listed = pipe.0.does(&["list", "--limit", "1"]).await;
    assert!(listed.contains(&second) && !listed.contains(&first), "{listed}");
    let (_, cursor) = listed.split_once("(more: --cursor ").unwrap();
    let (cursor, _) = cursor.split_once(" reads on").unwrap();
    let rest = pipe.reads(&format!("list --limit 1 --cursor {cursor}")).await;
    assert_eq!(rest["executions"][0]["id"], json!(first));
    let all = pipe.0.does(&["list"]).await;
    assert!(!all.contains("(more:"), "{all}");
    pipe.0.is_refused(&["list", "--limit", "1001"], "from 1 to 1000").await;
}

/// A host that answers the first page of an order and is gone.
async fn gone_after_a_page(answer: &'static str) -> (JoinSet<io::Result<()>>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut answering = JoinSet::new();
    answering.spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        drop(listener);
        let mut request = [0; 4_096];
        let read = stream.read(&mut request).await?;
        assert!(request[..read].starts_with(b"POST /v1/dead-letters/discard"));
        let length = answer.len();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
        stream.write_all(format!("{head}{answer}").as_bytes()).await?;
        stream.shutdown().await
    });
    (answering, format!("http://{address}"))
}

#[tokio::test]
async fn what_was_done_is_told_also_where_the_rest_was_not() {
    const PAGE: &str = r#"{"discarded":2,"ids":["9","8"],"dry_run":false,"next_before":"8"}"#;
    let (mut answering, server) = gone_after_a_page(PAGE).await;
    let words = ["--server", &server, "dlq", "discard-all", "--all", "--json"];

    let output = stepwell().args(words).output().await.unwrap();

    answering.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let [said, told] = [output.stdout, output.stderr].map(|of| String::from_utf8(of).unwrap());
    assert_eq!(
        serde_json::from_str::<Value>(&said).unwrap(),
        serde_json::from_str::<Value>(PAGE).unwrap()
    );
    assert!(told.contains("no stepwell host answers"), "{told}");
}
