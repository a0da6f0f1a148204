//! Measuring: times, and the middle of many of them.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::Result;

/// A running measurement of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures the real time")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    pub(crate) fn seconds(self) -> f64 {
        self.elapsed().as_secs_f64()
    }
}

/// How long something took, and what came of it.
pub(crate) async fn time<T>(work: impl Future<Output = Result<T>>) -> Result<(Duration, T)> {
    let watch = Stopwatch::start();
    let value = work.await?;
    Ok((watch.elapsed(), value))
}

/// Measured values of one thing, in one unit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn push_micros(&mut self, time: Duration) {
        self.push(micros(time));
    }

    pub(crate) fn push_millis(&mut self, time: Duration) {
        self.push(millis(time));
    }

    pub(crate) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The value that so much of them lie below: 0.5 is the median. Zero where there are none.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = count(sorted.len().saturating_sub(1));
        let below = |place: usize| count(place) <= share * last;
        let place = (0..sorted.len()).take_while(|place| below(*place)).last();
        place.and_then(|place| sorted.get(place).copied()).unwrap_or_default()
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    pub(crate) fn min(&self) -> f64 {
        self.quantile(0.0)
    }

    pub(crate) fn max(&self) -> f64 {
        self.quantile(1.0)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
pub(crate) fn count(count: usize) -> f64 {
    count as f64
}
