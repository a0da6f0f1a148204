//! Each bound of the door, made short.

use std::time::Duration;

use serde_json::json;
use stepwell::model::{DoorLimits, Limits};
use tokio::io::AsyncWriteExt;
use tokio::time::{interval, timeout};

use super::client::{Client, PATIENCE};
use crate::front::Front;
use crate::house;

const SHORT: Duration = Duration::from_millis(200);
/// Longer than any test waits.
const NEVER: Duration = Duration::from_secs(3_600);

const REQUEST: &str = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Where nothing ends but by what a test makes short.
fn patient() -> DoorLimits {
    DoorLimits {
        header_timeout: NEVER,
        idle_timeout: NEVER,
        body_idle_timeout: NEVER,
        body_timeout: NEVER,
        write_timeout: NEVER,
        linger: SHORT,
        ..DoorLimits::default()
    }
}

async fn front(door: DoorLimits) -> Front {
    Front::with_limits(Limits { door, ..Limits::for_cores(1) }).await
}

async fn assert_well(front: &Front) {
    let answer = timeout(PATIENCE, front.read("/health")).await.expect("an answer in time");
    assert_eq!(answer.status.as_u16(), 200);
}

#[tokio::test]
async fn whoever_says_nothing_or_half_a_head_is_cut_off() {
    let front = front(DoorLimits { header_timeout: SHORT, ..patient() }).await;

    for begun in ["", "G", "GET /health HTTP/1.1\r\nHost: loc", "PRI * HTTP/2.0\r\n\r\nSM"] {
        let client = Client::saying(front.address(), begun).await;
        assert_well(&front).await;
        assert_eq!(client.hear_out().await, "", "{begun:?}");
    }
}

#[tokio::test]
async fn a_slow_head_is_cut_off_also_where_others_came_before() {
    let front = front(DoorLimits { header_timeout: SHORT, ..patient() }).await;
    let mut client = Client::saying(front.address(), REQUEST).await;
    assert!(client.hear().await.starts_with("HTTP/1.1 200"));

    client.say("GET /health HTTP/1.1\r\n").await;

    assert_eq!(client.hear_out().await, "");
}

#[tokio::test]
async fn a_connection_without_requests_is_closed_after_a_while_and_not_before() {
    let front = front(DoorLimits { idle_timeout: SHORT, ..patient() }).await;
    let mut client = Client::saying(front.address(), REQUEST).await;
    let mut ticks = interval(SHORT / 4);

    for _ in 0..8 {
        assert!(client.hear().await.starts_with("HTTP/1.1 200"));
        ticks.tick().await;
        client.say(REQUEST).await;
    }

    assert!(client.hear_out().await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn whoever_waits_for_a_result_is_not_idle() {
    let short = DoorLimits { header_timeout: SHORT, idle_timeout: SHORT, ..patient() };
    let mut front = front(short).await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let snapshot = front.start_owned("checkout").await;
    let path = format!("/v1/executions/{}/result?wait=1s", snapshot.execution.id);

    let told = front.read(&path).await;

    assert_eq!((told.status.as_u16(), told.text.as_str()), (202, r#"{"state":"running"}"#));
}

#[tokio::test]
async fn a_body_that_stands_still_is_answered_408_and_the_connection_closed() {
    let front = front(DoorLimits { body_idle_timeout: SHORT, ..patient() }).await;
    let head = "POST /v1/executions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{";

    let client = Client::saying(front.address(), head).await;
    assert_well(&front).await;
    let heard = client.hear_out().await;

    assert!(heard.starts_with("HTTP/1.1 408"), "{heard}");
    assert!(heard.to_lowercase().contains("connection: close"), "{heard}");
    assert!(heard.contains("urn:stepwell:problem:too-slow"), "{heard}");
    assert!(heard.contains("body_idle_timeout"), "{heard}");
}

#[tokio::test]
async fn a_body_that_trickles_has_a_time_as_a_whole() {
    let front = front(DoorLimits { body_timeout: SHORT, ..patient() }).await;
    let head = "POST /v1/executions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n";
    let mut client = Client::saying(front.address(), head).await;
    let mut ticks = interval(SHORT / 10);

    let mut heard = Vec::new();
    while client.0.try_read_buf(&mut heard).is_err() {
        ticks.tick().await;
        // The host may be gone in between.
        let _how = client.0.write_all(b" ").await;
    }
    let heard = String::from_utf8(heard).unwrap() + &client.hear_out().await;

    assert!(heard.starts_with("HTTP/1.1 408"), "{heard}");
    assert!(heard.contains("body_timeout"), "{heard}");
}

#[tokio::test]
async fn whoever_takes_nothing_of_what_he_asked_for_is_cut_off() {
    let front = front(DoorLimits { write_timeout: SHORT, ..patient() }).await;
    let mut client = Client::connect(front.address()).await;
    let requests = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);

    let cut_off =
        timeout(PATIENCE, async { while client.0.write_all(requests.as_bytes()).await.is_ok() {} });

    cut_off.await.expect("the host goes");
    assert_well(&front).await;
}

#[tokio::test]
async fn where_there_is_no_room_the_longest_idle_connection_goes() {
    let front = front(DoorLimits { connections_max: 3, ..patient() }).await;
    let first = Client::connect(front.address()).await;
    let mut others = [
        Client::saying(front.address(), REQUEST).await,
        Client::saying(front.address(), REQUEST).await,
    ];
    for other in &mut others {
        assert!(other.hear().await.starts_with("HTTP/1.1 200"));
    }

    assert_well(&front).await;

    assert_eq!(first.hear_out().await, "");
    for other in &mut others {
        other.say(REQUEST).await;
        assert!(other.hear().await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn where_everybody_is_busy_nobody_more_is_let_in_until_somebody_goes() {
    let front = front(DoorLimits { connections_max: 1, ..patient() }).await;
    let head = "POST /v1/executions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{";
    let busy = Client::saying(front.address(), head).await;
    while front.door.requests() == 0 {
        tokio::task::yield_now().await;
    }

    let refused = Client::connect(front.address()).await.hear_out().await;
    drop(busy);

    assert_eq!(refused, "");
    timeout(PATIENCE, async {
        while front.request(reqwest::Method::GET, "/health").send().await.is_err() {}
    })
    .await
    .expect("there is room again");
}

#[tokio::test]
async fn bodies_have_so_much_room_together() {
    let front = front(DoorLimits { bodies_bytes_max: 1_000, ..patient() }).await;
    let head = "POST /v1/executions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000\r\n\r\n";
    let large = Client::saying(front.address(), &format!("{head}{}", " ".repeat(900))).await;
    let order = json!({ "workflow": "checkout", "input": "x".repeat(200) }).to_string();

    let mut put_off = front.post("/v1/executions", order.clone()).await;
    let has_come_in = timeout(PATIENCE, async {
        while put_off.status.as_u16() != 503 {
            put_off = front.post("/v1/executions", order.clone()).await;
        }
    });
    has_come_in.await.expect("the first one has come in");
    assert_eq!(put_off.json()["limit"], "bodies_bytes_max");
    drop(large);

    let taken = timeout(PATIENCE, async {
        while front.post("/v1/executions", order.clone()).await.status.as_u16() != 404 {}
    });
    taken.await.expect("there is room again");
}

#[tokio::test]
async fn bodies_take_room_until_they_have_been_acted_on() {
    let front = front(DoorLimits { bodies_bytes_max: 3_000, ..patient() }).await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let order = json!({ "workflow": "checkout", "input": "x".repeat(2_000) }).to_string();
    let start = || front.request(reqwest::Method::POST, "/v1/executions").body(order.clone());
    let mut outside = house::outside(front.data()).await;
    let held = sqlx::query("begin immediate");
    held.execute(&mut outside).await.unwrap();

    // The first of them waits for the database, and goes on where its client does not.
    let put_off = timeout(PATIENCE, async {
        let mut answer = timeout(SHORT, front.send(start())).await;
        while answer.is_err() {
            answer = timeout(SHORT, front.send(start())).await;
        }
        answer
    });
    let put_off = put_off.await.expect("what has come in takes room").expect("an answer");
    assert_eq!(put_off.status.as_u16(), 503, "{put_off:?}");
    assert_eq!(put_off.json()["limit"], "bodies_bytes_max");
    let given_up = sqlx::query("rollback");
    given_up.execute(&mut outside).await.unwrap();

    let made = timeout(PATIENCE, async { while front.count().await == 0 {} });
    made.await.expect("the first one was acted on");
    assert_eq!(front.send(start()).await.status, 201);
}

#[tokio::test]
async fn so_many_requests_are_under_way_at_once() {
    let front = front(DoorLimits { requests_max: 2, ..patient() }).await;
    let stream = || front.request(reqwest::Method::GET, "/v1/events").send();
    let streams = [stream().await.unwrap(), stream().await.unwrap()];

    let put_off = front.read("/health").await;
    assert_eq!((put_off.status.as_u16(), &put_off.json()["limit"]), (503, &json!("requests_max")));
    drop(streams);

    let taken =
        timeout(PATIENCE, async { while front.read("/health").await.status.as_u16() != 200 {} });
    taken.await.expect("there is room again");
}

#[tokio::test]
async fn answers_have_so_much_room_together() {
    let front = front(DoorLimits { answers_bytes_max: 5_000, ..patient() }).await;

    for _ in 0..10 {
        let put_off = front.read("/openapi.json").await;
        assert_eq!(put_off.status.as_u16(), 503);
        assert_eq!(put_off.json()["limit"], "answers_bytes_max");
        assert_well(&front).await;
    }
}

#[tokio::test]
async fn what_a_change_came_to_is_told_however_little_room_there_is() {
    let front = front(DoorLimits { answers_bytes_max: 0, ..patient() }).await;
    let nothing = json!({ "workflow": "none" });
    let many = json!({ "executions": vec![nothing; 100] }).to_string();

    let told = front.post("/v1/executions", many).await;

    assert!(told.text.len() > 8_000 && told.status.as_u16() != 503, "{told:?}");
    assert_eq!(front.read("/openapi.json").await.status.as_u16(), 503);
}

#[tokio::test]
async fn an_answer_is_compressed_whole_before_any_of_it_goes_out() {
    let front = Front::open().await;
    let request = front.request(reqwest::Method::GET, "/openapi.json");

    let answer = request.header("accept-encoding", "zstd").send().await.unwrap();

    assert_eq!(answer.headers()["content-encoding"], "zstd");
    let length: usize = answer.headers()["content-length"].to_str().unwrap().parse().unwrap();
    assert_eq!(answer.bytes().await.unwrap().len(), length);
}

#[tokio::test]
async fn so_many_changes_are_made_at_once() {
    let front = front(DoorLimits { changes_max: 1, ..patient() }).await;
    let head = "POST /v1/executions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{";
    let slow = Client::saying(front.address(), head).await;
    while front.door.requests() < 2 {
        tokio::task::yield_now().await;
    }

    let put_off = front.post("/v1/queues/q/pause", "").await;
    assert_eq!((put_off.status.as_u16(), &put_off.json()["limit"]), (503, &json!("changes_max")));
    assert_well(&front).await;
    drop(slow);

    let taken = timeout(PATIENCE, async {
        while front.post("/v1/queues/q/pause", "").await.status.as_u16() == 503 {}
    });
    taken.await.expect("there is room again");
}

#[tokio::test]
async fn heads_that_are_too_long_or_have_too_many_headers_are_refused() {
    let limits = DoorLimits { header_bytes_max: 16 << 10, headers_max: 20, ..patient() };
    let front = front(limits).await;
    let long = format!("GET /health HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(32 << 10));
    let many = format!("GET /health HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(21));

    for head in [long, many] {
        let mut client = Client::connect(front.address()).await;
        // It may be refused before all of it is said.
        let _how = client.0.write_all(head.as_bytes()).await;
        let heard = client.hear_out().await;
        assert!(heard.starts_with("HTTP/1.1 431") || heard.is_empty(), "{heard}");
    }
    assert_well(&front).await;
}
