//! What the rooms count, collected for Prometheus. The rooms know the facade only; this is the one place that knows who listens.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use metrics::Recorder;
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use metrics_process::Collector;
use tokio_util::sync::CancellationToken;

use crate::model::metric::{self, Metric, MetricKind};
use crate::model::show_gauges;

/// How often what histograms were told is summed up: until then each value takes room.
const SUM_UP_EVERY: Duration = Duration::from_secs(5);

/// What was counted so far in this process, for whoever asks. Cheap to clone.
#[derive(Clone)]
pub struct Exposition {
    counted: PrometheusHandle,
    process: Collector,
}

impl std::fmt::Debug for Exposition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exposition").finish_non_exhaustive()
    }
}

/// Begins to count, or tells what counts already: a process has one collection, however many hosts live in it.
pub fn metrics() -> Result<Exposition> {
    metrics_through(|collection| collection)
}

/// The same, with something before the collection that hears it all first.
pub fn metrics_through<R: Recorder + Sync + 'static>(
    before: impl FnOnce(PrometheusRecorder) -> R,
) -> Result<Exposition> {
    static COUNTS: Mutex<Option<Exposition>> = Mutex::new(None);
    let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    if counts.is_none() {
        *counts = Some(begin(before)?);
    }
    counts.clone().context("it has just begun")
}

fn begin<R: Recorder + Sync + 'static>(
    before: impl FnOnce(PrometheusRecorder) -> R,
) -> Result<Exposition> {
    let builder = metric::ALL.iter().try_fold(PrometheusBuilder::new(), |builder, metric| {
        match metric.kind {
            MetricKind::Histogram(bounds) => {
                builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), bounds)
            }
            MetricKind::Counter | MetricKind::Gauge => Ok(builder),
        }
    });
    let recorder = builder.context("the bounds of the metrics are wrong")?.build_recorder();
    let counted = recorder.handle();
    let set = metrics::set_global_recorder(before(recorder));
    set.ok().context("somebody else counts in this process")?;
    metric::ALL.iter().for_each(describe);
    metrics::gauge!(metric::BUILD_INFO.name, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    [metric::SPANS_EXPORTED, metric::SPANS_DROPPED]
        .iter()
        .for_each(|spans| metrics::counter!(spans.name).absolute(0));
    let process = Collector::default();
    process.describe();
    Ok(Exposition { counted, process })
}

fn describe(metric: &Metric) {
    match metric.kind {
        MetricKind::Counter => metrics::describe_counter!(metric.name, metric.help),
        MetricKind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
        MetricKind::Histogram(_) => metrics::describe_histogram!(metric.name, metric.help),
    }
}

impl Exposition {
    /// All of it, as Prometheus reads it.
    pub fn text(&self) -> String {
        show_gauges();
        self.process.collect();
        self.counted.render()
    }

    /// Sums up now and then, until it is stopped.
    pub async fn sum_up(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(SUM_UP_EVERY)).await.is_some() {
            self.counted.run_upkeep();
        }
    }
}
