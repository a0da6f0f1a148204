//! The W3C trace context of an execution: which trace it belongs to, and the ids of its spans. Ids are derived from what is
//! durable, so that a replay, or another host, comes to the same ones.

mod span;

pub use span::{AttemptSpan, Span, Spanned, Tracer, Untraced};

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::{ExecutionId, Promise, Run, StepCall, Timestamp};

/// A trace, and whether whoever began it wants its spans recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// Never zero.
    id: u128,
    is_sampled: bool,
}

impl Trace {
    /// The trace that an execution was started in; where none is known, its own, by its id.
    pub fn of(execution: ExecutionId, parent: Option<TraceParent>) -> Self {
        let own =
            || Self { id: u128::from_be_bytes(*execution.as_bytes()).max(1), is_sampled: true };
        parent.map_or_else(own, |parent| parent.trace)
    }

    /// Its id.
    pub fn id(self) -> u128 {
        self.id
    }

    /// Whether its spans are wanted.
    pub fn is_sampled(self) -> bool {
        self.is_sampled
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.id)
    }
}

/// A span of a trace. Never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(u64);

impl SpanId {
    /// Of the start of an execution.
    pub fn of_start(execution: ExecutionId) -> Self {
        Self::derived(b"stepwell:start:", execution, [])
    }

    /// Of a run of an execution.
    pub fn of_run(execution: ExecutionId, run: Run) -> Self {
        Self::derived(b"stepwell:run:", execution, [u64::from(run.0)])
    }

    /// Of one claim of an execution: the one in which it had so many entries at that moment.
    pub fn of_activation(execution: ExecutionId, entries: u64, at: Timestamp) -> Self {
        let at = at.as_micros().unsigned_abs();
        Self::derived(b"stepwell:activation:", execution, [entries, at])
    }

    /// Of an attempt of a step. One that was lost and is made again is the same span: only the one that counts is told.
    pub fn of_attempt(execution: ExecutionId, call: (Run, Promise), attempt: u32) -> Self {
        let numbers = [call.0.0, call.1.0, attempt].map(u64::from);
        Self::derived(b"stepwell:attempt:", execution, numbers)
    }

    fn derived<const N: usize>(kind: &[u8], execution: ExecutionId, numbers: [u64; N]) -> Self {
        let hasher = Sha256::new().chain_update(kind).chain_update(execution.as_bytes());
        let hasher =
            numbers.iter().fold(hasher, |hasher, number| hasher.chain_update(number.to_be_bytes()));
        let hash: [u8; 32] = hasher.finalize().into();
        Self(hash.first_chunk().map_or(1, |half| u64::from_be_bytes(*half)).max(1))
    }

    /// As a number.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

/// What a `traceparent` says: a trace, and the span in it that caused what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace: Trace,
    /// The cause.
    pub span: SpanId,
}

impl TraceParent {
    /// What the requests of an attempt carry: the attempt caused them.
    pub fn of_attempt(call: &StepCall) -> Self {
        let span = SpanId::of_attempt(call.execution, (call.run, call.promise), call.attempt);
        Self { trace: call.trace, span }
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{:016x}-{:02x}", self.trace, self.span.0, u8::from(self.trace.is_sampled))
    }
}

/// A text that is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no traceparent of the W3C")]
pub struct BadTraceParent;

impl FromStr for TraceParent {
    type Err = BadTraceParent;

    /// Version 00 has exactly these four fields; later ones may have more behind them.
    fn from_str(text: &str) -> Result<Self, BadTraceParent> {
        let mut fields = text.split('-');
        let mut field = |digits| hex(fields.next().unwrap_or_default(), digits);
        let (version, trace) = (field(2)?, field(32)?);
        let (span, flags) = (field(16)?, field(2)?);
        let has_more = fields.next().is_some();
        let span = u64::try_from(span).map_err(|_more_digits| BadTraceParent)?;
        if version == 0xff || (version == 0 && has_more) || trace == 0 || span == 0 {
            return Err(BadTraceParent);
        }
        let trace = Trace { id: trace, is_sampled: flags & 1 == 1 };
        Ok(Self { trace, span: SpanId(span) })
    }
}

fn hex(text: &str, digits: usize) -> Result<u128, BadTraceParent> {
    let is_hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    if text.len() != digits || !text.bytes().all(is_hex) {
        return Err(BadTraceParent);
    }
    u128::from_str_radix(text, 16).map_err(|_no_number| BadTraceParent)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ExecutionId = ExecutionId::from_bytes([7; 16]);
    const ASKED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_is_written_as_it_was_read() {
        for text in [ASKED, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"] {
            assert_eq!(text.parse::<TraceParent>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn of_a_later_version_what_is_known_is_read() {
        let later = "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03-what-the-future-holds";

        assert_eq!(later.parse::<TraceParent>().unwrap().to_string(), ASKED);
    }

    #[test]
    fn what_the_w3c_calls_invalid_is_refused() {
        for text in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b71692033311-01",
        ] {
            assert_eq!(text.parse::<TraceParent>(), Err(BadTraceParent), "{text}");
        }
    }

    #[test]
    fn without_a_request_that_says_otherwise_the_trace_is_the_execution() {
        let own = Trace::of(ID, None);

        assert_eq!(own.to_string(), "07070707070707070707070707070707");
        assert!(own.is_sampled());
        let asked = ASKED.parse().unwrap();
        assert_eq!(Trace::of(ID, Some(asked)), asked.trace);
    }

    #[test]
    fn each_attempt_and_each_run_is_a_span_of_its_own_and_always_the_same() {
        let attempt = |number| SpanId::of_attempt(ID, (Run(0), Promise(3)), number);

        assert_ne!(attempt(1), attempt(2));
        assert_eq!(attempt(1), attempt(1));
        assert_ne!(SpanId::of_run(ID, Run(0)), SpanId::of_run(ID, Run(1)));
        assert_ne!(SpanId::of_run(ID, Run(0)), SpanId::of_start(ID));
    }
}
