//! Work spreads: each host of three does its share of it.

use stepwell_test_servers::postgres::Postgres;
use stepwell_test_witness::jobs::{Job, Load};
use stepwell_test_witness::ledger::{Faults, begun};

use crate::cluster::Cluster;
use crate::storm::Storm;

const HOSTS: usize = 3;
const EXECUTIONS: usize = 256;
const STEPS: u64 = 20;
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
    let server = Postgres::shared().await;
    let url = server.url(&server.fresh_database().await);
    let cluster = Cluster::start(&url, &storm, HOSTS).await;

    let jobs = (0..EXECUTIONS).map(|number| Job::chain(number, STEPS));
    let chains = Load::begin(jobs, HOSTS * 4, &cluster.doors()).finish().await;
    chains.check(cluster.api()).await;
    let of_chains = shares(&cluster, &chains.ids()).await;
    storm.tell(format!("{EXECUTIONS} chains of {STEPS}: {of_chains:.2?}"));

    let is_even = |shares: &[f64]| shares.iter().all(|share| (share - 1.0).abs() <= UNEVEN);
    assert!(is_even(&of_chains), "chains: {of_chains:.2?}");
    cluster.audit(&storm, &chains, Faults::Kills).await;
}
