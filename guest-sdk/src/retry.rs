//! How often a failed attempt of one call is tried again.

use crate::bindings::stepwell::workflow::types::RetryPolicy;
use crate::duration::to_milliseconds;
use crate::{Failure, IntoDuration};

/// A retry policy for one call. What is not said is as for a step that declares nothing: 3 attempts, 1 s before the
/// second, twice as long before each next one up to 60 s, give or take a tenth.
#[derive(Debug, Clone)]
#[must_use]
pub struct Retry {
    policy: RetryPolicy,
    refused: Option<Failure>,
}

impl Retry {
    /// So many attempts, the first included.
    pub fn attempts(max_attempts: u32) -> Self {
        let policy = RetryPolicy {
            max_attempts,
            initial_delay: 1_000,
            backoff_factor: 2.0,
            max_delay: 60_000,
            jitter: 0.1,
            retry_for: Vec::new(),
            never_for: Vec::new(),
        };
        Self { policy, refused: None }
    }

    /// One attempt and no more.
    pub fn never() -> Self {
        Self::attempts(1)
    }

    /// The pause before the second attempt.
    pub fn initial_delay(mut self, delay: impl IntoDuration) -> Self {
        self.policy.initial_delay = self.read(delay);
        self
    }

    /// How many times longer each pause is than the one before. At least 1.
    pub fn backoff_factor(mut self, factor: f64) -> Self {
        self.policy.backoff_factor = factor;
        self
    }

    /// The longest pause.
    pub fn max_delay(mut self, delay: impl IntoDuration) -> Self {
        self.policy.max_delay = self.read(delay);
        self
    }

    /// The share of each pause that chance may add or take, 0 to 1.
    pub fn jitter(mut self, jitter: f64) -> Self {
        self.policy.jitter = jitter;
        self
    }

    /// Only failures of these kinds are tried again.
    pub fn retry_for<S: Into<String>>(mut self, kinds: impl IntoIterator<Item = S>) -> Self {
        self.policy.retry_for = kinds.into_iter().map(Into::into).collect();
        self
    }

    /// Failures of these kinds are never tried again.
    pub fn never_for<S: Into<String>>(mut self, kinds: impl IntoIterator<Item = S>) -> Self {
        self.policy.never_for = kinds.into_iter().map(Into::into).collect();
        self
    }

    pub(crate) fn into_policy(self) -> Result<RetryPolicy, Failure> {
        match self.refused {
            Some(failure) => Err(failure),
            None => Ok(self.policy),
        }
    }

    fn read(&mut self, delay: impl IntoDuration) -> u64 {
        to_milliseconds(delay).unwrap_or_else(|failure| {
            self.refused = Some(failure);
            0
        })
    }
}
