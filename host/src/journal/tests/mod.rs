//! Random programs against random worlds, and one example for each sentence of the contract.
//!
//! A [`program`] is what a guest does; a [`guest`] runs it against a `Replay` as the sandbox would; a [`world`] plays the
//! owner: it begins what was called, admits arrivals in any order, commits, and dies. [`rules`] says what must be true of
//! every transcript.

mod admitting;
mod coding;
mod diverging;
mod ending;
mod going_on;
mod guest;
mod life;
mod program;
mod receiving;
mod replaying;
mod reviving;
mod rules;
mod world;

use proptest::prelude::ProptestConfig;

use super::{Command, Started};
use crate::model::{CallOptions, ExecutionId, Limits, Name, Payload, Timestamp};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn json(value: impl Into<serde_json::Value>) -> Payload {
    Payload::of(&value.into())
}

fn execution() -> ExecutionId {
    ExecutionId::from_bytes([7; 16])
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn call(step: &str) -> Command {
    Command::Call { step: name(step), input: json("in"), options: CallOptions::default() }
}

fn started() -> Started {
    Started { workflow: name("flow"), input: json("in"), seed: [3; 32] }
}

fn limits() -> Limits {
    Limits::for_cores(2)
}

/// Random cases, of which nothing is kept beside the sources: what fails becomes an example of its own.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}
