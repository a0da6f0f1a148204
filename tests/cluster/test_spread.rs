//! Work spreads: each host of three does its share of it.

use serde_json::json;
use stepwell_test_witness::jobs::{Job, Load};
use stepwell_test_witness::ledger::{Faults, begun};

use crate::cluster::Cluster;
use crate::storm::Storm;

const HOSTS: usize = 3;
const EXECUTIONS: usize = 256;
const STEPS: u64 = 20;
const STEPS_AT_ONCE: u64 = 3_000;
/// By so much, of an even share, one may have done more or less.
const UNEVEN: f64 = 0.4;

/// Each host's share of the attempts that were begun, even being 1.
async fn shares(cluster: &Cluster, executions: &[String]) -> Vec<f64> {
    let by_host = begun::by_host(executions);
    let all: usize = by_host.values().sum();
    let mut shares = Vec::new();
    for host in &cluster.hosts {
        let lives = cluster.rows.incarnations(host.name()).await;
        let begun: usize = lives.iter().filter_map(|life| by_host.get(&life.id)).sum();
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        shares.push(begun as f64 * HOSTS as f64 / all as f64);
    }
    shares
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hosts_do_a_third_of_the_work_each() {
    let storm = Storm::begin("spread").await;
    let (cluster, _redis) = Cluster::hinted(storm.lease, HOSTS).await;

    let jobs = (0..EXECUTIONS).map(|number| Job::chain(number, STEPS));
    let chains = Load::begin(jobs, HOSTS * 4, &cluster.doors()).finish().await;
    chains.check(cluster.api()).await;
    let of_chains = shares(&cluster, &chains.ids()).await;
    storm.tell(format!("{EXECUTIONS} chains of {STEPS}: {of_chains:.2?}"));

    // No attempt of these was begun on a host that had the module to load first.
    let wide = [Job::of(
        "wide",
        "wide",
        &json!(STEPS_AT_ONCE),
        json!(STEPS_AT_ONCE * (STEPS_AT_ONCE - 1) / 2),
    )];
    let fan = Load::begin(wide.into_iter(), 1, &cluster.doors()).finish().await;
    fan.check(cluster.api()).await;
    let of_fan = shares(&cluster, &fan.ids()).await;
    storm.tell(format!("{STEPS_AT_ONCE} steps at once: {of_fan:.2?}"));

    let is_even = |shares: &[f64]| shares.iter().all(|share| (share - 1.0).abs() <= UNEVEN);
    assert!(is_even(&of_chains), "chains: {of_chains:.2?}");
    assert!(is_even(&of_fan), "a fan: {of_fan:.2?}");
    cluster.audit(&storm, &chains, Faults::Kills).await;
}
