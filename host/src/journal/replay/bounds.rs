//! What a journal may grow to, and the word of warning at half of it.

use std::fmt;

use super::Replay;
use crate::model::Limits;

/// What a journal may grow to.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "the ends of the limits' names")]
pub(super) struct Bounds {
    pub(super) entries_max: u64,
    pub(super) bytes_max: u64,
    pub(super) open_max: usize,
}

impl Bounds {
    pub(super) fn of(limits: &Limits) -> Self {
        Self {
            entries_max: limits.journal_entries_max,
            bytes_max: limits.journal_bytes_max,
            open_max: limits.open_promises_max,
        }
    }
}

/// A journal has passed half of what it may grow to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HalfFull {
    limit: &'static str,
    unit: &'static str,
    used: u64,
    max: u64,
}

impl fmt::Display for HalfFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, unit, used, max } = self;
        write!(
            f,
            "the journal has {used} of at most {max} {unit} ({limit}): the workflow fails when it is full; \
             have it continue as new before that"
        )
    }
}

impl Replay {
    /// Which of its limits the journal has passed half of, where there is one.
    pub fn half_full(&self) -> Option<HalfFull> {
        let Bounds { entries_max, bytes_max, open_max: _ } = self.bounds;
        let past_half = |limit, unit, used: u64, max: u64| {
            (used > max / 2).then_some(HalfFull { limit, unit, used, max })
        };
        past_half("journal_entries_max", "entries", self.entries(), entries_max)
            .or_else(|| past_half("journal_bytes_max", "bytes", self.bytes, bytes_max))
    }
}
