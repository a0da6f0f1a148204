//! HTTP/2, without TLS by prior knowledge.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use stepwell::model::{DoorLimits, Limits};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::client::{Client, PATIENCE};
use crate::front::Front;

type Sender = SendRequest<Empty<Bytes>>;

/// A connection, which ends when the set does.
async fn connect(front: &Front, tasks: &mut JoinSet<hyper::Result<()>>) -> Sender {
    let address = front.address().trim_start_matches("http://");
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tasks.spawn(connection);
    sender
}

async fn read(sender: &mut Sender, front: &Front, path: &str) -> (u16, String) {
    let uri = format!("{}{path}", front.address());
    let request = Request::get(uri).body(Empty::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test]
async fn many_requests_are_answered_over_one_connection_at_once() {
    let mut front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let snapshot = front.start_owned("checkout").await;
    let mut tasks = JoinSet::new();
    let mut waiting = connect(&front, &mut tasks).await;
    let mut quick = waiting.clone();
    let path = format!("/v1/executions/{}/result?wait=60s", snapshot.execution.id);

    let ((status, _), ()) = tokio::join!(read(&mut waiting, &front, &path), async {
        for _ in 0..200 {
            assert_eq!(read(&mut quick, &front, "/health").await.0, 200);
        }
        front.end(&snapshot, "1").await;
    });

    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_connection_that_rests_is_closed() {
    let short = Duration::from_millis(200);
    let door = DoorLimits { idle_timeout: short, linger: short, ..DoorLimits::default() };
    let front = Front::with_limits(Limits { door, ..Limits::for_cores(1) }).await;
    let mut tasks = JoinSet::new();
    let mut sender = connect(&front, &mut tasks).await;
    assert_eq!(read(&mut sender, &front, "/health").await.0, 200);

    let ended = timeout(PATIENCE, tasks.join_next()).await.expect("the host closes it");

    assert!(ended.is_some());
    assert!(sender.is_closed());
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), content].concat()
}

const NEVER: Duration = Duration::from_secs(3_600);

/// Where nothing ends but by what a test makes short.
async fn patient_front(door: DoorLimits) -> Front {
    let door = DoorLimits { header_timeout: NEVER, idle_timeout: NEVER, ping_every: NEVER, ..door };
    Front::with_limits(Limits { door, ..Limits::for_cores(1) }).await
}

/// Asks for that, and leaves no room for the answer: streams begin with none at all.
async fn stalled(front: &Front, path: &str) -> Client {
    stalled_after(front, path, 0).await
}

/// The same with room for so many bytes.
async fn stalled_after(front: &Front, path: &str, bytes: u8) -> Client {
    let mut client = Client::saying(front.address(), PREFACE).await;
    client.0.write_all(&frame(4, 0, 0, &[0, 4, 0, 0, 0, bytes])).await.unwrap();
    client.0.write_all(&frame(1, 5, 1, &get(path))).await.unwrap();
    client
}

const PREFACE: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The headers of a request to localhost.
fn get(path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    [&[0x82, 0x86, 0x04, length], path.as_bytes(), &[0x01, 9], b"localhost"].concat()
}

#[tokio::test]
async fn whoever_leaves_no_room_for_an_answer_is_cut_off() {
    let write_timeout = Duration::from_millis(200);
    let front = patient_front(DoorLimits { write_timeout, ..DoorLimits::default() }).await;

    stalled(&front, "/openapi.json").await.hear_out().await;
    // Also where the answer is short, and there is room for its beginning.
    for path in ["/openapi.json", "/health"] {
        stalled_after(&front, path, 1).await.hear_out().await;
    }

    assert_eq!(front.read("/health").await.status.as_u16(), 200);
}

#[tokio::test]
async fn whoever_takes_nothing_of_his_answer_makes_room_for_others() {
    let limits = DoorLimits { connections_max: 2, write_timeout: NEVER, ..DoorLimits::default() };
    let front = patient_front(limits).await;
    let clients = [stalled(&front, "/openapi.json").await, stalled(&front, "/login").await];

    let let_in = timeout(PATIENCE, async {
        while front.request(reqwest::Method::GET, "/health").send().await.is_err() {}
    });
    let_in.await.expect("one of them goes");

    let [first, _second] = clients;
    first.hear_out().await;
}

/// The attack of 2023: requests that are taken back as soon as they are sent.
#[tokio::test]
async fn whoever_takes_back_what_he_asks_for_is_cut_off() {
    let front = patient_front(DoorLimits { write_timeout: NEVER, ..DoorLimits::default() }).await;
    let mut client = Client::saying(front.address(), PREFACE).await;
    client.0.write_all(&frame(4, 0, 0, &[])).await.unwrap();

    let cut_off = timeout(PATIENCE, async {
        let mut stream = 1;
        let asked =
            |stream| [frame(1, 5, stream, &get("/")), frame(3, 0, stream, &[0, 0, 0, 8])].concat();
        while client.0.write_all(&asked(stream)).await.is_ok() {
            stream += 2;
        }
    });

    cut_off.await.expect("the host ends the connection");
    assert_eq!(front.read("/health").await.status.as_u16(), 200);
}
