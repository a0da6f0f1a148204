//! What the committer counts for people.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::Result;
use super::write::Written;
use crate::model::{Stopwatch, metric};

#[derive(Debug)]
pub(super) struct CommitMeters {
    duration: Histogram,
    size: Histogram,
    failures: Counter,
    /// Writes that were handed in and are not answered.
    waiting: Gauge,
}

impl Default for CommitMeters {
    fn default() -> Self {
        Self {
            duration: histogram!(metric::COMMIT_DURATION.name),
            size: histogram!(metric::COMMIT_SIZE.name),
            failures: counter!(metric::COMMIT_FAILURES.name),
            waiting: gauge!(metric::COMMITTER_WAITING.name),
        }
    }
}

impl CommitMeters {
    /// So many writes are handed in and not answered.
    pub(super) fn waits(&self, writes: usize) {
        self.waiting.set(metric::float(writes));
    }

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
