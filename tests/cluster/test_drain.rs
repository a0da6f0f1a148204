//! A host is asked to end: its work goes to others at once, and nobody waits for a lease.

use std::time::Duration;

use serde_json::json;
use stepwell::model::Lease;
use stepwell_test_servers::postgres::Postgres;
use stepwell_test_witness::jobs::{Accepted, Job, Load};
use stepwell_test_witness::ledger::{Faults, spans};

use crate::cluster::Cluster;
use crate::storm::{PATIENCE, Storm, now, until};

const CLIENTS: usize = 8;
const JOBS: usize = 20_000;
/// What a process takes to end at most, once it has nothing to wait for.
const AT_ONCE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_host_had_goes_on_elsewhere_before_its_lease_could_end() {
    let storm = Storm::begin("drain").await;
    let (rounds, in_flight) = storm.of((1, 60), (10, 300));
    // A lease that would be missed.
    let lease = Lease::default();
    let (mut cluster, _redis) = Cluster::hinted(lease, 3).await;
    let load = Load::begin((0..JOBS).map(Job::number), CLIENTS, &cluster.doors());

    for _ in 0..rounds {
        cluster.keep_busy(&load, in_flight, Duration::from_secs(1)).await;
        let (id, asked, took) = cluster.drain(0).await;
        cluster.rows.freed(id.clone(), asked).await;
        let left = format!(
            "select count(*) from executions where completed_at is null and id in \
             (select execution_id from trace.entries where owner = uuid_send('{id}'))"
        );
        let look = || async { (cluster.rows.count(&left).await == 0).then(|| asked.elapsed()) };
        let finished = tokio::select! {
            finished = until("what it had is finished", PATIENCE, look) => finished,
            () = cluster.keep_busy(&load, in_flight, PATIENCE) => PATIENCE,
        };
        storm.tell(format!("ended after {took:.2?}, what it had after {finished:.2?}"));
        assert!(finished < lease.length(), "{finished:?}");
        cluster.grow(1).await;
    }
    let accepted = load.end().await;
    cluster.audit(&storm, &accepted, Faults::Kills).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_asked_twice_ends_at_once() {
    let storm = Storm::begin("asked twice").await;
    let server = Postgres::shared().await;
    let url = server.url(&server.fresh_database().await);
    let mut cluster = Cluster::start(&url, &storm, 2).await;
    let life = cluster.rows.life(cluster.hosts[0].name()).await;
    let endless = json!({ "excess": "computing", "in_step": true });
    let id = cluster.api().run("excess_in_workflow", endless).await;
    cluster.api().until_recorded(&id, "call", 1).await;

    let mut host = cluster.hosts.remove(0);
    host.drains().await;
    assert!(host.runs(), "it has not waited for its step");
    host.ask_to_end();
    let asked = now();
    host.ended().await;

    let took = asked.elapsed();
    assert!(took < AT_ONCE, "{took:?}");
    let freed = cluster.rows.freed(life.id, asked).await;
    storm.tell(format!("ended after {took:.2?}, its work was free after {freed:.2?}"));
    assert!(freed <= storm.freed_within(), "{freed:?}");
    assert_eq!(cluster.api().ended(&id).await.kind(), "fuel-exhausted");
    cluster.audit(&storm, &Accepted::default(), Faults::Kills).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_drains_stops_what_is_cancelled_meanwhile() {
    let storm = Storm::begin("cancelled in a drain").await;
    let (mut cluster, _redis) = Cluster::far_apart(storm.lease).await;
    let id = cluster.api().run("tarrying", json!(600_000)).await;
    let look = || async { spans::of_step("tarry").pop() };
    until("its step has begun", PATIENCE, look).await;

    let mut host = cluster.hosts.remove(1);
    host.drains().await;
    assert!(host.runs(), "it has not waited for its step");
    let asked = now();
    cluster.api().cancel(&id, json!({ "force": true })).await;
    assert!(host.ended().await.success());

    let took = asked.elapsed();
    storm.tell(format!("ended {took:.2?} after the cancel"));
    assert!(took < storm.freed_within(), "{took:?}");
    assert_eq!(cluster.api().ended(&id).await.state, "cancelled");
    cluster.audit(&storm, &Accepted::default(), Faults::Kills).await;
}
