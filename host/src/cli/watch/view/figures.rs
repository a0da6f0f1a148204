//! Numbers as people read them. Pure.

use std::time::Duration;

use crate::cli::out::span;
use crate::model::format_duration;

/// A count with its thousands apart.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many a second.
pub(super) fn rate(rate: Option<f64>) -> String {
    match rate {
        None => "-".to_owned(),
        Some(rate) if rate < 0.05 => "0/s".to_owned(),
        Some(rate) if rate < 10.0 => format!("{rate:.1}/s"),
        Some(rate) => format!("{}/s", count(whole(rate.round()))),
    }
}

/// How long something took, in seconds.
pub(super) fn seconds(seconds: Option<f64>) -> String {
    match seconds {
        None => "-".to_owned(),
        Some(beyond) if beyond.is_infinite() => "> 1d".to_owned(),
        Some(seconds) => span(whole((seconds * 1e6).round())),
    }
}

/// A span to the second: how long ago, or for how long.
pub(super) fn age(span: Duration) -> String {
    let seconds = span.as_secs();
    // An hour and more is as exact as its two greatest units.
    let seconds = match seconds {
        0..3_600 => seconds,
        3_600..86_400 => seconds - seconds % 60,
        _ => seconds - seconds % 3_600,
    };
    format_duration(Duration::from_secs(seconds))
}

/// The whole part of what is not negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is rounded and within bounds"
)]
pub(super) fn whole(number: f64) -> u64 {
    number.clamp(0.0, 9e15) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let counts = [0, 999, 1_000, 1_234_567].map(count);

        assert_eq!(counts, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn rates_are_as_exact_as_they_deserve() {
        let rates = [None, Some(0.0), Some(0.26), Some(12.4), Some(1_234.5)].map(rate);

        assert_eq!(rates, ["-", "0/s", "0.3/s", "12/s", "1,235/s"]);
    }

    #[test]
    fn spans_are_short() {
        assert_eq!(seconds(Some(0.001_234)), "1.23 ms");
        assert_eq!(seconds(Some(f64::INFINITY)), "> 1d");
        let ages = [0, 59, 3_725, 90_061].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(ages, ["0s", "59s", "1h2m", "1d1h"]);
    }
}
