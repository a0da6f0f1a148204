//! A collector of traces that speaks OTLP over HTTP, and a web server whose visitors are to say which trace they belong to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::api::PATIENCE;

/// A span as it came in, with its ids in hexadecimal digits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty where it has none.
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) is_error: bool,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) service: String,
}

#[derive(Debug, Default)]
struct Heard {
    spans: Vec<Told>,
    visitors: Vec<String>,
    /// The metrics of the last request, and the header `api-key` that it had.
    metrics: Vec<Metric>,
    api_key: String,
}

/// Until it is dropped.
#[derive(Debug)]
pub(crate) struct Collector {
    port: u16,
    heard: Arc<Mutex<Heard>>,
    _serving: JoinSet<()>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let heard = Arc::<Mutex<Heard>>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let routes = Router::new()
            .route("/v1/traces", post(take))
            .route("/v1/metrics", post(take_metrics))
            .route("/visited", get(visit))
            .with_state(Arc::clone(&heard));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { port, heard, _serving: serving }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The `traceparent` of each request for `/visited`, in their order.
    pub(crate) fn visitors(&self) -> Vec<String> {
        self.heard.lock().unwrap().visitors.clone()
    }

    /// The metrics that came last, by their names, when that is true of them, and the key that they came with.
    pub(crate) async fn metrics(
        &self,
        is_so: impl Fn(&BTreeMap<String, Metric>) -> bool,
    ) -> (BTreeMap<String, Metric>, String) {
        let all = || {
            let heard = self.heard.lock().unwrap();
            let metrics = heard.metrics.iter().map(|metric| (metric.name.clone(), metric.clone()));
            (metrics.collect::<BTreeMap<_, _>>(), heard.api_key.clone())
        };
        let heard = async {
            while !is_so(&all().0) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let heard = tokio::time::timeout(PATIENCE, heard).await;
        assert!(heard.is_ok(), "it is not so of {:#?}", all().0);
        all()
    }

    pub(crate) fn spans(&self) -> Vec<Told> {
        self.heard.lock().unwrap().spans.clone()
    }

    /// The spans, when that is true of them.
    pub(crate) async fn until(&self, is_so: impl Fn(&[Told]) -> bool) -> Vec<Told> {
        let heard = async {
            while !is_so(&self.spans()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let heard = tokio::time::timeout(PATIENCE, heard).await;
        assert!(heard.is_ok(), "it is not so of {:#?}", self.spans());
        self.spans()
    }
}

async fn take(State(heard): State<Arc<Mutex<Heard>>>, headers: HeaderMap, body: Bytes) -> Vec<u8> {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let asked = ExportTraceServiceRequest::decode(body).unwrap();
    let mut heard = heard.lock().unwrap();
    for of_resource in asked.resource_spans {
        let resource = of_resource.resource.unwrap();
        let service = words(resource.attributes).remove("service.name").unwrap();
        for span in of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            heard.spans.push(Told {
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                name: span.name,
                from: span.start_time_unix_nano,
                to: span.end_time_unix_nano,
                is_error: span.status.is_some_and(|status| status.code == 2),
                attributes: words(span.attributes),
                service: service.clone(),
            });
        }
    }
    ExportTraceServiceResponse::default().encode_to_vec()
}

async fn take_metrics(
    State(heard): State<Arc<Mutex<Heard>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Vec<u8> {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let asked = ExportMetricsServiceRequest::decode(body).unwrap();
    let mut heard = heard.lock().unwrap();
    heard.metrics.clear();
    for of_resource in asked.resource_metrics {
        let resource = words(of_resource.resource.unwrap().attributes);
        assert_eq!(resource["service.name"], "shop");
        let scopes = of_resource.scope_metrics.into_iter();
        heard.metrics.extend(scopes.flat_map(|scope| scope.metrics));
    }
    headers["api-key"].to_str().unwrap().clone_into(&mut heard.api_key);
    ExportMetricsServiceResponse::default().encode_to_vec()
}

async fn visit(State(heard): State<Arc<Mutex<Heard>>>, headers: HeaderMap) -> &'static str {
    let says = headers["traceparent"].to_str().unwrap().to_owned();
    heard.lock().unwrap().visitors.push(says);
    "welcome"
}

fn words(
    attributes: Vec<opentelemetry_proto::tonic::common::v1::KeyValue>,
) -> BTreeMap<String, String> {
    let word = |value| match value {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        other => panic!("{other:?} is none of ours"),
    };
    let attributes = attributes.into_iter();
    attributes.map(|one| (one.key, word(one.value.unwrap().value.unwrap()))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}
