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

/// Where nothing ends but by what a test makes short.
async fn patient_front(write_timeout: Duration) -> Front {
    let never = Duration::from_secs(3_600);
    let door = DoorLimits {
        header_timeout: never,
        idle_timeout: never,
        write_timeout,
        ping_every: never,
        ..DoorLimits::default()
    };
    Front::with_limits(Limits { door, ..Limits::for_cores(1) }).await
}

const PREFACE: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The headers of a request to localhost.
fn get(path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    [&[0x82, 0x86, 0x04, length], path.as_bytes(), &[0x01, 9], b"localhost"].concat()
}

#[tokio::test]
async fn whoever_leaves_no_room_for_an_answer_is_cut_off() {
    let front = patient_front(Duration::from_millis(200)).await;
    let mut client = Client::saying(front.address(), PREFACE).await;

    // Streams begin with no room at all.
    client.0.write_all(&frame(4, 0, 0, &[0, 4, 0, 0, 0, 0])).await.unwrap();
    client.0.write_all(&frame(1, 5, 1, &get("/openapi.json"))).await.unwrap();

    client.hear_out().await;
    assert_eq!(front.read("/health").await.status.as_u16(), 200);
}

/// The attack of 2023: requests that are taken back as soon as they are sent.
#[tokio::test]
async fn whoever_takes_back_what_he_asks_for_is_cut_off() {
    let front = patient_front(Duration::from_secs(3_600)).await;
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
