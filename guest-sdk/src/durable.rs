//! The interface `durable`, and the few of its functions that need no promise.

use std::rc::Rc;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::Failure;
use crate::bindings::stepwell::workflow::durable;
use crate::executor::Activation;
use crate::failure::from_wit;
use crate::promise::Outcome;

pub(crate) use durable::{CallOptions, ChildOptions, Promise};

/// What the host does for a workflow. In a sandbox it is [`Imports`]; the tests of this crate play the host themselves.
pub(crate) trait Durable {
    fn call(&self, step: &str, input: &str, options: &CallOptions) -> Promise;
    fn call_many(&self, step: &str, inputs: &[String], options: &CallOptions) -> Promise;
    fn start_child(&self, workflow: &str, input: &str, options: &ChildOptions) -> Promise;
    fn sleep(&self, milliseconds: u64) -> Promise;
    fn receive(&self, signal: &str) -> Promise;
    fn cancel(&self, promises: &[Promise]);
    fn next(&self) -> Option<(Promise, Outcome)>;
    fn now(&self) -> u64;
    fn random(&self, length: u32) -> Vec<u8>;
    fn continue_as_new(&self, input: &str);
}

/// The functions that the host gives to this component.
pub(crate) struct Imports;

impl Durable for Imports {
    fn call(&self, step: &str, input: &str, options: &CallOptions) -> Promise {
        durable::call(step, input, options)
    }

    fn call_many(&self, step: &str, inputs: &[String], options: &CallOptions) -> Promise {
        durable::call_many(step, inputs, options)
    }

    fn start_child(&self, workflow: &str, input: &str, options: &ChildOptions) -> Promise {
        durable::start_child(workflow, input, options)
    }

    fn sleep(&self, milliseconds: u64) -> Promise {
        durable::sleep(milliseconds)
    }

    fn receive(&self, signal: &str) -> Promise {
        durable::receive(signal)
    }

    fn cancel(&self, promises: &[Promise]) {
        durable::cancel(promises);
    }

    fn next(&self) -> Option<(Promise, Outcome)> {
        let (promise, outcome) = durable::next().ok()?;
        Some((promise, outcome.map_err(from_wit)))
    }

    fn now(&self) -> u64 {
        durable::now()
    }

    fn random(&self, length: u32) -> Vec<u8> {
        durable::random(length)
    }

    fn continue_as_new(&self, input: &str) {
        durable::continue_as_new(input);
    }
}

/// The most bytes that the host gives at once.
const RANDOM_BYTES_MAX: usize = 4_096;

/// The time of the last thing that happened to this execution: the same on every replay, and it moves only where the
/// workflow waits.
///
/// # Panics
/// Outside a workflow. A step has a real clock: `std::time::SystemTime::now`.
pub fn now() -> SystemTime {
    let activation = inside_a_workflow("now", "use std::time::SystemTime::now there");
    SystemTime::UNIX_EPOCH + Duration::from_micros(activation.durable().now())
}

/// Random bytes from the execution's own seed: the same on every replay.
///
/// # Panics
/// Outside a workflow. A step has real randomness.
pub fn random(length: usize) -> Vec<u8> {
    let activation = inside_a_workflow("random", "use a crate such as getrandom there");
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let wanted = (length - bytes.len()).min(RANDOM_BYTES_MAX);
        let wanted = u32::try_from(wanted).expect("RANDOM_BYTES_MAX fits in 32 bits");
        bytes.extend(activation.durable().random(wanted));
    }
    bytes
}

/// Ends this run and begins the next one with another input and an empty journal; signals that nobody received are
/// carried over. Return what this gives:
///
/// ```no_run
/// # extern crate stepwell_sdk as stepwell;
/// # use stepwell::prelude::*;
/// #[stepwell::workflow]
/// async fn poller(round: u64) -> Result<(), Failure> {
///     stepwell::sleep("1h").await?;
///     stepwell::continue_as_new(round + 1)
/// }
/// # fn main() {}
/// ```
pub fn continue_as_new<T>(input: impl Serialize) -> Result<T, Failure> {
    let Some(activation) = Activation::current() else {
        return Err(misplaced("continue_as_new"));
    };
    let input = serde_json::to_string(&input)
        .map_err(|error| Failure::new(Failure::INVALID_INPUT, error))?;
    activation.continue_as_new(&input);
    Err(Failure::new(CONTINUED_AS_NEW, "return this failure from the workflow"))
}

/// What unwinds a workflow that goes on in its next run. It never leaves the module.
pub(crate) const CONTINUED_AS_NEW: &str = "continued-as-new";

/// What a step hears when it asks for something durable.
pub(crate) fn misplaced(what: &str) -> Failure {
    Failure::new(
        Failure::MISPLACED,
        format!(
            "`{what}` only works inside a workflow: move it to the workflow that calls this step"
        ),
    )
}

#[expect(
    clippy::panic,
    reason = "`now` and `random` have no failure to return; their documentation says so"
)]
fn inside_a_workflow(what: &str, instead: &str) -> Rc<Activation> {
    match Activation::current() {
        Some(activation) => activation,
        None => panic!("{}; {instead}", misplaced(what).message),
    }
}
