//! Durations as people write them: `"30s"`, `"5m"`, `"2h"`, `"1d"`, `"1w"`, `"1h30m"`, `"250ms"`.

use std::time::Duration;

/// A text that is no duration.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{text:?} is no duration: {what} at position {position}; write for example \"30s\" or \"1h30m\""
)]
pub struct BadDuration {
    /// What was given.
    pub text: String,
    /// The byte at which it goes wrong, from 0.
    pub position: usize,
    /// What is wrong there.
    pub what: &'static str,
}

const UNITS: [(&str, u64); 6] = [
    ("ms", 1),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
];

/// Reads a whole text as a duration. Parts add up; each is a whole number and a unit (`ms s m h d w`).
pub fn parse_duration(text: &str) -> Result<Duration, BadDuration> {
    let bad = |position, what| BadDuration { text: text.to_owned(), position, what };
    let mut total: u64 = 0;
    let mut position = 0;
    if text.is_empty() {
        return Err(bad(0, "nothing is given"));
    }
    while position < text.len() {
        let rest = &text[position..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Err(bad(position, "a number is missing"));
        }
        let number: u64 =
            rest[..digits].parse().map_err(|_overflow| bad(position, "the number is too large"))?;
        let rest = &rest[digits..];
        let Some((unit, millis)) = UNITS.iter().find(|(unit, _)| rest.starts_with(unit)) else {
            return Err(bad(position + digits, "a unit (ms, s, m, h, d, w) is missing"));
        };
        total = number
            .checked_mul(*millis)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(|| bad(position, "the number is too large"))?;
        position += digits + unit.len();
    }
    Ok(Duration::from_millis(total))
}

/// Writes a duration so that [`parse_duration`] reads it back, down to whole milliseconds.
pub fn format_duration(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for unit in ["w", "d", "h", "m", "s", "ms"] {
        let size = UNITS.iter().find(|(name, _)| *name == unit).map_or(1, |(_, size)| *size);
        if millis >= size {
            text.push_str(&(millis / size).to_string());
            text.push_str(unit);
            millis %= size;
        }
    }
    text
}

/// Durations as text in JSON, for `#[serde(with)]`.
pub(super) mod serde_text {
    use std::borrow::Cow;
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::model) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format_duration(*duration))
    }

    pub(in crate::model) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        super::parse_duration(&text).map_err(D::Error::custom)
    }
}

/// The same where there may be none.
pub(super) mod serde_option {
    use std::borrow::Cow;
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::ref_option, reason = "serde calls it with this signature")]
    pub(in crate::model) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => serializer.serialize_str(&super::format_duration(*duration)),
            None => serializer.serialize_none(),
        }
    }

    pub(in crate::model) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = Option::<Cow<'de, str>>::deserialize(deserializer)?;
        text.map(|text| super::parse_duration(&text).map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_add_up() {
        assert_eq!(parse_duration("1h30m").unwrap(), Duration::from_secs(5_400));
        assert_eq!(parse_duration("1w").unwrap(), Duration::from_secs(604_800));
        assert_eq!(parse_duration("250ms").unwrap(), Duration::from_millis(250));
    }

    #[test]
    fn a_bad_one_is_refused_with_its_position() {
        assert_eq!(parse_duration("").unwrap_err().position, 0);
        assert_eq!(parse_duration("5").unwrap_err().position, 1);
        assert_eq!(parse_duration("1h x").unwrap_err().position, 2);
        assert_eq!(parse_duration("99999999999999999999s").unwrap_err().position, 0);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(millis in 0u64..10_000_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(duration)).unwrap(), duration);
        }

        #[test]
        fn nothing_makes_it_panic(text in ".*") {
            let read = parse_duration(&text);
            prop_assert!(read.is_ok() || read.is_err());
        }
    }
}
