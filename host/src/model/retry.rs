//! When a failed attempt is tried again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Failure, duration::serde_text};

/// How often, and after which pauses. The pause before attempt n + 1 is
/// `min(initial_delay x backoff_factor^(n-1), max_delay)`, give or take `jitter` of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetryPolicy {
    /// All attempts, the first included.
    pub max_attempts: u32,
    /// The pause after the first failure.
    #[serde(with = "serde_text")]
    pub initial_delay: Duration,
    /// What each further pause is multiplied by.
    pub backoff_factor: f64,
    /// The longest pause, before jitter.
    #[serde(with = "serde_text")]
    pub max_delay: Duration,
    /// The share of the pause that chance adds or takes, 0 to 1.
    pub jitter: f64,
    /// Kinds that are tried again; empty means all.
    pub retry_for: Vec<String>,
    /// Kinds that are never tried again.
    pub never_for: Vec<String>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            initial_delay: Duration::from_secs(1),
            backoff_factor: 2.0,
            max_delay: Duration::from_secs(60),
            jitter: 0.1,
            retry_for: Vec::new(),
            never_for: Vec::new(),
        }
    }
}

impl RetryPolicy {
    /// The most attempts anybody may ask for.
    pub const ATTEMPTS_MAX: u32 = 1_000_000;

    /// Whether a failure of this kind is tried again at all.
    pub fn covers(&self, failure: &Failure) -> bool {
        let named = |kinds: &[String]| kinds.contains(&failure.kind);
        !named(&self.never_for) && (self.retry_for.is_empty() || named(&self.retry_for))
    }

    /// The pause after the attempt of that number (from 1) has failed; none where it was the last. `chance` is drawn evenly
    /// from 0 to 1.
    pub fn pause_after(&self, attempt: u32, chance: f64) -> Option<Duration> {
        if attempt >= self.max_attempts {
            return None;
        }
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = self.initial_delay.as_secs_f64() * self.backoff_factor.powi(exponent);
        let capped = grown.min(self.max_delay.as_secs_f64());
        let jittered = capped * (1.0 + self.jitter * (2.0 * chance - 1.0));
        Some(Duration::try_from_secs_f64(jittered.max(0.0)).unwrap_or(self.max_delay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_cap_and_end() {
        let policy = RetryPolicy { max_attempts: 9, jitter: 0.0, ..RetryPolicy::default() };

        let pauses: Vec<_> = (1..=9).map(|attempt| policy.pause_after(attempt, 0.5)).collect();

        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(pauses[..3], [seconds(1), seconds(2), seconds(4)]);
        assert_eq!(pauses[7], seconds(60));
        assert_eq!(pauses[8], None);
    }

    #[test]
    fn jitter_stays_within_its_share() {
        let policy = RetryPolicy::default();

        assert_eq!(policy.pause_after(1, 0.0), Some(Duration::from_millis(900)));
        assert_eq!(policy.pause_after(1, 1.0), Some(Duration::from_millis(1_100)));
    }

    #[test]
    fn never_for_wins_over_retry_for() {
        let kinds = vec!["a".to_owned()];
        let policy =
            RetryPolicy { retry_for: kinds.clone(), never_for: kinds, ..RetryPolicy::default() };

        assert!(!policy.covers(&Failure::new("a", "")));
        assert!(!policy.covers(&Failure::new("b", "")));
    }
}
