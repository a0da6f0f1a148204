//! A step as a guest: one attempt in an instance of its own, with what its module was granted and nothing else.

mod attempt;
mod context;
mod durable;
pub(super) mod egress;
mod equipment;
pub(super) mod secret;

pub(super) use attempt::{describe, run, unmade};
pub use equipment::Equipment;

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

/// The linker of steps: WASI 0.2 with the real clock and real randomness, no sockets, and of files, environment and HTTP what
/// the attempt was given. One linker for all: what is not granted is refused by the host's functions, so that a module needs
/// no other code for another grant.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest<Step>>> {
    let mut linker = Linker::new(engine);
    p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    World::add_to_linker::<_, HasSelf<Guest<Step>>>(&mut linker, |guest| guest)?;
    Ok(linker)
}
