//! Redis goes and comes back: hints are late meanwhile, and nothing else happens.

use std::time::Duration;

use serde_json::json;
use stepwell_test_servers::postgres::Postgres;
use stepwell_test_servers::redis::Redis;
use stepwell_test_witness::jobs::{Job, Load};
use stepwell_test_witness::ledger::Faults;

use crate::cluster::{Cluster, longest};
use crate::storm::{PATIENCE, Storm, now, until};

const HOSTS: usize = 3;
const CLIENTS: usize = 8;
const JOBS: usize = 20_000;
/// Latencies that are measured at a time. By polling alone each may take seconds.
const COUNT: usize = 10;
/// What a poll finds at the latest, and a busy machine besides.
const BY_POLL: Duration = Duration::from_secs(10);
/// What a hint brings at the latest: well before any poll that has backed off.
const BY_HINT: Duration = Duration::from_secs(1);

/// How long a signal that one host is given takes to another's workflow, and its result to a third.
async fn latency(cluster: &Cluster) -> Duration {
    let [owner, sender, waiter] = [0, 1, 2].map(|place: usize| cluster.hosts[place].api());
    let id = owner.run("signals", json!(1)).await;
    owner.until_recorded(&id, "receive", 1).await;
    let sent = now();
    let (ended, ()) =
        tokio::join!(waiter.ended(&id), sender.signalled(&id, "message", json!("at last")));
    assert_eq!(ended.value(), json!(["at last"]));
    sent.elapsed()
}

async fn latencies(cluster: &Cluster, count: usize) -> Vec<Duration> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(latency(cluster).await);
    }
    all.sort();
    all
}

/// Waits until every host says that of its notifier.
async fn notifiers_are(cluster: &Cluster, what: &str) {
    for host in &cluster.hosts {
        let look = || async {
            let ready = host.api().get("/ready").await;
            (ready.body["notifier"] == what).then_some(())
        };
        until(&format!("the notifier of {} is {what}", host.name()), PATIENCE, look).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_killed_costs_time_and_no_work_and_is_used_again_when_it_is_back() {
    let storm = Storm::begin("redis").await;
    let (rounds, in_flight) = storm.of((1, 20), (5, 100));
    let server = Postgres::shared().await;
    let redis = Redis::private().await;
    let url = server.url(&server.fresh_database().await);
    let mut cluster = Cluster::prepare(&url, storm.lease).await;
    cluster.flags().redis = Some(redis.url());
    cluster.flags().hot_for = "1m";
    cluster.grow(HOSTS).await;
    notifiers_are(&cluster, "redis").await;
    let load = Load::begin((0..JOBS).map(Job::number), CLIENTS, &cluster.doors());
    let under_load = async |measured: &mut Vec<Vec<Duration>>| {
        tokio::select! {
            these = latencies(&cluster, COUNT) => measured.push(these),
            () = cluster.keep_busy(&load, in_flight, 2 * PATIENCE) => {}
        }
    };
    let (mut with, mut without) = (Vec::new(), Vec::new());

    under_load(&mut with).await;
    for _ in 0..rounds {
        redis.kill().await;
        notifiers_are(&cluster, "lost").await;
        under_load(&mut without).await;
        redis.start().await;
        notifiers_are(&cluster, "redis").await;
        under_load(&mut with).await;
    }
    let accepted = load.end().await;

    let median = |times: &Vec<Duration>| times[times.len() / 2];
    for (how, measured) in [("with", &with), ("without", &without)] {
        let medians: Vec<_> = measured.iter().map(median).collect();
        storm.tell(format!(
            "{how} it: {medians:.2?} at the median, {} at most",
            longest(&measured.concat())
        ));
    }
    assert_eq!((with.len(), without.len()), (rounds + 1, rounds));
    assert!(with.iter().map(median).all(|time| time < BY_HINT), "{with:?}");
    assert!(without.concat().iter().all(|time| *time < BY_POLL), "{without:?}");
    cluster.audit(&storm, &accepted, Faults::Kills).await;
}
