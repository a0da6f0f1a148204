//! Hosts die under load, one after the other, and others take their place.

use std::time::Duration;

use stepwell_test_witness::jobs::{Job, Load};
use stepwell_test_witness::ledger::Faults;
use tokio::task::JoinSet;

use crate::cluster::{Cluster, longest};
use crate::storm::Storm;

const HOSTS: usize = 3;
/// Who start executions and send signals, each one after the other.
const CLIENTS: usize = 16;
/// More jobs than any machine does in the time.
const JOBS: usize = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_are_killed_under_load_lose_nothing_and_are_replaced_in_time() {
    let mut storm = Storm::begin("kill").await;
    let (kills, every) = storm.of((3, Duration::from_secs(2)), (12, Duration::from_secs(5)));
    let in_flight = storm.of(100, 500);
    let (mut cluster, _redis) = Cluster::hinted(storm.lease, HOSTS).await;
    let load = Load::begin((0..JOBS).map(Job::number), CLIENTS, &cluster.doors());
    let mut freed = JoinSet::new();

    for kill in 1..=kills {
        cluster.keep_busy(&load, in_flight, every).await;
        let place = usize::try_from(storm.chance.next(HOSTS as u64)).unwrap();
        let unfinished = cluster.rows.unfinished().await;
        let (id, at) = cluster.kill(place).await;
        storm.tell(format!("kill {kill}: {id}, with {unfinished} executions under way"));
        let rows = cluster.rows.clone();
        freed.spawn(async move { rows.freed(id, at).await });
        cluster.grow(1).await;
    }
    let accepted = load.end().await;
    let freed = freed.join_all().await;

    let slowest = longest(&freed);
    storm.tell(format!("{kills} kills, the work of each was free within {slowest}"));
    assert!(freed.iter().all(|time| *time <= storm.freed_within()), "{freed:?}");
    cluster.audit(&storm, &accepted, Faults::Kills).await;
}
