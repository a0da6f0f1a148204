//! Signals that are sent at the moment of parking. Nobody polls here: a wake-up that is lost is lost for good.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use stepwell::app::{App, Fittings};
use stepwell::config::Config;
use stepwell::model::{Lease, Limits};
use stepwell::worker::Polling;
use stepwell_test_servers::postgres::Postgres;
use stepwell_test_servers::redis::Redis;
use stepwell_test_witness::api::Api;
use stepwell_test_witness::guests;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::seed;
use crate::storm::{PATIENCE, Storm, now};

const CLIENTS: usize = 32;

/// A host in this process that keeps no instance in memory and looks for nothing that nobody hinted at.
async fn open(folder: &Path, url: &str, redis: &str) -> (App, Api) {
    seed::copy_to(&folder.join("cache")).await;
    let limits = Limits { hot_for: Duration::ZERO, hot_max: 400, ..Limits::for_cores(1) };
    let config = Config {
        database: Some(url.to_owned()),
        redis: Some(redis.to_owned()),
        limits,
        cores: 1,
        ..Config::at(folder)
    };
    let fittings = Fittings {
        compiler: seed::PROGRAM.into(),
        polling: Polling::Off,
        ..Fittings::real().unwrap()
    };
    let app = App::start_with(config, fittings).await.unwrap();
    let api = Api::at(app.address().to_string());
    (app, api)
}

/// Starts on one host and signals over another as soon as that is durable, one after the other; says how long the slowest took.
async fn signal_all(left: Arc<AtomicUsize>, apis: [Api; 2], client: usize) -> Duration {
    let mut slowest = Duration::ZERO;
    let take = |left: usize| left.checked_sub(1);
    while let Ok(number) = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
        let (starter, sender) = (&apis[(number + client) % 2], &apis[number % 2]);
        let id = starter.run("signals", json!(1)).await;
        let sent = now();
        sender.signalled(&id, "message", json!(number)).await;
        assert_eq!(starter.ended(&id).await.value(), json!([number]));
        slowest = slowest.max(sent.elapsed());
    }
    slowest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_signal_that_is_sent_at_the_moment_of_parking_is_left_lying() {
    let storm = Storm::begin("parking").await;
    let count = storm.of(500, 10_000);
    let server = Postgres::shared().await;
    let redis = Redis::private().await;
    let url = server.url(&server.fresh_database().await);
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let (one, one_api) = open(folders[0].path(), &url, &redis.url()).await;
    let (two, two_api) = open(folders[1].path(), &url, &redis.url()).await;
    one_api.deploy("misbehaving", guests::wasm("misbehaving")).await;

    let left = Arc::new(AtomicUsize::new(count));
    let began = now();
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (left, apis) = (Arc::clone(&left), [one_api.clone(), two_api.clone()]);
        clients.spawn(signal_all(left, apis, client));
    }
    let slowest =
        tokio::time::timeout(PATIENCE, clients.join_all()).await.expect("none is left lying");

    let slowest = slowest.into_iter().max().unwrap_or_default();
    storm.tell(format!(
        "{count} signals in {:.1?}, the slowest took {slowest:.2?}",
        began.elapsed()
    ));
    assert!(slowest < Lease::default().renew_every(), "{slowest:?}");
    for app in [one, two] {
        app.stop().await;
    }
}
