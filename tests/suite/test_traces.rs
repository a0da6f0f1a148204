//! Traces, as a collector hears of them: a real host sends them by OTLP, is killed, and goes on.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Metric, number_data_point};
use serde_json::{Value, json};
use stepwell::model::metric;
use tempfile::TempDir;

use crate::api::Api;
use crate::collector::{Collector, Told};
use crate::guests;
use crate::served::{self, Served};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const ASKING: &str = "00f067aa0ba902b7";

const POLICY: &str = r#"
    grant = { http = ["http://public.test:*"] }
    [http]
    private = ["http://public.test:*"]
    resolve = { "public.test" = "127.0.0.1" }
"#;

/// A host that tells its spans to a collector of that port, and what it counts each second.
async fn serve(folder: &Path, collector_port: u16) -> Served {
    serve_counting(folder, collector_port, "1s").await
}

/// The same; it takes work of one queue, and says what it counts that often.
async fn serve_counting(folder: &Path, collector_port: u16, every: &str) -> Served {
    let policy = folder.join("policy.toml");
    std::fs::write(&policy, POLICY).unwrap();
    let mut command = served::command(folder);
    command
        .arg("--policy")
        .arg(policy)
        .args(["--otlp-endpoint", &format!("http://127.0.0.1:{collector_port}")])
        .args(["--otlp-metrics-every", every, "--queue", "default"])
        .env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20secret")
        .env("OTEL_SERVICE_NAME", "shop");
    Served::start(command).await.unwrap()
}

/// Starts a workflow in that trace.
async fn start_in(api: &Api, traceparent: &str, workflow: &str, input: &Value) -> String {
    let asked = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = asked
        .post(format!("http://{}/v1/executions", api.address()))
        .header("traceparent", traceparent)
        .header("content-type", "application/json")
        .body(json!({ "workflow": workflow, "input": input }).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    body["id"].as_str().unwrap().to_owned()
}

fn visit(collector: &Collector) -> Value {
    let url = format!("http://public.test:{}/visited", collector.port());
    json!({ "method": "GET", "url": url })
}

/// How many of each name there are, but for activations.
fn names(spans: &[Told]) -> BTreeMap<&str, usize> {
    let mut names = BTreeMap::new();
    for span in spans.iter().filter(|span| !span.name.starts_with("activation")) {
        *names.entry(&*span.name).or_default() += 1;
    }
    names
}

fn named<'a>(spans: &'a [Told], name: &str) -> Vec<&'a Told> {
    let mut named: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    named.sort_by_key(|span| span.from);
    assert!(!named.is_empty(), "there is no {name} among {spans:#?}");
    named
}

/// One tree: each span once, below another one of it, but for the one that the request has asked for.
fn is_connected(spans: &[Told]) {
    let ids: HashSet<_> = spans.iter().map(|span| &*span.id).collect();
    assert_eq!(ids.len(), spans.len(), "a span was told twice: {spans:#?}");
    for span in spans {
        assert_eq!(span.trace, TRACE, "{span:#?}");
        assert!(span.from <= span.to, "{span:#?}");
        assert_eq!(span.service, "shop");
        let is_root = span.name == "dispatch traced";
        assert_eq!(span.parent == ASKING, is_root, "{span:#?}");
        assert!(is_root || ids.contains(&*span.parent), "nobody knows the parent of {span:#?}");
    }
}

#[tokio::test]
async fn one_trace_connects_a_request_with_children_attempts_and_what_they_ask_for_over_a_kill() {
    let (collector, folder) = (Collector::start().await, TempDir::new().unwrap());
    let host = serve(folder.path(), collector.port()).await;
    host.api.deploy("reaching", guests::wasm("reaching")).await;

    let traceparent = format!("00-{TRACE}-{ASKING}-01");
    let id = start_in(&host.api, &traceparent, "traced", &visit(&collector)).await;
    collector.until(|spans| names(spans).get("step fetch_twice") == Some(&2)).await;
    drop(host);
    let host = serve(folder.path(), collector.port()).await;
    host.api.signalled(&id, "go", Value::Null).await;
    assert_eq!(host.api.ended(&id).await.value()["body"], "welcome");

    let all = [
        ("dispatch traced", 1),
        ("step fetch", 1),
        ("step fetch_twice", 2),
        ("workflow fetched", 1),
        ("workflow traced", 1),
    ];
    let is_whole = |spans: &[Told]| {
        names(spans) == BTreeMap::from(all)
            && spans.iter().any(|span| span.name == "activation fetched")
    };
    let spans = collector.until(is_whole).await;
    is_connected(&spans);
    let [root] = named(&spans, "workflow traced")[..] else { panic!("{spans:#?}") };
    let [child] = named(&spans, "workflow fetched")[..] else { panic!("{spans:#?}") };
    let [first, second] = named(&spans, "step fetch_twice")[..] else { panic!("{spans:#?}") };
    let [last] = named(&spans, "step fetch")[..] else { panic!("{spans:#?}") };
    assert_eq!(root.parent, named(&spans, "dispatch traced")[0].id);
    assert_eq!([&child.parent, &first.parent, &second.parent], [&root.id; 3]);
    assert_eq!(last.parent, child.id);
    assert!(root.from <= first.from && first.to <= second.from && last.to <= root.to);
    assert_eq!((first.is_error, second.is_error), (true, false));
    let told = |span: &Told, key: &str| span.attributes.get(key).cloned().unwrap_or_default();
    let words = ["stepwell.attempt", "stepwell.outcome", "error.type"];
    assert_eq!(words.map(|word| told(first, word)), ["1", "retried", "not-yet"]);
    assert_eq!(words.map(|word| told(second, word)), ["2", "completed", ""]);
    assert_eq!(told(root, "stepwell.execution.id"), id);
    assert_ne!(told(child, "stepwell.execution.id"), id);
    assert!(told(last, "stepwell.fuel").parse::<u64>().unwrap() > 0);
    assert!(told(last, "stepwell.memory_peak_bytes").parse::<u64>().unwrap() > 0);
    let asked = [first, second, last].map(|attempt| format!("00-{TRACE}-{}-01", attempt.id));
    assert_eq!(collector.visitors(), asked, "each request says which attempt made it");
}

#[tokio::test]
async fn who_asks_for_no_spans_gets_none_and_who_brings_no_trace_gets_his_executions_own() {
    let (collector, folder) = (Collector::start().await, TempDir::new().unwrap());
    let host = serve(folder.path(), collector.port()).await;
    host.api.deploy("reaching", guests::wasm("reaching")).await;

    let unsampled = format!("00-{TRACE}-{ASKING}-00");
    let quiet = start_in(&host.api, &unsampled, "fetched", &visit(&collector)).await;
    assert_eq!(host.api.ended(&quiet).await.value()["status"], 200);
    let own = start_in(&host.api, "of no sense", "fetched", &visit(&collector)).await;
    assert_eq!(host.api.ended(&own).await.value()["status"], 200);

    let spans = collector.until(|spans| spans.len() == 4).await;
    let trace = own.replace('-', "");
    assert!(spans.iter().all(|span| span.trace == trace), "{spans:#?}");
    assert_eq!(named(&spans, "dispatch fetched")[0].parent, "");
    let visitors = collector.visitors();
    assert!(visitors[0].starts_with(&format!("00-{TRACE}-")), "{}", visitors[0]);
    assert!(visitors[0].ends_with("-00"), "{}", visitors[0]);
    assert!(visitors[1].starts_with(&format!("00-{trace}-")), "{}", visitors[1]);
}

#[tokio::test]
async fn a_collector_that_is_away_costs_spans_and_nothing_else() {
    let (collector, folder) = (Collector::start().await, TempDir::new().unwrap());
    let nobody = collector.port();
    drop(collector);
    let host = serve(folder.path(), nobody).await;
    host.api.deploy("misbehaving", guests::wasm("misbehaving")).await;

    assert_eq!(host.api.run_to_end("noop", json!(7)).await.value(), 7);

    let dropped = async {
        while dropped(&host.api).await < 3.0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(crate::api::PATIENCE, dropped).await.expect("dropped spans are counted");
}

async fn dropped(api: &Api) -> f64 {
    let text = api.text("/metrics").await;
    let mut lines = text.lines();
    let count = lines.find_map(|line| line.strip_prefix("stepwell_spans_dropped_total "));
    count.expect("it is counted from the start").parse().unwrap()
}

const COMPLETED: &str = "stepwell_tasks_completed_total";

fn is_of_fetch(attributes: &[KeyValue]) -> bool {
    let step = attributes.iter().find(|one| one.key == "step_name");
    step.is_some_and(|step| format!("{:?}", step.value).contains("\"fetch\""))
}

/// Attempts of the step `fetch` that brought a result, wherever they ran.
fn completed(metrics: &BTreeMap<String, Metric>) -> Option<f64> {
    let Some(Data::Sum(sum)) = &metrics.get(COMPLETED)?.data else { return None };
    let points = sum.data_points.iter().filter(|point| is_of_fetch(&point.attributes));
    let values = points.map(|point| match point.value? {
        number_data_point::Value::AsDouble(value) => Some(value),
        number_data_point::Value::AsInt(_) => None,
    });
    values.sum()
}

#[tokio::test]
async fn what_is_counted_comes_to_the_collector_too() {
    let (collector, folder) = (Collector::start().await, TempDir::new().unwrap());
    let host = serve(folder.path(), collector.port()).await;
    host.api.deploy("reaching", guests::wasm("reaching")).await;
    let id = host.api.run("fetched", visit(&collector)).await;
    assert_eq!(host.api.ended(&id).await.value()["status"], 200);

    let (metrics, key) = collector.metrics(|metrics| completed(metrics) == Some(1.0)).await;

    assert_eq!(key, "a secret");
    let Some(Data::Sum(sum)) = &metrics[COMPLETED].data else { panic!("{metrics:?}") };
    assert!(sum.is_monotonic);
    let point = sum.data_points.iter().find(|point| is_of_fetch(&point.attributes)).unwrap();
    assert!(0 < point.start_time_unix_nano && point.start_time_unix_nano < point.time_unix_nano);
    let Some(Data::Histogram(durations)) = &metrics["stepwell_task_duration_seconds"].data else {
        panic!("{metrics:?}")
    };
    let spread = durations.data_points.iter().find(|point| is_of_fetch(&point.attributes)).unwrap();
    assert_eq!((spread.count, spread.bucket_counts.iter().sum::<u64>()), (1, 1));
    assert_eq!(spread.bucket_counts.len(), spread.explicit_bounds.len() + 1);
    assert!(matches!(metrics["stepwell_slots"].data, Some(Data::Gauge(_))));
}

/// The names of metrics that a collector has not heard of.
fn lacking(metrics: &BTreeMap<String, Metric>) -> Vec<&'static str> {
    let names = metric::ALL.iter().map(|metric| metric.name);
    names.filter(|name| !metrics.contains_key(*name)).collect()
}

/// What a gauge is for a queue.
fn of_queue(metrics: &BTreeMap<String, Metric>, name: &str, queue: &str) -> Option<f64> {
    let Some(Data::Gauge(gauge)) = &metrics.get(name)?.data else { return None };
    let queue = format!("\"{queue}\"");
    let is_of_it =
        |one: &KeyValue| one.key == "queue" && format!("{:?}", one.value).contains(&queue);
    let point = gauge.data_points.iter().find(|point| point.attributes.iter().any(is_of_it))?;
    match point.value? {
        number_data_point::Value::AsDouble(value) => Some(value),
        number_data_point::Value::AsInt(_) => None,
    }
}

/// Work of each kind that some metric needs; one execution waits in a queue that no host serves.
async fn have_something_to_count(host: &Served, collector: &Collector) {
    host.api.deploy("reaching", guests::wasm("reaching")).await;
    let end = host.api.run_to_end("fetched", visit(collector)).await;
    assert_eq!(end.value()["status"], 200);
    let order = json!({ "workflow": "fetched", "input": visit(collector), "queue": "nobodys" });
    host.api.start(order).await;
}

#[tokio::test]
async fn what_only_the_database_knows_comes_to_the_collector_though_nobody_scrapes() {
    let (collector, folder) = (Collector::start().await, TempDir::new().unwrap());
    let host = serve(folder.path(), collector.port()).await;
    have_something_to_count(&host, &collector).await;

    let waits = |metrics: &BTreeMap<String, Metric>| {
        of_queue(metrics, "stepwell_queue_oldest_seconds", "nobodys").is_some_and(|age| age > 1.0)
    };
    let (metrics, _key) = collector.metrics(waits).await;

    assert_eq!(lacking(&metrics), Vec::<&str>::new());
}

#[tokio::test]
async fn a_host_that_stops_sends_all_of_it_once_more() {
    let (collector, folder) = (Collector::start().await, TempDir::new().unwrap());
    let mut host = serve_counting(folder.path(), collector.port(), "1h").await;
    have_something_to_count(&host, &collector).await;

    host.stop().await;

    let (metrics, _key) = collector.metrics(|metrics| !metrics.is_empty()).await;
    assert_eq!(lacking(&metrics), Vec::<&str>::new());
    assert_eq!(completed(&metrics), Some(1.0));
    assert!(of_queue(&metrics, "stepwell_queue_oldest_seconds", "nobodys") > Some(0.0));
}
