//! Time, handed down from `app`: nobody in this house asks the system.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use tokio::sync::watch;

use super::Timestamp;

/// What time it is, and waiting for a time.
#[async_trait]
pub trait Clock: Send + Sync + fmt::Debug {
    /// Now: the last time read from the database, and the monotonic time since.
    fn now(&self) -> Timestamp;

    /// Says what the database's clock showed just now.
    fn follow(&self, database: Timestamp);

    /// Says what the database's clock showed at some moment of the span that its answer took. A clock that may be right is left
    /// as it is: a slow answer must not set it back.
    fn follow_within(&self, database: Timestamp, answered_in: Duration) {
        let now = self.now();
        if now < database {
            self.follow(database);
        } else if now > database + answered_in {
            self.follow(database + answered_in);
        }
    }

    /// A monotonic reading, for measuring how long something took.
    fn monotonic(&self) -> Duration;

    /// Returns when `now` is at or after `time`.
    async fn sleep_until(&self, time: Timestamp);
}

/// Measures for people how long something takes. Nothing may be decided by it.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins to measure.
    #[expect(clippy::disallowed_methods, reason = "what it measures decides nothing")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Since it was started.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// Since it was started, in seconds.
    pub fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// The clock of a real host.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    /// Microseconds since 1970 at `started`, as the database has it.
    origin: AtomicI64,
}

impl SystemClock {
    /// A clock that follows the system until the database is heard.
    #[expect(clippy::disallowed_methods, reason = "this is the one source of time")]
    pub fn new() -> Self {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let micros = since_1970.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(0));
        Self { started: Instant::now(), origin: AtomicI64::new(micros) }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.origin.load(Ordering::Relaxed)) + self.started.elapsed()
    }

    fn follow(&self, database: Timestamp) {
        let origin = database - self.started.elapsed();
        self.origin.store(origin.as_micros(), Ordering::Relaxed);
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    async fn sleep_until(&self, time: Timestamp) {
        loop {
            let now = self.now();
            if now >= time {
                return;
            }
            tokio::time::sleep(time.since(now)).await;
        }
    }
}

/// A clock that stands still until it is wound: for tests of what takes days.
#[derive(Debug)]
pub struct WoundClock {
    now: watch::Sender<Timestamp>,
    origin: Timestamp,
}

impl WoundClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { now: watch::Sender::new(start), origin: start }
    }

    /// Moves it forward; whoever sleeps until then wakes.
    pub fn wind(&self, by: Duration) {
        self.now.send_modify(|now| *now = *now + by);
    }
}

#[async_trait]
impl Clock for WoundClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn follow(&self, _database: Timestamp) {}

    fn monotonic(&self) -> Duration {
        self.now().since(self.origin)
    }

    async fn sleep_until(&self, time: Timestamp) {
        let mut now = self.now.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _reached = now.wait_for(|now| *now >= time).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_sets_no_clock_back_and_a_late_clock_forward() {
        let clock = SystemClock::new();
        let now = clock.now();
        let (minute, second) = (Duration::from_mins(1), Duration::from_secs(1));

        clock.follow_within(now - second, minute);
        assert!(clock.now() >= now);

        clock.follow_within(now + minute, second);
        assert!(clock.now() >= now + minute);

        clock.follow_within(now, second);
        assert!(clock.now() < now + minute);
    }
}
