//! What follows from how an attempt ended.

use crate::model::{Ending, Failure, Outcome, RetryPolicy, Timestamp};

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Settlement {
    /// The promise settles: with a result, or with a failure that the policy does not retry.
    Settled(Outcome),
    /// The promise settles with this failure, and the step goes to the dead letters: its attempts ran out.
    Dead(Failure),
    /// It is tried again.
    RetryAt(Timestamp, Failure),
    /// The host stopped it: it says nothing about the step and uses up no attempt.
    Lost,
    /// It was never begun, and the step has nothing to do with that.
    GivenBack,
}

/// Settles an attempt that ended at `now`. `chance` is drawn evenly from 0 to 1.
pub fn settle(
    ending: Ending,
    policy: &RetryPolicy,
    attempt: u32,
    chance: f64,
    now: Timestamp,
) -> Settlement {
    match ending {
        Ending::Stopped => Settlement::Lost,
        Ending::Returned(Ok(result)) => Settlement::Settled(Ok(result)),
        Ending::Returned(Err(failure)) if !policy.covers(&failure) => {
            Settlement::Settled(Err(failure))
        }
        Ending::Returned(Err(failure)) => match policy.pause_after(attempt, chance) {
            Some(pause) => Settlement::RetryAt(now + pause, failure),
            None => Settlement::Dead(failure),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Payload;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000);

    fn failed() -> Ending {
        Ending::Returned(Err(Failure::new("a", "")))
    }

    #[test]
    fn a_failure_is_tried_again_until_its_attempts_run_out() {
        let policy = RetryPolicy { max_attempts: 2, ..RetryPolicy::default() };

        let first = settle(failed(), &policy, 1, 0.5, NOW);
        let second = settle(failed(), &policy, 2, 0.5, NOW);

        let at = NOW + Duration::from_secs(1);
        assert_eq!(first, Settlement::RetryAt(at, Failure::new("a", "")));
        assert_eq!(second, Settlement::Dead(Failure::new("a", "")));
    }

    #[test]
    fn a_failure_that_is_not_covered_goes_to_the_workflow() {
        let policy = RetryPolicy { never_for: vec!["a".into()], ..RetryPolicy::default() };

        let settlement = settle(failed(), &policy, 1, 0.5, NOW);

        assert_eq!(settlement, Settlement::Settled(Err(Failure::new("a", ""))));
    }

    #[test]
    fn what_the_host_stopped_uses_up_no_attempt() {
        let policy = RetryPolicy { max_attempts: 1, ..RetryPolicy::default() };

        assert_eq!(settle(Ending::Stopped, &policy, 1, 0.5, NOW), Settlement::Lost);
        let null = Ending::Returned(Ok(Payload::null()));
        assert_eq!(settle(null, &policy, 1, 0.5, NOW), Settlement::Settled(Ok(Payload::null())));
    }
}
