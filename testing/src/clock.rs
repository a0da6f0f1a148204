//! Time that stands still until the test host sets it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use stepwell::model::{Clock, Timestamp};

/// 2026-01-01T00:00:00Z, where every test host begins unless it is told otherwise.
pub(crate) const BEGINNING: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// What the sandbox of a test host takes for the time.
#[derive(Debug)]
pub(crate) struct VirtualClock(AtomicI64);

impl VirtualClock {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(BEGINNING.as_micros()))
    }

    pub(crate) fn set(&self, now: Timestamp) {
        self.0.store(now.as_micros(), Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }

    fn follow(&self, _database: Timestamp) {}

    /// What an attempt took is of no time either.
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    /// Nobody waits by this clock: the test host sets it to when something is due.
    async fn sleep_until(&self, _time: Timestamp) {}
}
