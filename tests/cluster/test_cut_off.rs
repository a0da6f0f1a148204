//! A host that is cut off from the database, and does not know of it.

use std::time::Duration;

use stepwell_test_servers::postgres::Postgres;
use stepwell_test_servers::proxy::{Cut, Proxy};
use stepwell_test_witness::jobs::{Job, Load};
use stepwell_test_witness::ledger::Faults;

use crate::cluster::{Cluster, longest};
use crate::storm::{PATIENCE, Storm, now};

const CLIENTS: usize = 8;
const JOBS: usize = 20_000;
/// How long a probe waits for its answer, as in `deploy/`.
const PROBE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_was_cut_off_past_its_lease_writes_nothing_late_and_begins_a_new_life() {
    let storm = Storm::begin("cut off").await;
    let (rounds, in_flight) = storm.of((1, 60), (6, 300));
    let server = Postgres::shared().await;
    let database = server.fresh_database().await;
    let proxy = Proxy::before(server);
    let mut cluster = Cluster::prepare(&server.url(&database), storm.lease).await;
    cluster.grow(2).await;
    cluster.flags().database = proxy.url(&database);
    cluster.grow(1).await;
    let load = Load::begin((0..JOBS).map(Job::number), CLIENTS, &cluster.doors());
    let mut freed = Vec::new();

    for _ in 0..rounds {
        cluster.keep_busy(&load, in_flight, Duration::from_secs(1)).await;
        let life = cluster.rows.life(cluster.hosts[2].name()).await;
        proxy.cut(Cut::Blackhole).await;
        let cut = now();
        tokio::select! {
            time = cluster.rows.freed(life.id.clone(), cut) => freed.push(time),
            () = cluster.keep_busy(&load, in_flight, PATIENCE) => {}
        }
        storm.tell(format!("cut off and buried after {}", longest(&freed)));
        proxy.heal().await;
        let next = cluster.new_life(2, &life).await;
        assert_eq!(next.session, life.session, "it is another process");
    }
    let accepted = load.end().await;

    storm.tell(format!("{rounds} cuts, the work was free within {}", longest(&freed)));
    assert_eq!(freed.len(), rounds);
    assert!(freed.iter().all(|time| *time <= storm.freed_within()), "{freed:?}");
    cluster.audit(&storm, &accepted, Faults::Any).await;
}

/// What a host knows of keys is good for 5 s, and nothing about it may keep a probe waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_cut_off_for_long_answers_its_probes() {
    let storm = Storm::begin("probes").await;
    let server = Postgres::shared().await;
    let database = server.fresh_database().await;
    let proxy = Proxy::before(server);
    let mut cluster = Cluster::prepare(&server.url(&database), storm.lease).await;
    cluster.flags().database = proxy.url(&database);
    cluster.grow(1).await;
    assert!(cluster.api().get("/v1/stats").await.is_ok());

    proxy.cut(Cut::Blackhole).await;
    let cut = now();
    while cut.elapsed() < Duration::from_secs(8) {
        let probe = cluster.api().get("/health");
        let probed = tokio::time::timeout(PROBE, probe).await.expect("a probe is answered");
        assert!(probed.is_ok(), "{probed:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    proxy.heal().await;
}
