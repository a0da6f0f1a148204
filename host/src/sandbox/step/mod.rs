//! A step as a guest: one attempt in an instance of its own, with nothing granted.

mod attempt;
mod context;
mod durable;

pub(super) use attempt::{describe, run, unmade};

use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi::p2;

use super::bindings::Module as World;
use super::guest::Guest;
use crate::model::{Payload, StepCall};

/// What only a step has.
#[derive(Debug)]
pub(super) struct Step {
    /// None while the module describes itself.
    call: Option<StepCall>,
    heartbeat: Option<Payload>,
}

/// The linker of steps: WASI 0.2 with the real clock and real randomness, no files, no sockets, no environment.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest<Step>>> {
    let mut linker = Linker::new(engine);
    p2::add_to_linker_async(&mut linker)?;
    World::add_to_linker::<_, HasSelf<Guest<Step>>>(&mut linker, |guest| guest)?;
    Ok(linker)
}
