//! What must be there once, whatever the host dies of.

use std::hash::{BuildHasher, RandomState};

use serde::{Deserialize, Serialize};
use stepwell::context::{counter, idempotency_key, info};
use stepwell::prelude::*;

/// One attempt of `ledger`, as an outsider would have seen it.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct Line {
    entry: String,
    execution: String,
    /// The same for every attempt of one call.
    key: String,
    attempt: u32,
    /// Another for every attempt.
    nonce: String,
}

/// Writes a line and returns it.
#[stepwell::step(retry(max_attempts = 5, initial_delay = "10ms"))]
pub(crate) async fn ledger(entry: String) -> Result<Line, Failure> {
    let stepwell::context::Info { execution, attempt, .. } = info();
    let key = idempotency_key("ledger");
    let nonce = format!("{:016x}", RandomState::new().hash_one(&key));
    stepwell::log::info!(
        ledger = true, entry = entry, execution = execution, key = key, attempt = attempt, nonce = nonce;
        "ledger {entry}"
    );
    counter("ledger").add(1);
    Ok(Line { entry, execution, key, attempt, nonce })
}

/// Writes so many lines, one after the other, and returns them.
#[stepwell::workflow]
pub(crate) async fn ledgered(lines: u32) -> Result<Vec<Line>, Failure> {
    let mut written = Vec::new();
    for line in 0..lines {
        written.push(ledger(format!("line-{line}")).await?);
    }
    Ok(written)
}

/// Does something, waits, and undoes it when it is cancelled while it waits.
#[stepwell::workflow]
pub(crate) async fn compensate(wait: String) -> Result<(), Failure> {
    ledger("done").await?;
    if let Err(failure) = sleep(wait).await {
        undo().await?;
        return Err(failure);
    }
    Ok(())
}

/// Undoes it.
#[stepwell::step(retry(max_attempts = 20, initial_delay = "10ms"))]
pub(crate) async fn undo() -> Result<(), Failure> {
    stepwell::log::warn!("undone");
    counter("undone").add(1);
    Ok(())
}

/// How far `rounds` has come.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct Rounds {
    left: u32,
    #[serde(default)]
    done: u32,
}

/// Goes on in a new run for each round, and returns how many there were.
#[stepwell::workflow(name = "continue_as_new")]
pub(crate) async fn rounds(rounds: Rounds) -> Result<u32, Failure> {
    let Rounds { left, done } = rounds;
    if left == 0 {
        return Ok(done);
    }
    ledger(format!("round-{done}")).await?;
    continue_as_new(Rounds { left: left - 1, done: done + 1 })
}
