//! What many bad clients cost a real host: memory within a bound, and nobody else's time.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::client::{Client, PATIENCE};
use super::process::Process;

/// What a host may hold more of than when it was idle, in MiB. A build without optimisation takes more than a real one.
const GROWTH_MIB_MAX: u64 = 384;

/// Holds a host to be ready and to have grown little, and says how much.
async fn assert_well(host: &Process, what: &str, before_mib: u64) {
    let took = host.assert_ready().await;
    let now_mib = host.resident_mib();
    eprintln!("{what}: ready after {took:?}, {before_mib} MiB before, {now_mib} MiB now");
    assert!(now_mib < before_mib + GROWTH_MIB_MAX, "{what}: {before_mib} MiB, then {now_mib} MiB");
}

async fn idle_mib(host: &Process) -> u64 {
    host.assert_ready().await;
    host.resident_mib()
}

/// As many files as this process may open, but those that other tests need.
fn files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.or(limit.current).unwrap_or(1 << 20);
    setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..limit }).unwrap();
    usize::try_from(most).unwrap().saturating_sub(1_000).max(100)
}

#[tokio::test]
async fn ten_thousand_idle_connections_keep_nobody_out() {
    let host = Process::start().await;
    let before = idle_mib(&host).await;
    let count = files().min(10_200);
    let mut clients = Vec::new();

    for number in 0..count {
        // After a request it may rest for a minute, and nobody reads the answer.
        let request = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
        clients.push(Client::saying(host.address(), request).await);
        if number % 2_000 == 0 {
            host.assert_ready().await;
        }
    }

    assert_well(&host, &format!("{count} idle connections"), before).await;
    let ended = host.metric("stepwell_http_connections_ended_total{reason=\"room\"}").await;
    let open = host.metric("stepwell_http_connections").await;
    eprintln!("open: {open}, made room: {ended}");
    assert!(open <= 10_001.0, "{open}");
    if count > 10_000 {
        assert!(ended > 0.0, "nobody had to make room");
    }
}

#[tokio::test]
async fn bodies_that_stand_still_hold_what_was_sent_and_no_more() {
    let host = Process::start().await;
    let before = idle_mib(&host).await;
    let head =
        "POST /v1/executions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000000\r\n\r\n";
    let begun = format!("{head}{}", " ".repeat(64 << 10));
    let mut clients = Vec::new();

    for _ in 0..1_000 {
        clients.push(Client::saying(host.address(), &begun).await);
    }

    assert_well(&host, "1000 bodies of 60 MB that stand still after 64 KiB", before).await;
}

/// In pieces of a mebibyte, until nobody takes them; returns how many were taken.
async fn send_a_gibibyte(mut writing: OwnedWriteHalf) -> u32 {
    let piece = [b"100000\r\n", &vec![b' '; 1 << 20][..], b"\r\n"].concat();
    let mut sent = 0;
    while sent < 1_024 && writing.write_all(&piece).await.is_ok() {
        sent += 1;
    }
    sent
}

#[tokio::test]
async fn a_body_of_a_gibibyte_is_refused_at_its_limit() {
    let host = Process::start().await;
    let before = idle_mib(&host).await;

    for announced in ["Content-Length: 1073741824", "Transfer-Encoding: chunked"] {
        let head =
            format!("POST /v1/executions HTTP/1.1\r\nHost: localhost\r\n{announced}\r\n\r\n");
        let client = Client::saying(host.address(), &head).await;
        let (mut reading, writing) = client.0.into_split();
        let mut tasks = JoinSet::new();
        tasks.spawn(send_a_gibibyte(writing));
        let mut heard = Vec::new();
        let read = timeout(PATIENCE, reading.read_to_end(&mut heard)).await;
        let _how = read.expect("the host ends the connection");
        let heard = String::from_utf8_lossy(&heard).into_owned();
        let sent = tasks.join_next().await.unwrap().unwrap();

        assert!(heard.starts_with("HTTP/1.1 413"), "{announced}: {heard}");
        assert_well(&host, &format!("1 GiB ({announced}), {sent} MiB sent"), before).await;
    }
}

#[tokio::test]
async fn garbage_is_answered_400_and_the_connection_closed() {
    let host = Process::start().await;
    let before = idle_mib(&host).await;
    let good = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

    for garbage in ["\0\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9\r\n\r\n", "x: y\r\n\r\n"] {
        for _ in 0..100 {
            let mut client = Client::connect(host.address()).await;
            let _how = client.0.write_all(format!("{good}{good}{garbage}{good}").as_bytes()).await;
            let heard = client.hear_out().await;
            assert_eq!(heard.matches("HTTP/1.1 200").count(), 2, "{heard}");
        }
    }

    assert_well(&host, "400 connections of pipelined garbage", before).await;
}

#[tokio::test]
async fn clients_that_go_in_the_middle_leave_nothing() {
    let host = Process::start().await;
    let before = idle_mib(&host).await;
    let head = "POST /v1/executions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{";
    let stream = "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut half_open = Vec::new();

    for number in 0..1_000 {
        let begun = [head, stream][number % 2];
        let mut client = Client::saying(host.address(), begun).await;
        // It says that it will say no more, and stays.
        client.0.shutdown().await.unwrap();
        half_open.push(client);
    }

    assert_well(&host, "1000 half-open clients", before).await;
    for client in half_open {
        client.hear_out().await;
    }
    let left = host.metric("stepwell_http_connections").await;
    assert!(left < 10.0, "{left} connections are still open");
}

#[tokio::test]
async fn json_that_is_nested_too_deep_is_refused() {
    let host = Process::start().await;
    let before = idle_mib(&host).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let address = host.address();
    let deep = format!("{}{}", "[".repeat(400_000), "]".repeat(400_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(150_000), "}".repeat(150_000));
    let id = "00000000-0000-7000-8000-000000000000";

    for deep in [&deep, &objects, &"[".repeat(1 << 20)] {
        for (path, body) in [
            ("/v1/executions".to_owned(), deep.clone()),
            ("/v1/executions".to_owned(), format!("{{\"workflow\":\"w\",\"input\":{deep}}}")),
            ("/v1/executions".to_owned(), format!("{{\"workflow\":\"w\",\"tags\":{deep}}}")),
            (format!("/v1/executions/{id}/signals/s"), deep.clone()),
            (format!("/v1/executions/{id}/cancel"), deep.clone()),
        ] {
            let sent = client.post(format!("{address}{path}")).body(body).send().await.unwrap();
            assert!(sent.status().is_client_error(), "{path}: {sent:?}");
        }
        // Of many, each is answered by itself.
        let many = format!("{{\"executions\":[{{\"workflow\":\"w\",\"input\":{deep}}}]}}");
        let sent = client.post(format!("{address}/v1/executions")).body(many).send().await.unwrap();
        let told = sent.text().await.unwrap();
        assert!(told.contains("payload_depth_max") || told.contains("malformed"), "{told}");
    }

    assert_well(&host, "JSON nested 400000 deep", before).await;
}

#[tokio::test]
async fn a_host_without_files_to_open_still_answers() {
    let host = Process::start_with_files(150).await;
    let mut clients = Vec::new();

    for _ in 0..500 {
        clients.push(Client::connect(host.address()).await);
    }
    host.assert_ready().await;
    let started = reqwest::Client::builder().no_proxy().build().unwrap();
    let started = started.post(format!("{}/v1/executions", host.address()));
    let started = started.body(json!({ "workflow": "none" }).to_string()).send().await.unwrap();

    assert_eq!(started.status().as_u16(), 404);
    let log = host.end().join("\n");
    assert!(log.contains("connections at once, not for 10000 (connections_max)"), "{log}");
}
