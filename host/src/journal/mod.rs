//! What happened to an execution, and so what to do now.
//!
//! Here live the entries of a journal and how they are written down ([`encode`], [`decode`]), the two cursors that walk a
//! journal while its workflow runs again ([`Replay`]), divergence, and how a journal is taken back to an earlier entry
//! ([`Revival`]). All of it is pure: no I/O, no clock, no runtime.
//!
//! Not here: where entries are kept (`store`), who runs the guest (`sandbox`), who starts what was called (`worker`).
//!
//! Invariants:
//! - The workflow's behaviour is a function of the journal: events are delivered one at a time, in journal order, only
//!   inside `next`.
//! - A command equals the recorded one and comes after the same event, or it is a [`Divergence`].
//! - No signal is lost or received twice, whatever is cancelled.

mod codec;
mod divergence;
mod entry;
mod replay;
mod revival;
#[cfg(test)]
mod tests;

pub use codec::{
    CodecError, Encoded, VERSION, decode, decode_arrival, decode_outcome, encode, encode_arrival,
    encode_outcome,
};
pub use divergence::{Divergence, Halt};
pub use entry::{
    Arrival, Blocked, Body, CommandEntry, Ended, Entry, Event, Recorded, Redrive, RunEntry,
    RunReason, Started,
};
pub use replay::{
    Admission, Command, Effect, HalfFull, Next, NextRun, NoBeginning, Pending, Replay, Request,
    Stop,
};
pub use revival::{Revival, WentOn, effective, plan};
