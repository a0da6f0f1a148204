//! Times, spans and numbers as people read them.

use std::time::Duration;

use maud::{Markup, html};

use crate::model::{Timestamp, format_duration};

/// What a program says, as a sentence.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).chain(stop.chars()).collect()
    })
}

/// A time to the second.
pub(super) fn whole(at: Timestamp) -> String {
    let text = at.to_string();
    let whole = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
    format!("{} UTC", whole.replacen('T', " ", 1))
}

/// How long ago or ahead a time is, and on asking which time.
pub(super) fn when(at: Timestamp, now: Timestamp) -> Markup {
    let text = if at > now {
        format!("in {}", rough(at.since(now)))
    } else {
        let ago = now.since(at);
        if ago < Duration::from_secs(1) {
            "just now".to_owned()
        } else {
            format!("{} ago", rough(ago))
        }
    };
    html! { time datetime=(at) title=(whole(at)) { (text) } }
}

/// A time in full.
pub(super) fn exactly(at: Timestamp) -> Markup {
    html! { time datetime=(at) title=(at) { (whole(at)) } }
}

/// A span in its largest unit.
pub(super) fn rough(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A span as exact as its length deserves.
pub(super) fn span(span: Duration) -> String {
    let micros = span.as_micros();
    let hundredths = |n: u128, unit: &str| format!("{}.{:02} {unit}", n / 1_000, n % 1_000 / 10);
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => hundredths(micros, "ms"),
        10_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..60_000_000 => hundredths(micros / 1_000, "s"),
        _ => format_duration(Duration::from_secs(span.as_secs())),
    }
}

/// A number with its thousands apart.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut told = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

/// So many of something.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", self::number(number), if number == 1 { one } else { many })
}

/// Bytes in a unit that leaves few digits.
pub(super) fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{} B", number(bytes)),
        10_240..10_485_760 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_thousands_apart() {
        assert_eq!(
            [0, 12, 123, 1_234, 1_234_567].map(number),
            ["0", "12", "123", "1,234", "1,234,567"]
        );
        assert_eq!(count(1, "step", "steps"), "1 step");
    }

    #[test]
    fn a_time_is_so_far_from_now() {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let told = |seconds: i64| {
            when(Timestamp::from_micros(now.as_micros() + seconds * 1_000_000), now).into_string()
        };

        assert!(told(-90).contains(">90 s ago<"), "{}", told(-90));
        assert!(told(7_000).contains(">in 116 min<"));
        assert!(told(0).contains(r#"title="2023-11-14 22:13:20 UTC">just now<"#), "{}", told(0));
    }
}
