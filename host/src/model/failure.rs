//! Why something failed, as guests and people see it.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Payload;

/// What a settled promise or a finished execution brings.
pub type Outcome = Result<Payload, Failure>;

/// Kinds of the host's own.
pub mod kind {
    /// The promise or execution was cancelled.
    pub const CANCELLED: &str = "cancelled";
    /// `max_duration` or `schedule_timeout` has passed.
    pub const TIMED_OUT: &str = "timed-out";
    /// The fuel of an attempt or segment was used up.
    pub const FUEL_EXHAUSTED: &str = "fuel-exhausted";
    /// The guest asked for more memory, tables or handles than it may have, and gave up.
    pub const MEMORY_EXCEEDED: &str = "memory-exceeded";
    /// One attempt took longer than its `timeout`.
    pub const DEADLINE_EXCEEDED: &str = "deadline-exceeded";
    /// A result, or what was written to stdout or the log, was larger than allowed.
    pub const OUTPUT_EXCEEDED: &str = "output-exceeded";
    /// The guest trapped.
    pub const TRAPPED: &str = "trapped";
    /// The module has no step of that name.
    pub const UNKNOWN_STEP: &str = "unknown-step";
    /// The module has no workflow of that name.
    pub const UNKNOWN_WORKFLOW: &str = "unknown-workflow";
    /// The input does not fit the schema.
    pub const INVALID_INPUT: &str = "invalid-input";
    /// The host that ran it was lost again and again.
    pub const HOST_LOST: &str = "host-lost";
    /// What the database holds of it cannot be read.
    pub const CORRUPT: &str = "corrupt";
    /// A person discarded the dead letter.
    pub const DISCARDED: &str = "discarded";
    /// A capability was used that nobody granted.
    pub const NOT_GRANTED: &str = "not-granted";
    /// The journal is as long as it may be.
    pub const JOURNAL_FULL: &str = "journal-full";
}

/// A failure: `kind` is matched by policies and callers, `message` is read by people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// Short and stable.
    pub kind: String,
    /// One sentence.
    pub message: String,
    /// JSON for people and callers, such as the guest's backtrace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Payload, required = false)]
    pub details: Option<Payload>,
}

impl Failure {
    /// The longest `kind`, in bytes; longer ones are cut.
    pub const KIND_BYTES_MAX: usize = 128;
    /// The longest `message`, in bytes; longer ones are cut.
    pub const MESSAGE_BYTES_MAX: usize = 8 * 1024;

    /// A failure without details.
    pub fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        let mut failure = Self { kind: kind.into(), message: message.into(), details: None };
        cut(&mut failure.kind, Self::KIND_BYTES_MAX);
        cut(&mut failure.message, Self::MESSAGE_BYTES_MAX);
        failure
    }

    /// The same with details.
    #[must_use]
    pub fn with_details(mut self, details: Payload) -> Self {
        self.details = Some(details);
        self
    }

    /// Whether it is of that kind.
    pub fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

fn cut(text: &mut String, bytes_max: usize) {
    text.truncate(text.floor_char_boundary(bytes_max));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_at_a_character() {
        let failure = Failure::new("é".repeat(100), "x");

        assert_eq!(failure.kind.len(), Failure::KIND_BYTES_MAX);
    }
}
