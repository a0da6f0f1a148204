//! Calls of one step with one input, on all hosts at once: one attempt answers them all.

use serde_json::json;
use stepwell_test_witness::jobs::{Accepted, Job, Load};
use stepwell_test_witness::ledger::{Faults, begun};

use crate::cluster::Cluster;
use crate::storm::Storm;

const HOSTS: usize = 3;
const CLIENTS: usize = 24;
const EXECUTIONS: usize = 240;
const WORDS: usize = 4;

/// Many executions that ask for few words, all at once.
fn questions(round: &'static str) -> impl Iterator<Item = Job> {
    (0..EXECUTIONS).map(move |number| {
        let question = json!({ "once": format!("{round}-{}", number % WORDS) });
        Job::of(&format!("{round}-{number}"), "asking", &question, json!(0))
    })
}

/// How many results those attempts have brought that came to their end.
async fn brought(cluster: &Cluster) -> i64 {
    cluster
        .rows
        .count("select coalesce(sum(value), 0)::bigint from counters where name = 'ran'")
        .await
}

async fn finish(cluster: &Cluster, load: Load) -> Accepted {
    let accepted = load.finish().await;
    accepted.check(cluster.api()).await;
    accepted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_attempt_in_the_cluster_answers_every_call_of_one_input() {
    let mut storm = Storm::begin("results").await;
    let (mut cluster, _redis) = Cluster::hinted(storm.lease, HOSTS).await;
    let words = i64::try_from(WORDS).unwrap();

    let calm = Load::begin(questions("calm"), CLIENTS, &cluster.doors());
    let calm = finish(&cluster, calm).await;
    let attempts: usize = begun::by_host(&calm.ids()).values().sum();
    storm.tell(format!("{EXECUTIONS} calls with {WORDS} inputs: {attempts} attempts"));
    assert_eq!(attempts, WORDS);
    assert_eq!(brought(&cluster).await, words);

    // A host dies in the midst of it: an attempt may be made again, and still one result answers all.
    let wild = Load::begin(questions("wild"), CLIENTS, &cluster.doors());
    wild.allow(EXECUTIONS / 2);
    let place = usize::try_from(storm.chance.next(HOSTS as u64)).unwrap();
    let (id, at) = cluster.kill(place).await;
    cluster.rows.freed(id, at).await;
    let wild = finish(&cluster, wild).await;
    storm.tell(format!("with a host killed: {:?} attempts", begun::by_host(&wild.ids())));
    assert_eq!(brought(&cluster).await, 2 * words);
    cluster.audit(&storm, &wild, Faults::Kills).await;
}
