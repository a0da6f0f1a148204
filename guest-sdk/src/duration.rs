//! What may be given where a duration is asked for.

use std::time::Duration;

use crate::Failure;
use crate::duration_text::{complaint, milliseconds};

/// A length of time: a [`Duration`], or a text such as `"30s"`, `"48h"`, `"1h30m"` or `"250ms"`
/// (`ms s m h d w`, parts add up).
pub trait IntoDuration {
    /// Reads it. A text that is no duration is a failure of kind [`Failure::INVALID_DURATION`] that names the position.
    fn into_duration(self) -> Result<Duration, Failure>;
}

impl IntoDuration for Duration {
    fn into_duration(self) -> Result<Duration, Failure> {
        Ok(self)
    }
}

impl IntoDuration for &str {
    fn into_duration(self) -> Result<Duration, Failure> {
        milliseconds(self)
            .map(Duration::from_millis)
            .map_err(|fault| Failure::new(Failure::INVALID_DURATION, complaint(self, fault)))
    }
}

impl IntoDuration for String {
    fn into_duration(self) -> Result<Duration, Failure> {
        self.as_str().into_duration()
    }
}

impl IntoDuration for &String {
    fn into_duration(self) -> Result<Duration, Failure> {
        self.as_str().into_duration()
    }
}

/// In whole milliseconds, rounded up: what was asked for is a lower bound.
pub(crate) fn to_milliseconds(duration: impl IntoDuration) -> Result<u64, Failure> {
    let duration = duration.into_duration()?;
    Ok(u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        assert_eq!(to_milliseconds("1h30m").unwrap(), 5_400_000);
        assert_eq!(to_milliseconds("1w".to_owned()).unwrap(), 604_800_000);
        assert_eq!(to_milliseconds("250ms").unwrap(), 250);
        assert_eq!(to_milliseconds("2m5ms").unwrap(), 120_005);
    }

    #[test]
    fn less_than_a_millisecond_is_rounded_up() {
        assert_eq!(to_milliseconds(Duration::from_nanos(1)).unwrap(), 1);
        assert_eq!(to_milliseconds(Duration::ZERO).unwrap(), 0);
    }

    #[test]
    fn a_bad_text_is_refused_with_its_position() {
        let failure = to_milliseconds("1h x").unwrap_err();

        assert!(failure.is(Failure::INVALID_DURATION));
        assert!(failure.message.contains("a number is missing at position 2"), "{failure}");
        for bad in ["", "5", "s", "1.5s", "99999999999999999999s", "30000000000000w"] {
            assert!(to_milliseconds(bad).is_err(), "{bad:?}");
        }
    }
}
