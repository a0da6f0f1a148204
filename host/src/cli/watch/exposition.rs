//! What a host counts, read from its `/metrics`. Pure.

use crate::model::{ExecutionState, Series, metric};

/// What is read of it: counters since the host's start, and how long things took.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Readings {
    /// When the process began, in seconds since 1970: a changed one means that all counters began anew.
    pub(super) process_started: f64,
    pub(super) counts: Counts,
    pub(super) schedule_to_start: Histogram,
    pub(super) step_duration: Histogram,
    pub(super) end_to_end: Histogram,
    pub(super) slots: f64,
    pub(super) slots_busy: f64,
}

/// Counters, in the order in which they are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Counts {
    /// Executions that were begun.
    pub(super) starts: f64,
    /// Executions that ended, in whichever way.
    pub(super) ends: f64,
    /// Of these, those that failed or timed out.
    pub(super) failures: f64,
    /// Attempts of steps that brought a result.
    pub(super) steps: f64,
    /// Attempts of steps that failed.
    pub(super) failed_attempts: f64,
}

/// How often a value was at or below each bound; the last bound is infinite. All labels together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Histogram {
    buckets: Vec<(f64, f64)>,
}

impl Readings {
    /// Reads Prometheus's text format. What is not understood is passed over.
    pub(super) fn read(text: &str) -> Self {
        let mut readings = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some(series) = Series::read(line) {
                readings.take(&series);
            }
        }
        readings
    }

    fn take(&mut self, series: &Series<'_>) {
        let Series { name, value, .. } = *series;
        let counts = &mut self.counts;
        if let Some(histogram) = name.strip_suffix("_bucket") {
            self.bucket(histogram, series);
        } else if name == metric::EXECUTIONS_STARTED.name {
            counts.starts += value;
        } else if name == metric::EXECUTIONS_ENDED.name {
            counts.ends += value;
            let bad =
                [ExecutionState::Failed, ExecutionState::TimedOut].map(ExecutionState::as_str);
            if series.label("state").is_some_and(|state| bad.contains(&state)) {
                counts.failures += value;
            }
        } else if name == metric::TASKS_COMPLETED.name {
            counts.steps += value;
        } else if name == metric::TASKS_FAILED.name {
            counts.failed_attempts += value;
        } else if name == metric::SLOTS.name {
            self.slots = value;
        } else if name == metric::SLOTS_BUSY.name {
            self.slots_busy = value;
        } else if name == "process_start_time_seconds" {
            self.process_started = value;
        }
    }

    fn bucket(&mut self, histogram: &str, series: &Series<'_>) {
        let of = if histogram == metric::SCHEDULE_TO_START.name {
            &mut self.schedule_to_start
        } else if histogram == metric::TASK_DURATION.name {
            &mut self.step_duration
        } else if histogram == metric::EXECUTION_DURATION.name {
            &mut self.end_to_end
        } else {
            return;
        };
        if let Some(bound) = series.label("le").and_then(|bound| bound.parse().ok()) {
            of.add(bound, series.value);
        }
    }
}

impl Histogram {
    fn add(&mut self, bound: f64, count: f64) {
        match self.buckets.binary_search_by(|(known, _)| known.total_cmp(&bound)) {
            Ok(place) => self.buckets[place].1 += count,
            Err(place) => self.buckets.insert(place, (bound, count)),
        }
    }

    /// What came since `earlier` was read.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let before = |bound: f64| {
            let place = earlier.buckets.binary_search_by(|(known, _)| known.total_cmp(&bound));
            place.map_or(0.0, |place| earlier.buckets[place].1)
        };
        let delta = |&(bound, count): &(f64, f64)| (bound, (count - before(bound)).max(0.0));
        Self { buckets: self.buckets.iter().map(delta).collect() }
    }

    /// How many values there are.
    pub(super) fn count(&self) -> f64 {
        self.buckets.last().map_or(0.0, |(_, count)| *count)
    }

    /// The value below which that share of all lies, as if values were spread evenly between two bounds. None where there are no
    /// values; an infinite one where it lies beyond the last bound.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let total = self.count();
        if total <= 0.0 {
            return None;
        }
        let wanted = share * total;
        let (mut floor, mut below) = (0.0, 0.0);
        for &(bound, count) in &self.buckets {
            if count >= wanted && count > below {
                let within = (wanted - below).max(0.0) / (count - below);
                return Some(between(floor, bound, within));
            }
            (floor, below) = (bound, count);
        }
        None
    }
}

/// Of what lies beyond the last bound nothing more is known.
fn between(floor: f64, bound: f64, share: f64) -> f64 {
    if bound.is_infinite() { bound } else { floor + (bound - floor) * share }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
# HELP stepwell_executions_ended_total executions that ended on this host
# TYPE stepwell_executions_ended_total counter
stepwell_executions_started_total{workflow="a"} 7
stepwell_executions_started_total{workflow="b"} 5
stepwell_executions_ended_total{workflow="a",state="completed"} 4
stepwell_executions_ended_total{workflow="a \"x\", state=\"failed\"",state="failed"} 2
stepwell_executions_ended_total{workflow="a",state="timed_out"} 1
stepwell_schedule_to_start_seconds_bucket{queue="q",step_name="s",kind="local",le="0.001"} 6
stepwell_schedule_to_start_seconds_bucket{queue="q",step_name="s",kind="local",le="0.01"} 8
stepwell_schedule_to_start_seconds_bucket{queue="q",step_name="s",kind="local",le="+Inf"} 8
stepwell_schedule_to_start_seconds_bucket{queue="q",step_name="t",kind="task",le="0.001"} 0
stepwell_schedule_to_start_seconds_bucket{queue="q",step_name="t",kind="task",le="0.01"} 2
stepwell_schedule_to_start_seconds_bucket{queue="q",step_name="t",kind="task",le="+Inf"} 2
process_start_time_seconds 1700000000
no line of this
"#;

    fn histogram(buckets: &[(f64, f64)]) -> Histogram {
        Histogram { buckets: buckets.to_vec() }
    }

    fn is_near(given: Option<f64>, expected: f64) -> bool {
        given.is_some_and(|given| (given - expected).abs() < 1e-9)
    }

    #[test]
    fn all_labels_of_a_metric_count_together() {
        let readings = Readings::read(TEXT);

        let expected = Counts { starts: 12.0, ends: 7.0, failures: 3.0, ..Counts::default() };
        assert_eq!(readings.counts, expected);
        let expected = histogram(&[(0.001, 6.0), (0.01, 10.0), (f64::INFINITY, 10.0)]);
        assert_eq!(readings.schedule_to_start, expected);
        assert_eq!(readings.end_to_end, Histogram::default());
        assert!(is_near(Some(readings.process_started), 1.7e9));
    }

    #[test]
    fn a_quantile_lies_between_the_bounds_of_its_bucket() {
        let ten = histogram(&[(1.0, 6.0), (2.0, 10.0), (f64::INFINITY, 10.0)]);

        assert!(is_near(ten.quantile(0.3), 0.5));
        assert!(is_near(ten.quantile(0.6), 1.0));
        assert!(is_near(ten.quantile(0.8), 1.5));
        assert!(is_near(ten.quantile(1.0), 2.0));
    }

    #[test]
    fn what_lies_beyond_the_last_bound_is_only_known_to_be_more() {
        let beyond = histogram(&[(1.0, 1.0), (f64::INFINITY, 2.0)]);

        assert_eq!(beyond.quantile(0.99), Some(f64::INFINITY));
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(histogram(&[(1.0, 0.0), (f64::INFINITY, 0.0)]).quantile(0.5), None);
    }

    #[test]
    fn only_what_came_in_between_is_told() {
        let earlier = histogram(&[(1.0, 6.0), (f64::INFINITY, 6.0)]);
        let later = histogram(&[(1.0, 6.0), (2.0, 9.0), (f64::INFINITY, 9.0)]);

        let between = later.since(&earlier);

        assert_eq!(between, histogram(&[(1.0, 0.0), (2.0, 9.0), (f64::INFINITY, 3.0)]));
        let bounds = histogram(&[(1.0, 6.0), (2.0, 6.0), (f64::INFINITY, 6.0)]);
        assert!(is_near(later.since(&bounds).quantile(0.5), 1.5));
    }
}
