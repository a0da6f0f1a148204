//! A journal as it grows, over server-sent events.

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use stepwell::model::Limits;
use stepwell::store::Snapshot;

use crate::front::{Front, nobody};

/// One event, as a client reads it.
#[derive(Debug, PartialEq)]
struct Event {
    id: Option<u64>,
    name: String,
    data: Value,
}

/// A client that follows a journal.
struct Reader {
    response: Response,
    text: String,
}

impl Reader {
    async fn open(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event; none where the stream has ended.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let event = self.text.drain(..end + 2).collect::<String>();
                return Some(parse(&event));
            }
            let chunk = self.response.chunk().await.expect("the stream does not break off")?;
            self.text.push_str(str::from_utf8(&chunk).expect("UTF-8"));
        }
    }

    /// The kinds of the events that come next.
    async fn names(&mut self, count: usize) -> Vec<String> {
        let mut names = Vec::new();
        while names.len() < count {
            names.push(self.next().await.expect("another event").name);
        }
        names
    }
}

fn parse(event: &str) -> Event {
    let field = |name| event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let data = serde_json::from_str(field("data: ")).expect("JSON");
    Event { id: field("id: ").parse().ok(), name: field("event: ").to_owned(), data }
}

/// A front with an execution that it owns, and where its journal is told.
async fn owned() -> (Front, Snapshot, String) {
    let mut front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let snapshot = front.start_owned("checkout").await;
    let path = format!("/v1/executions/{}", snapshot.execution.id);
    (front, snapshot, path)
}

#[tokio::test]
async fn entries_are_told_as_they_are_written_and_the_end_is_told_at_last() {
    let (front, snapshot, path) = owned().await;
    let mut reader = Reader::open(front.request(Method::GET, &format!("{path}/events"))).await;

    assert_eq!(reader.names(1).await, ["started"], "what was there before");
    front.note(&snapshot, 2).await;
    assert_eq!(reader.names(1).await, ["noted"], "what comes");
    front.end_at(&snapshot, 3, "{ \"r\":1.0,\r\n\"s\":2}").await;
    let last = reader.next().await.expect("its last entry");
    let end = reader.next().await;

    let journal = front.read(&format!("{path}/journal")).await.json();
    assert_eq!(
        last,
        Event { id: Some(3), name: "ended".into(), data: journal["entries"][2].clone() }
    );
    let state = json!({ "state": "completed" });
    assert_eq!(end, Some(Event { id: None, name: "end".into(), data: state }));
    assert_eq!(reader.next().await, None);
}

#[tokio::test]
async fn a_client_that_comes_again_is_told_what_it_has_not_seen() {
    let (front, snapshot, path) = owned().await;
    let many = 50;
    for seq in 2..=many {
        front.note(&snapshot, seq).await;
    }
    front.end_at(&snapshot, many + 1, "null").await;
    let events = front.request(Method::GET, &format!("{path}/events?after=48"));

    let mut reader = Reader::open(events.try_clone().expect("it has no body")).await;
    assert_eq!(reader.names(4).await, ["noted", "noted", "ended", "end"]);
    let mut reader = Reader::open(events.header("last-event-id", "50")).await;
    assert_eq!(reader.names(2).await, ["ended", "end"], "the header goes before the query");
    let mut reader = Reader::open(front.request(Method::GET, &format!("{path}/events"))).await;
    let mut ids = Vec::new();
    while let Some(event) = reader.next().await {
        ids.extend(event.id);
    }
    assert_eq!(ids, (1..=51).collect::<Vec<_>>(), "more than one page of them");
}

#[tokio::test]
async fn where_nobody_hints_a_poll_finds_what_was_written() {
    let (front, snapshot, path) = owned().await;
    let mut reader = Reader::open(front.request(Method::GET, &format!("{path}/events"))).await;
    assert_eq!(reader.names(1).await, ["started"]);

    front.note_in_silence(&snapshot, 2).await;

    assert_eq!(reader.names(1).await, ["noted"]);
}

#[tokio::test]
async fn a_door_that_closes_ends_what_is_told() {
    let (front, _snapshot, path) = owned().await;
    let mut reader = Reader::open(front.request(Method::GET, &format!("{path}/events"))).await;
    assert_eq!(reader.names(1).await, ["started"]);

    front.door.close();

    assert_eq!(reader.next().await, None);
}

#[tokio::test]
async fn no_more_are_told_at_once_than_the_limit_allows() {
    let front = Front::with_limits(Limits { followers_max: 1, ..Limits::for_cores(1) }).await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let id = front.start(json!({ "workflow": "checkout" })).await;
    let path = format!("/v1/executions/{id}/events");
    let first = Reader::open(front.request(Method::GET, &path)).await;

    let second = front.read(&path).await;

    let told = second.problem(503, "unavailable");
    assert!(told.contains("followers_max"), "{told}");
    drop(first);
    // The connection of the first is dropped when its host next writes to it, or sees that it is closed.
    while front.request(Method::GET, &path).send().await.expect("an answer").status() != 200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_cannot_be_followed_is_refused_before_anything_is_told() {
    let (front, _snapshot, path) = owned().await;
    let events = |path: &str| front.request(Method::GET, path);

    let unknown = front.read(&format!("/v1/executions/{}/events", nobody())).await;
    unknown.problem(404, "unknown-execution");
    let told =
        front.read(&format!("{path}/events?limit=3")).await.problem(400, "malformed-request");
    assert!(told.contains("limit"), "{told}");
    let odd = events(&format!("{path}/events")).header("last-event-id", "x");
    let told = front.send(odd).await.problem(400, "malformed-request");
    assert!(told.contains("Last-Event-ID"), "{told}");
}
