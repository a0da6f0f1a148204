//! Hosts that sleep for longer than their lease, and wake: whatever they still believe, nothing of it is written.

use std::time::Duration;

use stepwell_test_servers::postgres::Postgres;
use stepwell_test_witness::jobs::{Job, Load};
use stepwell_test_witness::ledger::Faults;

use crate::cluster::{Cluster, longest};
use crate::storm::{PATIENCE, Storm, now};

const CLIENTS: usize = 8;
const JOBS: usize = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_sleeps_past_its_lease_writes_nothing_more_and_begins_a_new_life() {
    let mut storm = Storm::begin("zombie").await;
    let (rounds, in_flight) = storm.of((1, 60), (8, 300));
    let server = Postgres::shared().await;
    let url = server.url(&server.fresh_database().await);
    let cluster = Cluster::start(&url, &storm, 3).await;
    let load = Load::begin((0..JOBS).map(Job::number), CLIENTS, &cluster.doors());
    let mut freed = Vec::new();

    for _ in 0..rounds {
        cluster.keep_busy(&load, in_flight, Duration::from_secs(1)).await;
        let place = usize::try_from(storm.chance.next(3)).unwrap();
        let host = &cluster.hosts[place];
        let life = cluster.rows.life(host.name()).await;
        host.freeze();
        let frozen = now();
        let taken_over = cluster.rows.freed(life.id.clone(), frozen);
        let busy = cluster.keep_busy(&load, in_flight, PATIENCE);
        tokio::select! {
            time = taken_over => freed.push(time),
            () = busy => panic!("{} is not buried", host.name()),
        }
        storm.tell(format!(
            "{} slept for {:.2} s and was buried",
            host.name(),
            frozen.elapsed().as_secs_f64()
        ));
        host.thaw();
        let next = cluster.new_life(place, &life).await;
        assert_eq!(next.session, life.session, "it is another process");
    }
    let accepted = load.end().await;

    storm.tell(format!("{rounds} sleeps, the work was free within {}", longest(&freed)));
    assert!(freed.iter().all(|time| *time <= storm.freed_within()), "{freed:?}");
    cluster.audit(&storm, &accepted, Faults::Any).await;
}
