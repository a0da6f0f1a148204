//! Which times there are: by a cron expression in a time zone, or at an interval.

use std::fmt;
use std::time::Duration;

use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::{Cron, zone};
use crate::model::{Name, Timestamp, format_duration};

/// When a schedule fires.
#[derive(Debug, Clone, PartialEq)]
pub enum Timing {
    /// When the wall clock of a zone shows what an expression says.
    Cron {
        /// The expression.
        cron: Box<Cron>,
        /// The zone, by its name at IANA.
        zone: TimeZone,
    },
    /// Again and again after the same time, counted from an anchor: it fires at the anchor and at every multiple from there on.
    Every {
        /// How long.
        interval: Duration,
        /// The start of the schedule, or where it has none the beginning of 1970 (UTC).
        anchor: Timestamp,
    },
}

impl Timing {
    /// The first firing after `after`.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron { cron, zone } => zone::next_after(cron, zone, after),
            Self::Every { interval, anchor } => {
                let interval =
                    i64::try_from(interval.as_micros()).ok().filter(|micros| *micros > 0)?;
                if after < *anchor {
                    return Some(*anchor);
                }
                let passed = after.as_micros().checked_sub(anchor.as_micros())?;
                let steps = (passed / interval).checked_add(1)?;
                let next = anchor.as_micros().checked_add(steps.checked_mul(interval)?)?;
                Some(Timestamp::from_micros(next))
            }
        }
    }
}

impl Timing {
    /// What the wall clock of its zone shows then; none where it has no zone.
    pub fn on_the_wall(&self, at: Timestamp) -> Option<String> {
        let Self::Cron { zone, .. } = self else { return None };
        let instant = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
        Some(instant.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M:%S %:z").to_string())
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cron { cron, zone } => {
                write!(f, "{} ({})", cron.as_str(), zone.iana_name().unwrap_or("UTC"))
            }
            Self::Every { interval, .. } => write!(f, "every {}", format_duration(*interval)),
        }
    }
}

/// When the firing of `at` is due: up to `jitter` later, and always as much for one schedule and one time, so that every host
/// agrees.
pub(super) fn due(schedule: &Name, at: Timestamp, jitter: Duration) -> Timestamp {
    let most = u64::try_from(jitter.as_micros()).unwrap_or(u64::MAX).saturating_add(1);
    let hash = Sha256::new()
        .chain_update(b"stepwell:jitter:")
        .chain_update(schedule.as_str())
        .chain_update(at.as_micros().to_be_bytes())
        .finalize();
    let mut number = [0; 8];
    number.copy_from_slice(&hash[..8]);
    at + Duration::from_micros(u64::from_be_bytes(number) % most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn an_interval_is_counted_from_its_anchor() {
        let quarter = Duration::from_mins(15);
        let from_1970 = Timing::Every { interval: quarter, anchor: Timestamp::default() };
        let from_100 = Timing::Every { interval: quarter, anchor: at(100) };

        assert_eq!(from_1970.next_after(at(1_000)), Some(at(1_800)));
        assert_eq!(from_1970.next_after(at(1_800)), Some(at(2_700)));
        assert_eq!(from_100.next_after(at(0)), Some(at(100)));
        assert_eq!(from_100.next_after(at(100)), Some(at(1_000)));
    }

    #[test]
    fn the_end_of_time_is_reached_in_peace() {
        let hourly = Timing::Every { interval: Duration::from_hours(1), anchor: at(0) };

        assert_eq!(hourly.next_after(Timestamp::from_micros(i64::MAX)), None);
    }

    proptest! {
        #[test]
        fn jitter_is_bounded_and_the_same_for_every_host(second in 0_i64..4_000_000_000, most in 0_u64..3_600) {
            let (name, jitter) = (Name::new("nightly").unwrap(), Duration::from_secs(most));

            let first = due(&name, at(second), jitter);

            prop_assert!(first >= at(second) && first <= at(second) + jitter);
            prop_assert_eq!(first, due(&name, at(second), jitter));
        }

        #[test]
        fn the_next_firing_is_a_multiple_and_the_first_one(after in 0_i64..4_000_000_000, length in 1_u64..100_000) {
            let timing = Timing::Every { interval: Duration::from_secs(length), anchor: at(17) };
            let length = i64::try_from(length).unwrap();

            let next = timing.next_after(at(after)).unwrap().as_micros() / 1_000_000;

            prop_assert_eq!((next - 17) % length, 0);
            prop_assert!(next > after && (next - length <= after || next == 17));
        }
    }
}
