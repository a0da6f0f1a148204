//! What a host counts and measures: every metric, with its labels, its unit and what it says. `docs/metrics.md` is checked
//! against this table, and so are the panels and rules of `deploy/`.

/// A metric of a host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// As `/metrics` has it.
    pub name: &'static str,
    /// How it is read.
    pub kind: MetricKind,
    /// In their order.
    pub labels: &'static [&'static str],
    /// In one sentence.
    pub help: &'static str,
}

/// How a metric is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It is what it is now.
    Gauge,
    /// How often a value fell below each of these bounds.
    Histogram(&'static [f64]),
}

/// Bounds of times that people and machines wait for, in seconds.
pub const SECONDS: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0, 300.0, 1_800.0, 7_200.0, 86_400.0,
];
/// Bounds of what is collected in one go.
pub const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];
/// Bounds of fuel, in units.
pub const FUEL: &[f64] = &[1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11];
/// Bounds of memory, in bytes: from 64 KiB to 1 GiB.
pub const BYTES: &[f64] = &[
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
    1_073_741_824.0,
];

/// Beyond so many, further values of labels that users choose are counted under [`OTHER`]: steps with their queues, and
/// workflows.
pub const SERIES_MAX: usize = 200;
/// What stands for values of a label beyond [`SERIES_MAX`].
pub const OTHER: &str = "other";

/// A count as metrics have it. What is counted is far below where this loses anything.
#[expect(clippy::cast_precision_loss, reason = "people look at it")]
pub fn float(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

/// Where a step's attempt runs: `local` on the owner's host, `task` on whichever has claimed it.
const OF_STEP: &[&str] = &["queue", "step_name", "kind"];

macro_rules! metrics {
    ($($constant:ident $name:literal $kind:expr, $labels:expr, $help:literal;)+) => {
        $(#[doc = $help] pub const $constant: Metric =
            Metric { name: $name, kind: $kind, labels: $labels, help: $help };)+

        /// All of them, in the order of the page that lists them.
        pub const ALL: &[Metric] = &[$($constant),+];
    };
}

use MetricKind::{Counter, Gauge, Histogram};

metrics! {
    TASKS_CLAIMED "stepwell_tasks_claimed_total" Counter, &["queue", "step_name"],
        "tasks that this host has claimed";
    TASKS_COMPLETED "stepwell_tasks_completed_total" Counter, OF_STEP,
        "attempts of steps that brought a result";
    TASKS_FAILED "stepwell_tasks_failed_total" Counter, &["queue", "step_name", "kind", "retrying"],
        "attempts of steps that failed; `retrying` says whether another one is made";
    TASK_DURATION "stepwell_task_duration_seconds" Histogram(SECONDS), OF_STEP,
        "how long attempts of steps ran";
    SCHEDULE_TO_START "stepwell_schedule_to_start_seconds" Histogram(SECONDS), OF_STEP,
        "from the call of a step to the beginning of its first attempt";
    STEP_FUEL "stepwell_step_fuel" Histogram(FUEL), &["queue", "step_name"],
        "fuel that attempts of steps burnt, in units";
    STEP_MEMORY "stepwell_step_memory_bytes" Histogram(BYTES), &["queue", "step_name"],
        "the most memory that attempts of steps held";
    DEAD_LETTERS_WRITTEN "stepwell_dead_letters_written_total" Counter, &["queue", "step_name"],
        "steps whose attempts were used up";
    SLOTS "stepwell_slots" Gauge, &[], "attempts of steps that this host runs at once at most";
    SLOTS_BUSY "stepwell_slots_busy" Gauge, &[], "attempts of steps that run on this host";

    EXECUTIONS_STARTED "stepwell_executions_started_total" Counter, &["workflow"],
        "executions that were begun on this host";
    EXECUTIONS_ENDED "stepwell_executions_ended_total" Counter, &["workflow", "state"],
        "executions that ended on this host";
    EXECUTION_DURATION "stepwell_execution_duration_seconds" Histogram(SECONDS), &["workflow", "state"],
        "from the acceptance of an execution to its end";
    WORKFLOW_FUEL "stepwell_workflow_fuel" Histogram(FUEL), &["workflow"],
        "fuel that workflows burnt from the beginning of their last run to its end, in units; ends by force are left out";
    ACTIVATIONS "stepwell_activations" Gauge, &[],
        "executions that this host has in hand";
    HOT "stepwell_hot" Gauge, &[],
        "of these, workflows that wait in memory";
    HOT_MEMORY "stepwell_hot_memory_bytes" Gauge, &[],
        "memory that these hold";
    PARKINGS "stepwell_parkings_total" Counter, &[],
        "executions that this host gave out of its hands while they waited";
    REPLAYS "stepwell_replays_total" Counter, &[],
        "activations that began with a journal to walk through again";
    REPLAYED_ENTRIES "stepwell_replayed_entries_total" Counter, &[],
        "entries of these journals";

    COMMIT_DURATION "stepwell_commit_seconds" Histogram(SECONDS), &[],
        "how long group commits took";
    COMMIT_SIZE "stepwell_commit_writes" Histogram(SIZES), &[],
        "writes in one group commit";
    COMMIT_FAILURES "stepwell_commit_failures_total" Counter, &[],
        "group commits that were refused, or whose outcome nobody knows";
    COMMITTER_WAITING "stepwell_committer_waiting" Gauge, &[],
        "writes that wait for the next group commit or are in it";
    LEASE_RENEWED "stepwell_lease_renewed_total" Counter, &[],
        "renewals of this host's lease that were answered";
    LEASE_FAILURES "stepwell_lease_failures_total" Counter, &[],
        "renewals of this host's lease that failed";
    LEASE_DURATION "stepwell_lease_renewal_seconds" Histogram(SECONDS), &[],
        "how long renewals of this host's lease took";
    POOL_CONNECTIONS "stepwell_pool_connections" Gauge, &["state"],
        "connections of this host's pool to the database: `busy` or `idle`";
    NOTIFIER_CONNECTED "stepwell_notifier_connected" Gauge, &[],
        "1 where hints reach other hosts or there need be none, 0 where the Redis is away";
    COMPILE_DURATION "stepwell_compile_seconds" Histogram(SECONDS), &[],
        "how long the compiling of modules took";

    QUEUE_DEPTH "stepwell_queue_depth" Gauge, &["queue", "state"],
        "tasks of a queue in the whole cluster: `waiting`, `blocked` by a limit, `running`; `pending`: executions that are ready for a host";
    QUEUE_OLDEST "stepwell_queue_oldest_seconds" Gauge, &["queue"],
        "for how long the oldest task of a queue has waited, or the oldest execution that is ready for a host, of the first 100 in line";
    EXECUTIONS "stepwell_executions" Gauge, &["state"],
        "executions in the whole cluster by state; those that are `waiting` are parked or hot";
PARKED "stepwell_parked" Gauge, &[],
        "executions in the whole cluster that wait in no host's memory";
    DEAD_LETTERS "stepwell_dead_letters" Gauge, &[],
        "dead letters in the whole cluster";
    HOSTS "stepwell_hosts" Gauge, &[],
        "hosts of the whole cluster that live";

    HTTP_REQUESTS "stepwell_http_requests_total" Counter, &["method", "route", "status"],
        "requests that were answered; a stream counts when it begins";
    HTTP_DURATION "stepwell_http_request_seconds" Histogram(SECONDS), &["method", "route"],
        "how long requests took, with what they waited for";
    HTTP_CONNECTIONS "stepwell_http_connections" Gauge, &[],
        "connections that are open";
    HTTP_CONNECTIONS_ENDED "stepwell_http_connections_ended_total" Counter, &["reason"],
        "connections that a limit of the door ended or refused, and requests that it refused, by the limit; `room` made way for another one";
    SPANS_EXPORTED "stepwell_spans_exported_total" Counter, &[],
        "spans that the collector of traces has taken";
    SPANS_DROPPED "stepwell_spans_dropped_total" Counter, &[],
        "spans that the collector did not take, or that too many waited before";
    BUILD_INFO "stepwell_build_info" Gauge, &["version"],
        "always 1";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_prometheus() {
        for metric in ALL {
            let name = metric.name.strip_prefix("stepwell_").unwrap();
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
            assert_eq!(name.ends_with("_total"), metric.kind == Counter, "{name}");
            assert_eq!(ALL.iter().filter(|other| other.name == metric.name).count(), 1, "{name}");
            if let Histogram(bounds) = metric.kind {
                assert!(bounds.is_sorted() && !bounds.is_empty(), "{name}");
            }
        }
    }
}
