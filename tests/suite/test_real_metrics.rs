//! What a host tells of itself at `/metrics`, after work of every kind and under load: in Prometheus's own format, and right.
//! What `promtool` says of it, scripts/check-api asks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;
use stepwell::model::metric::{self, MetricKind};

use tokio::task::JoinSet;

use crate::api::{Api, End};
use crate::guests;
use crate::process::Process;
use crate::test_host::TestHost;

/// A scrape: values by series, and the kinds of families.
#[derive(Debug, Default)]
struct Scrape {
    series: BTreeMap<String, f64>,
    kinds: BTreeMap<String, String>,
}

impl Scrape {
    /// Reads the format, and fails where it is not as Prometheus says: version 0.0.4, in which each family stands in one piece.
    fn read(text: &str) -> Self {
        let mut scrape = Self::default();
        let mut family = String::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                let told = scrape.kinds.insert(name.to_owned(), kind.to_owned());
                assert!(told.is_none(), "{name} is told twice");
                name.clone_into(&mut family);
            } else if !line.starts_with("# HELP ") {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let name = series.split('{').next().unwrap();
                assert!(name.starts_with(&family), "{name} stands below {family}");
                let labels = series.strip_prefix(name).unwrap();
                assert!(labels.is_empty() || are_labels(labels), "{line}");
                let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
                assert!(scrape.series.insert(series.to_owned(), value).is_none(), "{line}");
            }
        }
        scrape
    }

    /// The sum over series of that name whose labels have all of these, in whole numbers.
    #[expect(clippy::cast_possible_truncation, reason = "what is compared is small and whole")]
    fn count(&self, name: &str, labels: &[&str]) -> i64 {
        let of_name = self.series.iter().filter(|(series, _)| {
            let rest =
                series.strip_prefix(name).filter(|rest| rest.is_empty() || rest.starts_with('{'));
            rest.is_some_and(|rest| labels.iter().all(|label| rest.contains(label)))
        });
        of_name.map(|(_, value)| value).sum::<f64>().floor() as i64
    }
}

/// `{name="value",...}`, without anything that would have to be escaped.
fn are_labels(text: &str) -> bool {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    inner.is_some_and(|inner| {
        inner.split("\",").all(|pair| {
            pair.split_once("=\"").is_some_and(|(name, value)| {
                name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
                    && !value.trim_end_matches('"').contains(['"', '\\'])
            })
        })
    })
}

/// What the work below comes to.
const COUNTED: &[(&str, &[&str], i64)] = &[
    ("stepwell_tasks_completed_total", &["step_name=\"echo\"", "kind=\"local\""], 5),
    ("stepwell_tasks_failed_total", &["step_name=\"flaky\"", "retrying=\"true\""], 2),
    ("stepwell_tasks_failed_total", &["step_name=\"hopeless\"", "retrying=\"true\""], 1),
    ("stepwell_tasks_failed_total", &["step_name=\"hopeless\"", "retrying=\"false\""], 1),
    ("stepwell_dead_letters_written_total", &[], 1),
    ("stepwell_dead_letters", &[], 1),
    ("stepwell_tasks_claimed_total", &["step_name=\"narrow\""], 4),
    ("stepwell_schedule_to_start_seconds_count", &["step_name=\"narrow\"", "kind=\"task\""], 4),
    ("stepwell_task_duration_seconds_count", &["step_name=\"echo\""], 5),
    ("stepwell_executions_started_total", &[], 6),
    ("stepwell_executions_ended_total", &["state=\"completed\""], 3),
    ("stepwell_executions_ended_total", &["workflow=\"retried\"", "state=\"failed\""], 1),
    ("stepwell_workflow_fuel_count", &["workflow=\"retried\""], 2),
    ("stepwell_queue_depth", &["queue=\"slow\""], 2),
    ("stepwell_queue_depth", &["queue=\"slow\"", "state=\"running\""], 0),
    ("stepwell_hosts", &[], 1),
    ("stepwell_notifier_connected", &[], 1),
    ("stepwell_commit_failures_total", &[], 0),
    ("stepwell_compile_seconds_count", &[], 1),
];

async fn scrape(process: &Process) -> Scrape {
    Scrape::read(&process.api().text("/metrics").await)
}

#[tokio::test]
async fn what_a_host_counts_is_told_as_prometheus_reads_it() {
    let process = Process::start().await;
    let api = process.api();
    // Each is of its own kind: local steps, a retry, a dead letter, tasks with a limit, one that waits, a queue that is paused.
    assert_eq!(api.run_to_end("chain", json!(5)).await.value(), 10);
    assert_eq!(api.run_to_end("retried", json!({ "flaky": { "failures": 2 } })).await.value(), 3);
    assert_eq!(api.run_to_end("retried", json!("hopeless")).await.kind(), "hopeless");
    let narrow = api.run_to_end("limited", json!({ "narrow": 4 })).await;
    assert_eq!(narrow.value(), 6);
    let waits = api.run("signals", json!(1)).await;
    api.until_state(&waits, "waiting").await;
    api.post("/v1/queues/slow/pause", &json!({})).await;
    let paused = api.run("limited", json!({ "single": { "millis": 1, "times": 2 } })).await;
    api.until(&paused, |execution| execution["tasks"] == 2).await;
    // Compiled here, and nowhere before.
    api.deploy("again", [guests::wasm("misbehaving"), custom_section()].concat()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;

    let told = scrape(&process).await;

    for (name, labels, count) in COUNTED {
        assert_eq!(told.count(name, labels), *count, "{name} {labels:?}");
    }
    for (name, more_than) in [
        ("stepwell_step_fuel_sum", 1_000),
        ("stepwell_workflow_fuel_sum", 1_000),
        ("stepwell_commit_writes_sum", 20),
        ("process_resident_memory_bytes", 1_000_000),
    ] {
        assert!(told.count(name, &[]) > more_than, "{name}");
    }

    // A second scrape counts the first one; by then the lease was renewed, and a workflow parked and woken.
    api.signalled(&waits, "message", json!("go on")).await;
    api.post("/v1/queues/slow/resume", &json!({})).await;
    api.ended(&paused).await;
    api.ended(&waits).await;
    let told = scrape(&process).await;
    let lacking: BTreeSet<_> =
        metric::ALL.iter().filter(|metric| !is_told(&told, metric)).map(|one| one.name).collect();
    assert_eq!(lacking, BTreeSet::new());
    let scrapes =
        told.count("stepwell_http_requests_total", &["route=\"/metrics\"", "status=\"200\""]);
    assert_eq!(scrapes, 1);
    process.audit(&[]).await;
}

fn is_told(told: &Scrape, metric: &metric::Metric) -> bool {
    let (kind, series) = match metric.kind {
        MetricKind::Counter => ("counter", metric.name.to_owned()),
        MetricKind::Gauge => ("gauge", metric.name.to_owned()),
        MetricKind::Histogram(_) => ("histogram", format!("{}_bucket", metric.name)),
    };
    let has_labels =
        |series: &str| metric.labels.iter().all(|label| series.contains(&format!("{label}=\"")));
    let is_one = |name: &String| {
        name.strip_prefix(&series).is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
            && has_labels(name)
    };
    told.kinds.get(metric.name).is_some_and(|of| of == kind) && told.series.keys().any(is_one)
}

/// A custom section that makes another component of the same code.
fn custom_section() -> Vec<u8> {
    let name = b"metrics";
    let mut section = vec![0, 1 + 7 + 1, 7];
    section.extend_from_slice(name);
    section.push(1);
    section
}

/// Executions that run while it is scraped.
const CROWD: usize = 100;

/// Series that only grow: each bucket of a histogram is one, too.
fn only_grow(told: &Scrape) -> impl Iterator<Item = (&String, f64)> {
    let grows = |name: &str| ["_total", "_bucket", "_count"].iter().any(|end| name.ends_with(end));
    let of_ours = told.series.iter().filter(move |(series, _)| {
        let name = series.split('{').next().unwrap_or_default();
        name.starts_with("stepwell_") && grows(name)
    });
    of_ours.map(|(series, value)| (series, *value))
}

/// Every other one waits in memory before it goes on.
async fn one_of_a_crowd(api: Api, number: usize) -> End {
    if number.is_multiple_of(2) {
        return api.run_to_end("chain", json!(1)).await;
    }
    let id = api.run("signals", json!(1)).await;
    api.until_state(&id, "waiting").await;
    api.signalled(&id, "message", json!("go on")).await;
    api.ended(&id).await
}

#[tokio::test]
async fn what_is_told_under_load_is_in_order_and_only_grows() {
    let process = Process::start().await;
    let mut crowd = JoinSet::new();
    for number in 0..CROWD {
        crowd.spawn(one_of_a_crowd(process.api().clone(), number));
    }

    let (mut before, mut busy, mut hot_bytes) = (Scrape::default(), 0, 0);
    while !crowd.is_empty() {
        let told = scrape(&process).await;
        for (series, value) in only_grow(&before) {
            assert!(told.series[series] >= value, "{series} was {value}");
        }
        busy = busy.max(told.count("stepwell_activations", &[]));
        hot_bytes = hot_bytes.max(told.count("stepwell_hot_memory_bytes", &[]));
        before = told;
        while crowd.try_join_next().transpose().unwrap().is_some() {}
    }

    assert!(busy > 1, "a crowd was under way");
    assert!(TestHost::is_never_hot() || hot_bytes > 64 << 10, "{hot_bytes} bytes");
    let told = scrape(&process).await;
    let ended = told.count("stepwell_executions_ended_total", &["state=\"completed\""]);
    assert_eq!(ended, i64::try_from(CROWD).unwrap());
    process.audit(&[]).await;
}

/// Returns when the gauges stand so, in the order of [`GAUGES`].
async fn until_gauges(process: &Process, stand: impl Fn([i64; 3]) -> bool) {
    let mut last = GAUGES.map(|_| -1);
    let reading = async {
        while !stand(last) {
            let told = scrape(process).await;
            last = GAUGES.map(|gauge| told.count(gauge, &[]));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(30), reading).await;
    read.unwrap_or_else(|_late| panic!("{GAUGES:?} stand at {last:?}"));
}

const GAUGES: [&str; 3] =
    ["stepwell_activations", "stepwell_slots_busy", "stepwell_committer_waiting"];

#[tokio::test]
async fn gauges_tell_what_is_so_when_they_are_read() {
    let process = Process::start().await;
    until_gauges(&process, |now| now == [0, 0, 0]).await;

    let id = process.api().run("drawling", json!(6)).await;
    // Where nothing is kept in memory, what waits for a step is nobody's.
    let active = i64::from(!TestHost::is_never_hot());
    until_gauges(&process, |[activations, busy, _]| activations == active && busy == 1).await;
    // What the step says is to be written, and cannot be.
    let held = process.place().hold().await;
    until_gauges(&process, |[_, busy, waiting]| busy == 1 && waiting > 0).await;
    drop(held);

    process.api().ended(&id).await;
    until_gauges(&process, |now| now == [0, 0, 0]).await;
    process.audit(&[]).await;
}

#[tokio::test]
async fn nobody_makes_series_by_asking() {
    let process = Process::start().await;
    for number in 0..50 {
        let path = format!("/no/such/route/{number}");
        assert_eq!(process.api().get(&path).await.status, 404);
        let _refused = process.api().send(&format!("ODD{number}"), "/health", "").await;
    }

    let told = scrape(&process).await;

    let series = told.series.keys().filter(|name| name.starts_with("stepwell_http_requests_total"));
    assert!(series.clone().count() <= 4, "{:?}", series.collect::<Vec<_>>());
    let lost = told.count("stepwell_http_requests_total", &["route=\"none\"", "status=\"404\""]);
    assert_eq!(lost, 50);
}
