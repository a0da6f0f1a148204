//! How entries and arrivals are written down: a version, a small indexed CBOR head, and the payload's bytes as they are.
//!
//! The head's fields are numbered and every new one is optional, so an older binary skips what it does not know and a newer
//! one reads what it misses as its default. A number is never used twice.

use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

mod read;
mod write;

pub use read::{decode, decode_arrival, decode_outcome};
pub use write::{encode, encode_arrival, encode_outcome};

use super::entry::RunReason;
use crate::model::StepUsage;

/// The version of entries that this binary writes. It reads this one and all before it.
pub const VERSION: u8 = 1;

/// An entry or arrival as a row holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// What it is: 0 to 9 frame, 10 to 19 command, 20 to 29 event, 30 to 39 arrival that is no event.
    pub kind: i16,
    /// What it settles or creates.
    pub promise: Option<u32>,
    /// Of the step, workflow or signal.
    pub name: Option<String>,
    /// The version, then indexed CBOR.
    pub head: Vec<u8>,
    /// The payload's bytes. Absent also where a command was loaded without its input.
    pub data: Option<Vec<u8>>,
}

/// Why a row cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// It was written by a newer binary.
    #[error("it is of version {0}, this binary reads up to {VERSION}")]
    Newer(u8),
    /// It is no entry.
    #[error("it is no entry: {0}")]
    Malformed(String),
}

mod number {
    pub(super) const STARTED: i16 = 0;
    pub(super) const RUN: i16 = 1;
    pub(super) const ENDED: i16 = 2;
    pub(super) const NOTED: i16 = 3;
    pub(super) const CALL: i16 = 10;
    pub(super) const CALL_MANY: i16 = 11;
    pub(super) const START_CHILD: i16 = 12;
    pub(super) const SLEEP: i16 = 13;
    pub(super) const RECEIVE: i16 = 14;
    pub(super) const CANCEL: i16 = 15;
    pub(super) const CONTINUE_AS_NEW: i16 = 16;
    pub(super) const SETTLED: i16 = 20;
    pub(super) const FIRED: i16 = 21;
    pub(super) const RECEIVED: i16 = 22;
    pub(super) const CANCEL_REQUESTED: i16 = 23;
    pub(super) const EXPIRED: i16 = 24;
    pub(super) const CANCEL_BY_FORCE: i16 = 30;
}

/// The head of every kind: what a kind does not use is absent and costs nothing.
#[derive(Debug, Default, Encode, Decode)]
#[cbor(map)]
struct Head {
    #[n(0)]
    after: Option<u64>,
    #[n(1)]
    noted: Option<u64>,
    #[n(2)]
    hash: Option<ByteArray<16>>,
    /// The lengths of a call-many's inputs, whose bytes lie one after the other in the data.
    #[n(3)]
    lengths: Option<Vec<u32>>,
    /// An execution (16 bytes), a digest or a seed (32 bytes).
    #[n(4)]
    bytes: Option<ByteVec>,
    #[n(5)]
    flag: Option<bool>,
    /// Milliseconds of a sleep, or fuel of an end.
    #[n(6)]
    amount: Option<u64>,
    /// When a timer is due, in microseconds.
    #[n(7)]
    due: Option<i64>,
    #[n(8)]
    promises: Option<Vec<u32>>,
    /// Of a failure.
    #[n(9)]
    failure_kind: Option<String>,
    /// Of a failure; or why a cancel was asked for.
    #[n(10)]
    message: Option<String>,
    #[n(11)]
    usage: Option<Usage>,
    #[n(12)]
    attempt: Option<u32>,
    /// A sender's id, or those carried into another run.
    #[n(13)]
    ids: Option<Vec<String>>,
    /// A state or a reason.
    #[n(14)]
    word: Option<String>,
    #[n(15)]
    from: Option<u64>,
    #[n(16)]
    count: Option<u32>,
}

#[derive(Debug, Clone, Copy, Encode, Decode)]
#[cbor(array)]
struct Usage {
    #[n(0)]
    fuel: u64,
    #[n(1)]
    memory_peak_bytes: u64,
    #[n(2)]
    duration_micros: u64,
}

impl From<StepUsage> for Usage {
    fn from(usage: StepUsage) -> Self {
        let StepUsage { fuel, memory_peak_bytes, duration_micros } = usage;
        Self { fuel, memory_peak_bytes, duration_micros }
    }
}

impl From<Usage> for StepUsage {
    fn from(usage: Usage) -> Self {
        let Usage { fuel, memory_peak_bytes, duration_micros } = usage;
        Self { fuel, memory_peak_bytes, duration_micros }
    }
}

fn reason_word(why: RunReason) -> &'static str {
    match why {
        RunReason::ContinueAsNew => "continue-as-new",
        RunReason::Retry => "retry",
        RunReason::Redrive => "redrive",
        RunReason::Upgrade => "upgrade",
    }
}
