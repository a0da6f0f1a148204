//! From the error that ended a guest to whose fault it is and what its author is told.

use serde_json::json;
use wasmtime::{PoolConcurrencyLimitError, Store, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use super::SandboxError;
use super::guest::{Guest, Verdict};
use super::limits::Refused;
use crate::journal::Divergence;
use crate::model::{Failure, Payload, kind};

/// Why a guest ended without an answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// Its own fault.
    Failed(Failure),
    /// It did something else than its journal says.
    Diverged(Divergence),
    /// Nobody waits for it any more.
    Abandoned,
    /// This host's fault.
    Host(SandboxError),
}

/// Which of the limits a guest runs under, for the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Budget {
    /// Of a step's attempt.
    Attempt,
    /// Of a workflow between two waits.
    Segment,
}

/// What the engine says when a call carries too much, for which it has no type.
const TOO_MUCH_CARRIED: &str = "fuel allocated for hostcalls has been exhausted";
/// The same where a guest holds too many handles.
const TOO_MANY_HANDLES: &str = "store handle limit exceeded";

/// Says whose fault an error is.
pub(super) fn blame<W>(error: wasmtime::Error, store: &Store<Guest<W>>, budget: Budget) -> Fault {
    if let Some(full) = error.downcast_ref::<PoolConcurrencyLimitError>() {
        tracing::warn!(cause = %full, "No slot for another instance is free");
        return Fault::Host(SandboxError::Full);
    }
    let details = details(&error, store.data());
    let failure = match error.downcast::<Verdict>() {
        Ok(Verdict::Diverged(divergence)) => return Fault::Diverged(divergence),
        Ok(Verdict::Abandoned) => return Fault::Abandoned,
        Ok(Verdict::Failed(failure)) => failure,
        Err(error) => failure(&error, store.data(), budget),
    };
    Fault::Failed(if failure.details.is_some() { failure } else { failure.with_details(details) })
}

fn failure<W>(error: &wasmtime::Error, guest: &Guest<W>, budget: Budget) -> Failure {
    let trap = error.downcast_ref::<Trap>().copied();
    if trap == Some(Trap::OutOfFuel) {
        return out_of_fuel(guest.meter.budget(), budget);
    }
    if let Some(refused) = guest.bounds.refused() {
        return memory_exceeded(refused, guest.bounds.maxima());
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        let message =
            format!("the guest called exit({}): return a value or a failure instead", exit.0);
        return Failure::new(kind::TRAPPED, message);
    }
    let said = error.root_cause().to_string();
    match trap {
        Some(Trap::StackOverflow) => Failure::new(
            kind::TRAPPED,
            "the guest's stack is full: recursion is too deep, or a value on the stack too large; use a loop, or a Box",
        ),
        Some(Trap::UnreachableCodeReached) => Failure::new(kind::TRAPPED, panic_text(guest)),
        _ if said.contains(TOO_MUCH_CARRIED) => Failure::new(
            kind::OUTPUT_EXCEEDED,
            format!(
                "more was handed over at once than a payload may have ({} bytes, payload_bytes_max): hand over less, \
                 or a reference to where it is kept",
                guest.payload_bytes_max
            ),
        ),
        _ if said.contains(TOO_MANY_HANDLES)
            || said.contains("resource table has no free keys") =>
        {
            Failure::new(
                kind::MEMORY_EXCEEDED,
                "the guest holds too many handles: drop what it no longer uses",
            )
        }
        _ => Failure::new(kind::TRAPPED, format!("the guest trapped: {said}")),
    }
}

fn out_of_fuel(units: u64, budget: Budget) -> Failure {
    let message = match budget {
        Budget::Attempt => format!(
            "the attempt used up its {units} units of fuel (step_fuel): split the work into several steps, or raise \
             the limit"
        ),
        Budget::Segment => format!(
            "the workflow used up its {units} units of fuel without waiting (segment_fuel): move the work to a step"
        ),
    };
    Failure::new(kind::FUEL_EXHAUSTED, message)
}

fn memory_exceeded(refused: Refused, (bytes_max, elements_max): (usize, usize)) -> Failure {
    let message = match refused {
        Refused::Memory(bytes) => format!(
            "the guest wanted {bytes} bytes of memory, it may have {bytes_max} (guest_memory_bytes_max): work on \
             smaller pieces, or raise the limit"
        ),
        Refused::Table(elements) => format!(
            "the guest wanted {elements} table entries, it may have {elements_max} (guest_table_elements_max)"
        ),
    };
    Failure::new(kind::MEMORY_EXCEEDED, message)
}

/// A guest that panics logs or prints why and then runs into an instruction that traps.
fn panic_text<W>(guest: &Guest<W>) -> String {
    let notebook = guest.notebook();
    let lines = notebook.last_errors();
    match lines.iter().rposition(|line| line.contains("panicked at ")) {
        Some(begin) => format!("the guest panicked: {}", lines[begin..].join(" ")),
        None => {
            "the guest trapped: it ran into an unreachable instruction, as after a panic".to_owned()
        }
    }
}

/// The guest's own frames, innermost first, by the names in its name section.
fn details<W>(error: &wasmtime::Error, guest: &Guest<W>) -> Payload {
    let frames: Vec<String> = error
        .downcast_ref::<WasmBacktrace>()
        .map(WasmBacktrace::frames)
        .unwrap_or_default()
        .iter()
        .map(|frame| match frame.func_name() {
            Some(name) => name.chars().filter(|c| !c.is_control()).take(200).collect(),
            None => format!("function {}", frame.func_index()),
        })
        .collect();
    let errors = guest.notebook().last_errors().to_vec();
    Payload::of(&json!({ "backtrace": frames, "last_errors": errors }))
}
