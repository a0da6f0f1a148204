//! Commits of which nobody hears how they ended: each is made once or not at all, and what follows knows which.

use std::time::Duration;

use stepwell_test_servers::postgres::Postgres;
use stepwell_test_servers::proxy::Proxy;
use stepwell_test_witness::jobs::{Job, Load};
use stepwell_test_witness::ledger::Faults;

use crate::cluster::Cluster;
use crate::storm::{PATIENCE, Storm, now};

const CLIENTS: usize = 8;
const JOBS: usize = 20_000;
const IN_FLIGHT: i64 = 100;
/// How many of all commits are lost: made, or not.
const REPLIES: f64 = 0.02;
const REQUESTS: f64 = 0.005;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_of_unknown_outcome_lose_nothing_and_do_nothing_twice() {
    let mut storm = Storm::begin("unknown").await;
    let least = storm.of(30, 200);
    let server = Postgres::shared().await;
    let database = server.fresh_database().await;
    let proxy = Proxy::before(server);
    let mut cluster = Cluster::prepare(&server.url(&database), storm.lease).await;
    cluster.flags().database = proxy.url(&database);
    cluster.grow(3).await;
    let load = Load::begin((0..JOBS).map(Job::number), CLIENTS, &cluster.doors());

    proxy.lose_replies(REPLIES, storm.chance.next(u64::from(u32::MAX)));
    proxy.lose_requests(REQUESTS, storm.chance.next(u64::from(u32::MAX)));
    let began = now();
    while proxy.lost().replies < least {
        assert!(began.elapsed() < 3 * PATIENCE, "only {:?} were lost", proxy.lost());
        cluster.keep_busy(&load, IN_FLIGHT, Duration::from_millis(200)).await;
    }
    let lost = proxy.lost();
    proxy.heal().await;
    let accepted = load.end().await;

    storm.tell(format!("{} commits were lost, and {} replies", lost.requests, lost.replies));
    cluster.audit(&storm, &accepted, Faults::Any).await;
}
