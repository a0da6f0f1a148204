//! The part of `context` that is the same in workflows and steps: what a guest says about itself.

use super::bindings::stepwell::workflow::types::Level;
use super::guest::{Guest, Verdict};
use super::notebook::{Overfull, STATE_BYTES_MAX};
use super::words;
use crate::model::kind;

/// What a byte costs that is looked at and perhaps kept.
const BYTE_FUEL: u64 = 2;

/// Adds to a counter.
pub(super) fn count<W>(guest: &mut Guest<W>, name: &str, amount: i64) -> wasmtime::Result<()> {
    let name = words::name("the name of the counter", name)?;
    heard(guest.notebook().count(name, amount))
}

/// Sets a value that people can read.
pub(super) fn set<W>(guest: &mut Guest<W>, key: &str, value: String) -> wasmtime::Result<()> {
    guest.meter.charge(BYTE_FUEL.saturating_mul(value.len() as u64));
    if value.len() > STATE_BYTES_MAX {
        let what = format!(
            "the state {:?} has {} bytes, at most {STATE_BYTES_MAX} are allowed: return what is large as a result",
            &key[..key.floor_char_boundary(64)],
            value.len()
        );
        return Err(Verdict::failed(kind::OUTPUT_EXCEEDED, what));
    }
    let key = words::name("the key of the state", key)?;
    let value = words::payload("the value of the state", value, STATE_BYTES_MAX)?;
    heard(guest.notebook().set(key, value))
}

/// Adds a line to the timeline.
pub(super) fn progress<W>(guest: &mut Guest<W>, text: &str) -> wasmtime::Result<()> {
    heard(guest.notebook().progress(text))
}

/// Adds a line to the log.
pub(super) fn log<W>(
    guest: &mut Guest<W>,
    level: Level,
    message: &str,
    fields: String,
) -> wasmtime::Result<()> {
    let bytes = (message.len() + fields.len()) as u64;
    guest.meter.charge(BYTE_FUEL.saturating_mul(bytes));
    let fields = words::payload("the fields of the log line", fields, guest.payload_bytes_max)?;
    heard(guest.notebook().log(words::level(level), message, fields))
}

fn heard(kept: Result<(), Overfull>) -> wasmtime::Result<()> {
    kept.map_err(|overfull| Verdict::failed(kind::OUTPUT_EXCEEDED, overfull.to_string()))
}
