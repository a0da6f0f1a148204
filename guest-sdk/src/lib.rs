//! Write durable workflows and steps for Stepwell in ordinary async Rust.
//!
//! A *step* does the work and may touch the world; a *workflow* only coordinates, and survives whatever happens to the
//! host it runs on. Both live in a *module*: one WebAssembly component. This is a whole one:
//!
//! ```
//! # extern crate stepwell_sdk as stepwell;
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//! use stepwell::prelude::*;
//!
//! #[derive(Clone, Serialize, Deserialize, JsonSchema)]
//! struct Order {
//!     id: String,
//!     cents: u64,
//! }
//!
//! /// Puts the goods aside.
//! #[stepwell::step(timeout = "5s")]
//! async fn reserve(order: Order) -> Result<String, Failure> {
//!     Ok(format!("stock-of-{}", order.id))
//! }
//!
//! /// Charges the card and returns the receipt number.
//! #[stepwell::step(retry(max_attempts = 5, initial_delay = "1s", never_for = ["declined"]), timeout = "30s")]
//! async fn charge(order: Order) -> Result<String, Failure> {
//!     if order.cents > 1_000_000 {
//!         stepwell::bail!("declined", "{} is too much for any card", order.cents);
//!     }
//!     // The same text on every attempt: whoever takes the money can recognise a repeat.
//!     Ok(stepwell::context::idempotency_key("receipt"))
//! }
//!
//! /// Sells one order, once somebody has approved it.
//! #[stepwell::workflow(max_duration = "7d")]
//! async fn checkout(order: Order) -> Result<String, Failure> {
//!     let stock = reserve(&order).await?;
//!     stepwell::select! {
//!         approved = stepwell::receive::<bool>("approval") => {
//!             if !approved? { stepwell::bail!("refused", "{stock} goes back"); }
//!         }
//!         waited = stepwell::sleep("48h") => {
//!             waited?;
//!             stepwell::bail!("too-late", "nobody approved within two days");
//!         }
//!     }
//!     charge(order).timeout("10s").await
//! }
//!
//! stepwell::module!(workflows: [checkout], steps: [reserve, charge]);
//! # fn main() {}
//! ```
//!
//! Its `Cargo.toml` has `crate-type = ["cdylib"]`, `stepwell = { package = "stepwell-sdk", ... }`, `serde` with `derive`
//! and `schemars`; `cargo build --release --target wasm32-wasip2` makes the component.
//!
//! The guides are in `docs/`: `getting-started.md`, `concepts.md`, then `workflows.md`, `steps.md`, `errors-and-retries.md`, `parallel.md`,
//! `signals.md`, `sagas.md`, `versions.md`, and `testing.md` for tests of modules; `docs/README.md` lists all of them. What follows is
//! their shortest form.
//!
//! # What holds in a workflow
//!
//! - It is run again from its start whenever it is woken from disk, and must then ask for the same things in the same
//!   order. So it sees no clock, file, socket, thread or randomness but [`now`] and [`random`]; everything else belongs
//!   in a step.
//! - Futures are ordinary: `join!`, [`select!`], `join_all`, `FuturesUnordered` and [`timeout`] work. A future asks the
//!   host for something when it is first polled, not when it is made; dropping it cancels what it asked for.
//! - When the execution is cancelled, whatever is being awaited fails with [`Failure::CANCELLED`]. What is awaited after
//!   that runs normally, so that a workflow can put right what it did; [`saga()`] does that in reverse order.
//! - A channel or mutex of an async library works between the futures of one workflow, but a workflow that waits only for
//!   such a thing fails with [`Failure::DEADLOCKED`].
//!
//! # What holds in a step
//!
//! - Every attempt runs in a sandbox of its own and ends with a value or a [`Failure`]; policies match on its kind.
//! - A step called inside a step runs in place. [`sleep`], [`receive`] and children fail there with
//!   [`Failure::MISPLACED`].

// The attributes and their expansions say `::stepwell`, in the tests of this crate too.
extern crate self as stepwell;

#[doc(hidden)]
pub mod bindings;
mod call;
mod capability;
mod child;
pub mod context;
mod definition;
mod durable;
mod duration;
mod duration_text;
mod executor;
mod failure;
mod guest;
pub mod http;
pub mod log;
mod manifest;
mod map;
mod place;
pub mod prelude;
mod promise;
mod retry;
mod saga;
mod signal;
#[cfg(test)]
mod tests;
mod timer;

pub use futures::{join, try_join};
pub use stepwell_sdk_macros::{module, select, step, workflow};

pub use call::Call;
pub use capability::{env, secret};
pub use child::Child;
pub use definition::Argument;
pub use durable::{continue_as_new, now, random};
pub use duration::IntoDuration;
pub use failure::Failure;
pub use map::{IN_FLIGHT_MAX, Map, MapOutcomes, map, map_outcomes};
pub use place::Place;
pub use retry::Retry;
pub use saga::{NotUndone, Saga, Undo, Unfinished, saga};
pub use signal::{Drain, Receive, ReceiveInTime, drain, receive};
pub use timer::{Elapsed, Sleep, Timeout, sleep, timeout};

/// For what the macros expand to. Nothing here is stable.
#[doc(hidden)]
pub mod __private {
    pub use crate::bindings::{self, export_guest, stepwell::workflow::types::Outcome};
    pub use crate::definition::{Argument, Arguments, Definition, Returned, Step, Workflow};
    pub use crate::guest::{Guest, run_step, run_workflow};
    pub use crate::manifest::{Capabilities, Entry, Module, assert_unique};
    pub use {schemars, serde, serde_json};
}
