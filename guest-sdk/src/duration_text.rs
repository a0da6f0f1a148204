//! Durations as people write them, the same everywhere in Stepwell. The attributes read this file too, so that a text
//! which compiles is a text that runs.

/// Where and why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The byte at which it goes wrong, from 0.
    pub(crate) position: usize,
    /// What is wrong there.
    pub(crate) what: &'static str,
}

// `ms` comes first: it begins like `m`.
const UNITS: [(&str, u64); 6] = [
    ("ms", 1),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
];

/// Reads a whole text as a duration in milliseconds. Parts add up; each is a whole number and a unit.
pub(crate) fn milliseconds(text: &str) -> Result<u64, Fault> {
    if text.is_empty() {
        return Err(Fault { position: 0, what: "nothing is given" });
    }
    let mut total: u64 = 0;
    let mut position = 0;
    while position < text.len() {
        let rest = &text[position..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Err(Fault { position, what: "a number is missing" });
        }
        let too_large = Fault { position, what: "the number is too large" };
        let number: u64 = rest[..digits].parse().map_err(|_overflow| too_large)?;
        let rest = &rest[digits..];
        let Some((unit, size)) = UNITS.iter().find(|(unit, _)| rest.starts_with(unit)) else {
            let position = position + digits;
            return Err(Fault { position, what: "a unit (ms, s, m, h, d, w) is missing" });
        };
        total =
            number.checked_mul(*size).and_then(|part| total.checked_add(part)).ok_or(too_large)?;
        position += digits + unit.len();
    }
    Ok(total)
}

/// The whole sentence about a text that is no duration.
pub(crate) fn complaint(text: &str, fault: Fault) -> String {
    let Fault { position, what } = fault;
    format!(
        "{text:?} is no duration: {what} at position {position}; write for example \"30s\" or \"1h30m\""
    )
}
