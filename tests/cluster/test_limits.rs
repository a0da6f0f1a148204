//! Limits hold across hosts, whoever dies.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use stepwell::model::{Clock as _, SystemClock, Timestamp};
use stepwell_test_witness::jobs::{Job, Load};
use stepwell_test_witness::ledger::Faults;
use stepwell_test_witness::ledger::spans::{self, Span};

use crate::cluster::Cluster;
use crate::storm::{PATIENCE, Storm, now, until};

const HOSTS: usize = 3;
/// What the step `narrow` declares.
const SLOTS: usize = 5;
/// What the step `paced` declares, a second.
const RATE: u64 = 50;
/// By so much, of what a rate says, may have begun more or less.
const OFF: f64 = 0.05;

/// Waits until so many attempts of the step have begun.
async fn begun(step: &str, count: usize) {
    let what = format!("{count} attempts of {step} have begun");
    until(&what, 2 * PATIENCE, || async { (spans::of_step(step).len() >= count).then_some(()) })
        .await;
}

fn sum(count: u64) -> u64 {
    count * (count - 1) / 2
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_six_run_where_five_may_and_none_is_stuck() {
    let mut storm = Storm::begin("limits").await;
    let (executions, kills) = storm.of((10, 2), (40, 8));
    let (mut cluster, _redis) = Cluster::hinted(storm.lease, HOSTS).await;
    let job = |number| {
        Job::of(&format!("narrow-{number}"), "limited", &json!({ "narrow": 100 }), json!(sum(100)))
    };
    let load = Load::begin((0..executions).map(job), HOSTS, &cluster.doors());
    let accepted = load.finish().await;
    let mut deaths: BTreeMap<String, Timestamp> = BTreeMap::new();

    let every = executions * 100 / (kills + 1);
    for kill in 1..=kills {
        begun("narrow", kill * every).await;
        let place = usize::try_from(storm.chance.next(HOSTS as u64)).unwrap();
        let (id, _at) = cluster.kill(place).await;
        deaths.insert(id.clone(), SystemClock::new().now());
        storm.tell(format!("kill {kill}: {id}"));
        cluster.grow(1).await;
    }
    accepted.check(cluster.api()).await;

    let seen = spans::of_step("narrow");
    let most = spans::most_at_once(&seen, &deaths);
    storm.tell(format!("{} attempts, {most} at once at most", seen.len()));
    assert_eq!(most, SLOTS);
    cluster.audit(&storm, &accepted, Faults::Kills).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_call_keeps_its_slot_until_its_guest_is_gone() {
    let storm = Storm::begin("cancelled").await;
    let (executions, cancels) = storm.of((12, 8), (60, 50));
    let (cluster, _redis) = Cluster::hinted(storm.lease, HOSTS).await;
    let (api, input) = (cluster.api(), json!({ "single": { "millis": 400, "times": 3 } }));
    let mut ids = Vec::new();
    for _ in 0..executions {
        ids.push(api.run("limited", input.clone()).await);
    }

    for cancel in 1..=cancels {
        begun("single", cancel).await;
        // Whose call runs now; each way of ending drops it.
        let running = api.get("/v1/tasks?state=running&limit=1").await.body;
        let Some(id) = running["tasks"][0]["execution"].as_str() else { continue };
        let answer = api.cancel(id, json!({ "force": cancel % 2 == 0 })).await;
        storm.tell(format!("cancel {cancel}: {id} {}", answer.status));
    }
    let mut cancelled = 0;
    for id in &ids {
        cancelled += usize::from(api.ended(id).await.state == "cancelled");
    }

    let seen = spans::of_step("single");
    let most = spans::most_at_once(&seen, &BTreeMap::new());
    storm.tell(format!("{} attempts, {cancelled} cancelled, {most} at once at most", seen.len()));
    assert!(cancelled >= cancels / 2, "most cancels came too late");
    assert_eq!(most, 1);
    let nothing = Load::begin([], 1, &cluster.doors()).finish().await;
    cluster.audit(&storm, &nothing, Faults::Kills).await;
}

/// When the one attempt of the step ended.
async fn ended(step: &str) -> Timestamp {
    let look = || async { spans::of_step(step).first().and_then(|span| span.until) };
    until(&format!("the attempt of {step} has ended"), PATIENCE, look).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forced_end_stops_what_another_host_runs_for_it() {
    let storm = Storm::begin("forced").await;
    let (cluster, _redis) = Cluster::far_apart(storm.lease).await;
    let id = cluster.api().run("tarrying", json!(600_000)).await;
    begun("tarry", 1).await;
    // Nobody holds it: whoever takes it up finds that it is to end, and begins no guest.
    cluster.api().until_state(&id, "waiting").await;

    let asked = SystemClock::new().now();
    cluster.api().cancel(&id, json!({ "force": true })).await;
    cluster.api().until_state(&id, "cancelled").await;

    let took = ended("tarry").await.since(asked);
    storm.tell(format!("its guest was gone after {took:.2?}"));
    assert!(took < storm.freed_within(), "{took:?}");
    let nothing = Load::begin([], 1, &cluster.doors()).finish().await;
    cluster.audit(&storm, &nothing, Faults::Kills).await;
}

/// How many began in the time from `from` on.
fn begun_in(seen: &[Span], from: Timestamp, time: Duration) -> usize {
    seen.iter().filter(|span| span.from >= from && span.from < from + time).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_begin_as_the_rate_says() {
    let storm = Storm::begin("rate").await;
    let seconds = storm.of(10, 20);
    let count = RATE * (seconds + 3);
    let (cluster, _redis) = Cluster::hinted(storm.lease, HOSTS).await;
    let job = Job::of("paced", "limited", &json!({ "paced": count }), json!(sum(count)));

    let accepted = Load::begin([job], 1, &cluster.doors()).finish().await;
    accepted.check(cluster.api()).await;

    let seen = spans::of_step("paced");
    let first = seen.iter().map(|span| span.from).min().unwrap();
    let time = Duration::from_secs(seconds);
    let (begun, expected) = (begun_in(&seen, first, time), RATE * seconds);
    let a_second = Duration::from_secs(1);
    let most = seen.iter().map(|span| begun_in(&seen, span.from, a_second)).max().unwrap();
    storm.tell(format!("{begun} began in {seconds} s, {most} in one second at most"));
    #[expect(clippy::cast_precision_loss, reason = "a thousand")]
    let off = (begun as f64 / expected as f64 - 1.0).abs();
    assert!(off <= OFF, "{begun} began in {seconds} s, {expected} should have");
    cluster.audit(&storm, &accepted, Faults::Kills).await;
}

/// From the start to the result of one call for this customer, the median of so many.
async fn latency(cluster: &Cluster, customer: &str, times: usize) -> Duration {
    let mut all = Vec::new();
    for _ in 0..times {
        let one = json!({ "served": { "customer": customer, "number": 1 } });
        let began = now();
        let id = cluster.api().run("limited", one).await;
        assert_eq!(cluster.api().ended(&id).await.value(), 0);
        all.push(began.elapsed());
    }
    all.sort();
    all[times / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_one_key_leaves_another_in_peace() {
    let storm = Storm::begin("flood").await;
    let (times, flood) = storm.of((40, 600), (100, 3_000));
    let (cluster, _redis) = Cluster::hinted(storm.lease, HOSTS).await;
    latency(&cluster, "bob", times / 4).await;
    let undisturbed = latency(&cluster, "bob", times).await;
    let input = json!({ "served": { "customer": "ada", "number": flood } });
    let job = Job::of("flood", "limited", &input, json!(sum(flood)));
    let accepted = Load::begin([job], 1, &cluster.doors()).finish().await;
    begun("served", times + times / 4 + 10).await;

    let disturbed = latency(&cluster, "bob", times).await;

    let waiting = cluster.rows.count("select count(*) from tasks").await;
    storm.tell(format!(
        "alone {undisturbed:.1?}, beside a flood {disturbed:.1?}, {waiting} of which wait still"
    ));
    assert!(waiting > 0, "the flood was over too soon");
    assert!(disturbed <= undisturbed * 2, "{undisturbed:?} has become {disturbed:?}");
    accepted.check(cluster.api()).await;
    cluster.audit(&storm, &accepted, Faults::Kills).await;
}
