//! How long to wait before the next attempt.

use std::time::Duration;

/// The shortest and the longest pause between two attempts to connect.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A link that held for so long was a good one: what comes after its end is a first attempt again.
pub(super) const GOOD_AFTER: Duration = PAUSE.1;

/// The pause after that many attempts in vain, where `chance` is from 0 to 1: hosts that lost one Redis together do not come
/// back to it together. There is none before the first attempt.
pub(super) fn pause_after(attempts: u32, chance: f64) -> Duration {
    let Some(more) = attempts.checked_sub(1) else { return Duration::ZERO };
    let (shortest, longest) = PAUSE;
    let most = shortest.saturating_mul(2_u32.saturating_pow(more)).min(longest);
    shortest + most.saturating_sub(shortest).mul_f64(chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_five_seconds_and_no_further() {
        let pauses: Vec<_> =
            [0, 1, 2, 4, 7, 8, 1_000].map(|n| pause_after(n, 1.0).as_millis()).into();

        assert_eq!(pauses, [0, 100, 200, 800, 5_000, 5_000, 5_000]);
    }

    #[test]
    fn chance_spreads_them_and_none_is_shorter_than_a_tenth_of_a_second() {
        assert_eq!(pause_after(9, 0.0).as_millis(), 100);
        assert_eq!(pause_after(9, 0.5).as_millis(), 2_550);
    }
}
