//! Spans, sent to a collector by OTLP. The rooms know `Tracer` only; this is the one place that knows who listens.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use metrics::{Counter, counter};
use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceFlags, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::post::Post;
use crate::model::metric;
use crate::model::{AttemptSpan, Span, SpanId, Spanned, Timestamp, Trace, Tracer};

/// Spans that may wait to be sent; further ones are dropped and counted.
const QUEUE_MAX: usize = 16_384;
/// Spans of one request.
const BATCH_MAX: usize = 512;
/// How long spans are collected before they are sent.
const SEND_EVERY: Duration = Duration::from_millis(500);
/// How long a collector may take to answer.
pub(super) const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
/// How long sending may take that was under way or left when the host stops.
pub(super) const LAST_WORDS_TIME_MAX: Duration = Duration::from_secs(3);

/// Where to send spans and metrics, and in whose name.
#[derive(Clone)]
pub struct Collector {
    /// The root of the collector's API, `http://127.0.0.1:4318`, or its address for traces.
    pub endpoint: String,
    /// The resource `service.name`.
    pub service: String,
    /// What people call the host: the resource `service.instance.id`.
    pub instance: String,
    /// What requests carry besides, `name=value` with commas between. For spans the exporter reads the same variable itself.
    pub headers: Option<String>,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Takes spans and never waits.
#[derive(Debug)]
struct Queue {
    spans: mpsc::Sender<Span>,
    dropped: Counter,
}

impl Tracer for Queue {
    fn takes(&self, trace: Trace) -> bool {
        trace.is_sampled()
    }

    fn tell(&self, span: Span) {
        if self.spans.try_send(span).is_err() {
            self.dropped.increment(1);
        }
    }
}

/// Sends what was told.
#[derive(Debug)]
pub struct Export {
    told: mpsc::Receiver<Span>,
    exporter: SpanExporter,
    scope: InstrumentationScope,
    dropped: Counter,
    exported: Counter,
    is_heard: bool,
}

/// What takes spans for a collector, and what sends them.
pub fn traces(collector: &Collector) -> Result<(Arc<dyn Tracer>, Export)> {
    let endpoint = of_traces(&collector.endpoint);
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Post::new()?)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(ANSWER_TIME_MAX)
        .with_endpoint(endpoint.clone())
        .build()
        .with_context(|| format!("spans cannot be sent to {endpoint}"))?;
    let resource = Resource::builder_empty().with_attributes([
        KeyValue::new("service.name", collector.service.clone()),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", collector.instance.clone()),
    ]);
    exporter.set_resource(&resource.build());
    let (spans, told) = mpsc::channel(QUEUE_MAX);
    let dropped = counter!(metric::SPANS_DROPPED.name);
    let exported = counter!(metric::SPANS_EXPORTED.name);
    let scope =
        InstrumentationScope::builder("stepwell").with_version(env!("CARGO_PKG_VERSION")).build();
    info!(endpoint, "Spans are sent to {endpoint}");
    let queue = Queue { spans, dropped: dropped.clone() };
    Ok((Arc::new(queue), Export { told, exporter, scope, dropped, exported, is_heard: true }))
}

fn of_traces(endpoint: &str) -> String {
    let endpoint = endpoint.trim_end_matches('/');
    if endpoint.ends_with("/v1/traces") {
        endpoint.to_owned()
    } else {
        format!("{endpoint}/v1/traces")
    }
}

impl Export {
    /// Sends now and then, until it is stopped and has sent the rest.
    pub async fn send(mut self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(SEND_EVERY)).await.is_some() {
            tokio::select! {
                () = self.send_all() => {}
                () = stop.cancelled() => break,
            }
        }
        self.told.close();
        if tokio::time::timeout(LAST_WORDS_TIME_MAX, self.send_all()).await.is_err() {
            warn!("The collector was too slow for the last spans");
        }
    }

    /// Until nothing waits.
    async fn send_all(&mut self) {
        loop {
            let batch: Vec<_> =
                std::iter::from_fn(|| self.told.try_recv().ok()).take(BATCH_MAX).collect();
            if batch.is_empty() {
                return;
            }
            let size = batch.len();
            let batch = batch.into_iter().map(|span| self.written(span)).collect();
            // The exporter bounds the time of its tries, and not that of each.
            match tokio::time::timeout(ANSWER_TIME_MAX, self.exporter.export(batch)).await {
                Ok(Ok(())) => self.heard(size),
                Ok(Err(error)) => self.unheard(size, &error.to_string()),
                Err(_elapsed) => self.unheard(size, "it does not answer"),
            }
        }
    }

    fn heard(&mut self, size: usize) {
        self.exported.increment(size as u64);
        if !std::mem::replace(&mut self.is_heard, true) {
            info!("The collector takes spans again");
        }
    }

    /// A collector that is away is told of once, not for every batch.
    fn unheard(&mut self, size: usize, error: &str) {
        self.dropped.increment(size as u64);
        if std::mem::replace(&mut self.is_heard, false) {
            warn!(error, "The collector took no spans: they are dropped until it does");
        }
    }

    /// As OTLP has it.
    fn written(&self, span: Span) -> SpanData {
        let flags =
            if span.trace.is_sampled() { TraceFlags::SAMPLED } else { TraceFlags::default() };
        let context = SpanContext::new(
            span.trace.id().into(),
            span.id.as_u64().into(),
            flags,
            false,
            TraceState::default(),
        );
        let (name, span_kind) = head(&span);
        SpanData {
            span_context: context,
            parent_span_id: span.parent.map_or(0, SpanId::as_u64).into(),
            parent_span_is_remote: matches!(span.of, Spanned::Start { .. } | Spanned::Attempt(_)),
            span_kind,
            name,
            start_time: time(span.from),
            end_time: time(span.to),
            status: span.failure.clone().map_or(Status::Unset, Status::error),
            attributes: attributes(span),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            instrumentation_scope: self.scope.clone(),
        }
    }
}

fn head(span: &Span) -> (Cow<'static, str>, SpanKind) {
    let workflow = &span.workflow;
    let (name, kind) = match &span.of {
        Spanned::Start { .. } => (format!("dispatch {workflow}"), SpanKind::Producer),
        Spanned::Run { .. } => (format!("workflow {workflow}"), SpanKind::Consumer),
        Spanned::Activation { .. } => (format!("activation {workflow}"), SpanKind::Internal),
        Spanned::Attempt(attempt) => (format!("step {}", attempt.step), SpanKind::Consumer),
    };
    (name.into(), kind)
}

fn attributes(span: Span) -> Vec<KeyValue> {
    let mut told = vec![
        KeyValue::new("stepwell.execution.id", span.execution.to_string()),
        KeyValue::new("stepwell.run", i64::from(span.run.0)),
        KeyValue::new("stepwell.workflow", span.workflow.to_string()),
    ];
    told.extend(span.failure.map(|kind| KeyValue::new("error.type", kind)));
    match span.of {
        Spanned::Start { queue } => told.push(KeyValue::new("stepwell.queue", queue.to_string())),
        Spanned::Run { state } => {
            let state = state.map_or("continued", |state| state.as_str());
            told.push(KeyValue::new("stepwell.state", state));
        }
        Spanned::Activation { replayed } => {
            told.push(KeyValue::new("stepwell.replayed_entries", count(replayed)));
        }
        Spanned::Attempt(attempt) => told.extend(of_attempt(&attempt)),
    }
    told
}

fn of_attempt(attempt: &AttemptSpan) -> [KeyValue; 7] {
    [
        KeyValue::new("stepwell.step", attempt.step.to_string()),
        KeyValue::new("stepwell.promise", i64::from(attempt.promise.0)),
        KeyValue::new("stepwell.attempt", i64::from(attempt.number)),
        KeyValue::new("stepwell.queue", attempt.queue.to_string()),
        KeyValue::new("stepwell.outcome", attempt.outcome),
        KeyValue::new("stepwell.fuel", count(attempt.usage.fuel)),
        KeyValue::new("stepwell.memory_peak_bytes", count(attempt.usage.memory_peak_bytes)),
    ]
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + at.since(Timestamp::from_micros(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_a_collector_and_its_address_for_traces_are_both_understood() {
        for endpoint in ["http://c:4318", "http://c:4318/", "http://c:4318/v1/traces"] {
            assert_eq!(of_traces(endpoint), "http://c:4318/v1/traces");
        }
    }
}
