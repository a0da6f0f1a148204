//! The database is stopped and started again, and once is away for longer than a lease: hosts wait for it, and nobody is
//! declared dead for what is not his fault.

use std::time::Duration;

use serde_json::json;
use stepwell_test_servers::postgres::{Mode, Postgres};
use stepwell_test_witness::jobs::{Job, Load};
use stepwell_test_witness::ledger::Faults;

use crate::cluster::Cluster;
use crate::storm::{Storm, now, pass};

const HOSTS: usize = 3;
const CLIENTS: usize = 8;
const JOBS: usize = 20_000;
/// Workflows that wait in memory all the while, many more than there are connections.
const WAITING: i64 = 200;
const CONNECTIONS: u32 = 3;

/// How long the database serves between two restarts.
fn pause(storm: &mut Storm) -> Duration {
    let (least, most) = storm.of((700, 1_500), (5_000, 40_000));
    storm.between(Duration::from_millis(least), Duration::from_millis(most))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_started_again_and_again_ends_no_host() {
    let mut storm = Storm::begin("restart").await;
    let (least, busy) = storm.of((Duration::from_secs(2), 60), (Duration::from_mins(5), 200));
    let in_flight = WAITING + busy;
    let server = Postgres::private().await;
    let url = server.url(&server.fresh_database().await);
    let mut cluster = Cluster::prepare(&url, storm.lease).await;
    cluster.flags().connections = CONNECTIONS;
    cluster.flags().hot_for = "10m";
    cluster.grow(HOSTS).await;
    let jobs = (0..WAITING).map(|number| {
        Job::of(&format!("waits-{number}"), "signals", &json!(1), json!(["at last"]))
    });
    let waiting = Load::begin(jobs, CLIENTS, &cluster.doors()).finish().await;
    let load = Load::begin((0..JOBS).map(Job::number), CLIENTS, &cluster.doors());

    let (began, mut restarts) = (now(), 0);
    while began.elapsed() < least || restarts < 3 {
        let pause = pause(&mut storm);
        cluster.keep_busy(&load, in_flight, pause).await;
        let mode = if restarts % 2 == 0 { Mode::Immediate } else { Mode::Fast };
        server.restart(mode).await;
        restarts += 1;
        storm.tell(format!("restart {restarts}, {mode:?}, after {pause:?}"));
    }
    cluster.keep_busy(&load, in_flight, Duration::from_secs(1)).await;
    server.stop(Mode::Fast).await;
    let away = storm.lease.length() + Duration::from_secs(2);
    pass(away).await;
    server.start().await;
    storm.tell(format!("the database was away for {away:?}"));
    cluster.keep_busy(&load, in_flight, Duration::from_secs(1)).await;
    for id in waiting.ids() {
        cluster.api().signalled(&id, "message", json!("at last")).await;
    }
    let accepted = load.end().await;

    waiting.check(cluster.api()).await;
    cluster.rows.at_rest().await;
    for host in &mut cluster.hosts {
        assert!(host.runs(), "{} has ended", host.name());
        let lives = cluster.rows.incarnations(host.name()).await;
        assert!(lives.len() == 1 && lives[0].alive, "{}: {lives:?}", host.name());
    }
    storm.tell(format!("{restarts} restarts"));
    cluster.audit(&storm, &accepted, Faults::Any).await;
}
