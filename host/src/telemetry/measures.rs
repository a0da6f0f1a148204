//! What is counted, as OTLP has it. Pure: from Prometheus's text, which is the one form in which it is told.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum,
    number_data_point,
};

use crate::model::metric::{self, MetricKind};
use crate::model::{Series, Timestamp};

/// When the process began, in seconds since 1970.
const STARTED: &str = "process_start_time_seconds";

type Labels = Vec<(String, String)>;

/// What is told under one name.
#[derive(Debug, Default)]
struct Family {
    numbers: Vec<(Labels, f64)>,
    histograms: BTreeMap<Labels, Spread>,
}

/// A histogram with its labels.
#[derive(Debug, Default)]
struct Spread {
    /// Each bound, and how many values are at or below it.
    buckets: Vec<(f64, f64)>,
    sum: f64,
    count: f64,
}

/// The metrics in that text.
pub(super) fn measures(text: &str, now: Timestamp) -> Vec<Metric> {
    let (mut families, mut started) = (BTreeMap::<&str, Family>::new(), now);
    for series in text.lines().filter_map(Series::read) {
        if series.name == STARTED {
            started = Timestamp::from_micros(whole(series.value * 1e6).try_into().unwrap_or(0));
        }
        take(&mut families, &series);
    }
    let during = During { from: nanos(started), to: nanos(now) };
    families.into_iter().map(|(name, family)| during.metric(name, family)).collect()
}

fn take<'a>(families: &mut BTreeMap<&'a str, Family>, series: &Series<'a>) {
    let of_histogram = ["_bucket", "_sum", "_count"].into_iter().find_map(|part| {
        let name = series.name.strip_suffix(part)?;
        matches!(kind(name), MetricKind::Histogram(_)).then_some((name, part))
    });
    let (mut labels, mut bound) = (Labels::new(), None);
    for (label, value) in series.labels() {
        match label {
            "le" => bound = value.parse().ok(),
            label => labels.push((label.to_owned(), value)),
        }
    }
    let Some((name, part)) = of_histogram else {
        let family = families.entry(series.name).or_default();
        return family.numbers.push((labels, series.value));
    };
    let spread = families.entry(name).or_default().histograms.entry(labels).or_default();
    match (part, bound) {
        ("_bucket", Some(bound)) => spread.buckets.push((bound, series.value)),
        ("_sum", _) => spread.sum = series.value,
        _count => spread.count = series.value,
    }
}

/// Of what stands in no table of ours, the name tells.
fn kind(name: &str) -> MetricKind {
    let ours = metric::ALL.iter().find(|metric| metric.name == name);
    let by_name = if name.ends_with("_total") { MetricKind::Counter } else { MetricKind::Gauge };
    ours.map_or(by_name, |metric| metric.kind)
}

/// The time of which values tell.
#[derive(Debug, Clone, Copy)]
struct During {
    from: u64,
    to: u64,
}

impl During {
    fn metric(self, name: &str, family: Family) -> Metric {
        let help = metric::ALL.iter().find(|metric| metric.name == name).map(|metric| metric.help);
        let aggregation_temporality = AggregationTemporality::Cumulative.into();
        let numbers = family.numbers.into_iter().map(|number| self.number(number)).collect();
        let data = match kind(name) {
            MetricKind::Counter => {
                Data::Sum(Sum { data_points: numbers, aggregation_temporality, is_monotonic: true })
            }
            MetricKind::Gauge => Data::Gauge(Gauge { data_points: numbers }),
            MetricKind::Histogram(_) => {
                let spreads = family.histograms.into_iter();
                let data_points = spreads.map(|spread| self.spread(spread)).collect();
                Data::Histogram(Histogram { data_points, aggregation_temporality })
            }
        };
        Metric {
            name: name.to_owned(),
            description: help.unwrap_or_default().to_owned(),
            unit: unit(name).to_owned(),
            data: Some(data),
            ..Metric::default()
        }
    }

    fn number(self, (labels, value): (Labels, f64)) -> NumberDataPoint {
        NumberDataPoint {
            attributes: attributes(labels),
            start_time_unix_nano: self.from,
            time_unix_nano: self.to,
            value: Some(number_data_point::Value::AsDouble(value)),
            ..NumberDataPoint::default()
        }
    }

    fn spread(self, (labels, spread): (Labels, Spread)) -> HistogramDataPoint {
        let mut below = 0.0;
        let bucket_counts = spread.buckets.iter().map(|(_, count)| {
            let within = count - below;
            below = *count;
            whole(within)
        });
        HistogramDataPoint {
            attributes: attributes(labels),
            start_time_unix_nano: self.from,
            time_unix_nano: self.to,
            count: whole(spread.count),
            sum: Some(spread.sum),
            bucket_counts: bucket_counts.collect(),
            // The last bucket has none.
            explicit_bounds: spread
                .buckets
                .iter()
                .map(|(bound, _)| *bound)
                .filter(|bound| bound.is_finite())
                .collect(),
            ..HistogramDataPoint::default()
        }
    }
}

/// A text of the attributes of OTLP.
pub(super) fn attribute(key: impl Into<String>, value: impl Into<String>) -> KeyValue {
    let value = AnyValue { value: Some(any_value::Value::StringValue(value.into())) };
    KeyValue { key: key.into(), value: Some(value), ..KeyValue::default() }
}

fn attributes(labels: Labels) -> Vec<KeyValue> {
    labels.into_iter().map(|(label, value)| attribute(label, value)).collect()
}

/// As UCUM writes it.
fn unit(name: &str) -> &'static str {
    let name = name.strip_suffix("_total").unwrap_or(name);
    match name.rsplit('_').next() {
        Some("seconds") => "s",
        Some("bytes") => "By",
        _other => "1",
    }
}

fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.as_micros()).unwrap_or(0).saturating_mul(1_000)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count is a whole number, and far from the end of either type"
)]
fn whole(count: f64) -> u64 {
    count.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# TYPE process_start_time_seconds gauge
process_start_time_seconds 100
# TYPE stepwell_tasks_completed_total counter
stepwell_tasks_completed_total{queue=\"q\",step_name=\"a \\\"b\\\"\",kind=\"local\"} 7
stepwell_slots 20
stepwell_task_duration_seconds_bucket{queue=\"q\",step_name=\"s\",kind=\"local\",le=\"0.1\"} 3
stepwell_task_duration_seconds_bucket{queue=\"q\",step_name=\"s\",kind=\"local\",le=\"1\"} 5
stepwell_task_duration_seconds_bucket{queue=\"q\",step_name=\"s\",kind=\"local\",le=\"+Inf\"} 6
stepwell_task_duration_seconds_sum{queue=\"q\",step_name=\"s\",kind=\"local\"} 9.5
stepwell_task_duration_seconds_count{queue=\"q\",step_name=\"s\",kind=\"local\"} 6
";

    fn told(name: &str) -> Metric {
        let all = measures(TEXT, Timestamp::from_micros(200_000_000));
        all.into_iter().find(|metric| metric.name == name).unwrap()
    }

    #[test]
    fn a_counter_is_a_sum_that_only_grows() {
        let Some(Data::Sum(sum)) = told("stepwell_tasks_completed_total").data else { panic!() };

        assert!(sum.is_monotonic);
        let [point] = &*sum.data_points else { panic!("{sum:?}") };
        assert_eq!(point.value, Some(number_data_point::Value::AsDouble(7.0)));
        assert_eq!(point.start_time_unix_nano, 100_000_000_000);
        assert_eq!(point.time_unix_nano, 200_000_000_000);
        assert_eq!(point.attributes[1], attribute("step_name", "a \"b\""));
    }

    #[test]
    fn a_gauge_is_what_it_is() {
        let slots = told("stepwell_slots");

        assert!(!slots.description.is_empty());
        assert!(matches!(slots.data, Some(Data::Gauge(_))));
    }

    #[test]
    fn a_histogram_counts_what_is_between_its_bounds() {
        let duration = told("stepwell_task_duration_seconds");
        assert_eq!(duration.unit, "s");
        let Some(Data::Histogram(histogram)) = duration.data else { panic!() };

        let [point] = &*histogram.data_points else { panic!("{histogram:?}") };
        assert_eq!(point.bucket_counts, [3, 2, 1]);
        assert_eq!(point.explicit_bounds, [0.1, 1.0]);
        assert_eq!((point.count, point.sum), (6, Some(9.5)));
        assert_eq!(point.attributes.len(), 3);
    }
}
