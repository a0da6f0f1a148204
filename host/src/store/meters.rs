//! What the committer counts for people.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::Result;
use super::write::Written;
use crate::model::{Gauged, Stopwatch, metric, watch_gauges};

#[derive(Debug)]
pub(super) struct CommitMeters {
    duration: Histogram,
    size: Histogram,
    failures: Counter,
}

impl Default for CommitMeters {
    fn default() -> Self {
        Self {
            duration: histogram!(metric::COMMIT_DURATION.name),
            size: histogram!(metric::COMMIT_SIZE.name),
            failures: counter!(metric::COMMIT_FAILURES.name),
        }
    }
}

impl CommitMeters {
    /// One commit of so many writes came to that.
    pub(super) fn committed(
        &self,
        watch: Stopwatch,
        writes: usize,
        came_to: &Result<Vec<Written>>,
    ) {
        self.duration.record(watch.seconds());
        self.size.record(f64::from(u32::try_from(writes).unwrap_or(u32::MAX)));
        if came_to.is_err() {
            self.failures.increment(1);
        }
    }
}

/// How many writes were handed in and are not answered, as a gauge.
#[derive(Debug)]
pub(super) struct Unanswered {
    count: AtomicUsize,
    told: Gauge,
}

/// A write that is handed in and not answered counts as waiting, whatever becomes of it.
#[derive(Debug)]
pub(super) struct Waiting(Arc<Unanswered>);

impl Unanswered {
    /// None so far.
    pub(super) fn watched() -> Arc<Self> {
        let told = gauge!(metric::COMMITTER_WAITING.name);
        let none = Arc::new(Self { count: AtomicUsize::new(0), told });
        watch_gauges(&none);
        none
    }

    pub(super) fn enter(self: &Arc<Self>) -> Waiting {
        self.count.fetch_add(1, Ordering::Relaxed);
        Waiting(Arc::clone(self))
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

impl Gauged for Unanswered {
    fn show(&self) {
        self.told.set(metric::float(self.count()));
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}
