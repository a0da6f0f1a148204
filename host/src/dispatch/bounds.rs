//! What callers may ask for: each check names what is out of its bounds.

use std::time::Duration;

use super::{DispatchError, Result};
use crate::model::{ModuleDigest, Name, Payload, Routing, format_duration};

/// The longest idempotency key or signal id, in bytes.
const KEY_BYTES_MAX: usize = 256;
/// The longest delay or `max_duration`: ten years.
const SPAN_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

pub(super) fn payload(what: &'static str, payload: &Payload, bytes_max: usize) -> Result<()> {
    if payload.bytes() <= bytes_max {
        return Ok(());
    }
    Err(too_large(what, payload.bytes(), bytes_max, "payload_bytes_max"))
}

pub(super) fn too_large(
    what: &'static str,
    bytes: usize,
    max: usize,
    limit: &'static str,
) -> DispatchError {
    let wide = |length| u64::try_from(length).unwrap_or(u64::MAX);
    DispatchError::TooLarge { what, bytes: wide(bytes), max: wide(max), limit }
}

pub(super) fn priority(priority: i32) -> Result<()> {
    if (Routing::PRIORITY_MIN..=Routing::PRIORITY_MAX).contains(&priority) {
        return Ok(());
    }
    let bounds = format!("from {} to {}", Routing::PRIORITY_MIN, Routing::PRIORITY_MAX);
    Err(DispatchError::OutOfBounds { what: "priority", value: priority.to_string(), bounds })
}

pub(super) fn tags(tags: &[Name]) -> Result<()> {
    if tags.len() <= Routing::TAGS_MAX {
        return Ok(());
    }
    let value = format!("a list of {}", tags.len());
    let bounds = format!("at most {} tags", Routing::TAGS_MAX);
    Err(DispatchError::OutOfBounds { what: "tags", value, bounds })
}

/// A key is not hashed with the rest of the order, so it may be any printable text.
pub(super) fn key(what: &'static str, key: &str) -> Result<()> {
    let bytes_max = KEY_BYTES_MAX;
    let refused = |value: String| {
        let bounds = format!("1 to {bytes_max} bytes without control characters");
        Err(DispatchError::OutOfBounds { what, value, bounds })
    };
    if key.is_empty() || key.len() > bytes_max {
        return refused(format!("a text of {} bytes", key.len()));
    }
    if key.chars().any(char::is_control) {
        return refused(format!("{key:?}"));
    }
    Ok(())
}

/// The name of a module stands in paths, in file names and beside digests, and must not be taken for something else there.
pub(super) fn module_name(name: &Name) -> Result<()> {
    let what = "the module's name";
    path_name(what, name)?;
    if name.as_str().parse::<ModuleDigest>().is_ok() {
        let value = format!("{:?}", name.as_str());
        let bounds = "a name that is no digest".to_owned();
        return Err(DispatchError::OutOfBounds { what, value, bounds });
    }
    Ok(())
}

/// A name that stands in paths.
pub(super) fn path_name(what: &'static str, name: &Name) -> Result<()> {
    let refused = |bounds: &str| {
        let (value, bounds) = (format!("{:?}", name.as_str()), bounds.to_owned());
        Err(DispatchError::OutOfBounds { what, value, bounds })
    };
    let text = name.as_str();
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')) {
        return refused("made of letters from a to z, digits, _, - and .");
    }
    if text.starts_with('.') {
        return refused("a name that does not begin with a dot");
    }
    Ok(())
}

/// How many rows one page may have.
pub(super) fn page(limit: u32, page_max: u32) -> Result<u32> {
    if (1..=page_max).contains(&limit) {
        return Ok(limit);
    }
    let bounds = format!("from 1 to {page_max} (page_max)");
    Err(DispatchError::OutOfBounds { what: "limit", value: limit.to_string(), bounds })
}

pub(super) fn delay(delay: Duration) -> Result<()> {
    span("delay", delay, Duration::ZERO)
}

pub(super) fn max_duration(max_duration: Duration) -> Result<()> {
    span("max_duration", max_duration, Duration::from_millis(1))
}

fn span(what: &'static str, span: Duration, least: Duration) -> Result<()> {
    if (least..=SPAN_MAX).contains(&span) {
        return Ok(());
    }
    let bounds = format!("from {} to {}", format_duration(least), format_duration(SPAN_MAX));
    Err(DispatchError::OutOfBounds { what, value: format_duration(span), bounds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_its_bounds_is_named() {
        let told = |refused: Result<()>| refused.unwrap_err().to_string();

        assert_eq!(told(priority(101)), "priority is 101, it must be from -100 to 100");
        assert_eq!(
            told(page(0, 1_000).map(drop)),
            "limit is 0, it must be from 1 to 1000 (page_max)"
        );
        assert!(told(page(1_001, 1_000).map(drop)).contains("page_max"));
        assert!(told(key("idempotency_key", "")).contains("1 to 256 bytes"));
        assert!(told(key("idempotency_key", "a\nb")).contains("control characters"));
        assert!(told(max_duration(Duration::ZERO)).contains("from 1ms"));
        assert!(told(delay(Duration::MAX)).contains("delay is"));
        assert!(told(payload("the input", &Payload::null(), 3)).contains("payload_bytes_max"));
    }

    #[test]
    fn the_name_of_a_module_cannot_be_taken_for_something_else() {
        let check = |text: &str| module_name(&Name::new(text).unwrap());

        for bad in [".", "..", ".git", "a/b", "a b", "caf\u{e9}", "a?b", &"0".repeat(64)] {
            assert!(check(bad).is_err(), "{bad}");
        }
        for good in ["m", "A-1_b.c", "deadbeef", &"0".repeat(63), "a.."] {
            assert!(check(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn what_is_within_them_passes() {
        assert_eq!(page(1_000, 1_000).unwrap(), 1_000);
        let tag = Name::new("gpu").unwrap();

        assert!(tags(&vec![tag.clone(); Routing::TAGS_MAX]).is_ok());
        assert!(tags(&vec![tag; Routing::TAGS_MAX + 1]).is_err());
        assert!(priority(-100).is_ok());
        assert!(key("id", &"k".repeat(256)).is_ok());
        assert!(delay(Duration::ZERO).is_ok());
        assert!(payload("the input", &Payload::null(), 4).is_ok());
    }
}
