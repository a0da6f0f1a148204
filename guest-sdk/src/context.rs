//! The interface `context`: what workflows and steps tell the world about themselves.
//!
//! Writes are committed with the result of the step, so an attempt that fails adds nothing. Nothing written here can be
//! read by the guest: it cannot steer a replay. Outside a sandbox (a unit test of a step's body, compiled for the
//! developer's machine) writes go nowhere, and [`info`] describes an execution without a name.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::stepwell::workflow::context;
pub use crate::bindings::stepwell::workflow::types::Level;
use crate::executor::Activation;

const IN_SANDBOX: bool = cfg!(target_family = "wasm");

/// What this run of a workflow or step is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// The execution's id, a UUID.
    pub execution: String,
    /// The run, from 0.
    pub run: u32,
    /// The workflow's name.
    pub workflow: String,
    /// The step's name; none inside a workflow.
    pub step: Option<String>,
    /// From 1; 0 inside a workflow.
    pub attempt: u32,
    /// When this attempt (in a workflow: the execution) is stopped.
    pub deadline: Option<SystemTime>,
}

/// Tells what is running.
pub fn info() -> Info {
    if !IN_SANDBOX {
        return Info {
            execution: String::new(),
            run: 0,
            workflow: String::new(),
            step: None,
            attempt: 1,
            deadline: None,
        };
    }
    let context::ExecutionInfo { execution, run, workflow, step, attempt, deadline } =
        context::info();
    let deadline = deadline.map(|micros| SystemTime::UNIX_EPOCH + Duration::from_micros(micros));
    Info { execution, run, workflow, step, attempt, deadline }
}

/// The same text for every attempt of the same call, to send where a repeat must be recognised: a payment provider, for
/// example. Labels tell several uses in one step apart.
///
/// # Panics
/// Inside a workflow, which has nothing to send.
pub fn idempotency_key(label: &str) -> String {
    assert_in_step("idempotency_key");
    if IN_SANDBOX { context::idempotency_key(label) } else { label.to_owned() }
}

/// Says that this attempt is alive, and leaves `detail` for the next attempt.
///
/// # Panics
/// Inside a workflow, which needs none.
pub fn heartbeat(detail: impl Serialize) {
    assert_in_step("heartbeat");
    if IN_SANDBOX {
        context::heartbeat(&to_json(detail));
    }
}

/// What the attempt before this one left, where it is a `T`.
///
/// # Panics
/// Inside a workflow, which has no attempts.
pub fn last_heartbeat<T: DeserializeOwned>() -> Option<T> {
    assert_in_step("last_heartbeat");
    if !IN_SANDBOX {
        return None;
    }
    context::last_heartbeat().and_then(|detail| serde_json::from_str(&detail).ok())
}

/// A counter of the execution. At most 256 an execution.
pub fn counter(name: &str) -> Counter<'_> {
    Counter { name }
}

/// What [`counter`] returns.
#[derive(Debug, Clone, Copy)]
pub struct Counter<'a> {
    name: &'a str,
}

impl Counter<'_> {
    /// Adds to it; a negative amount takes away.
    pub fn add(self, amount: i64) {
        if IN_SANDBOX {
            context::counter_add(self.name, amount);
        }
    }
}

/// A value that people can read while the execution runs. At most 256 an execution.
pub fn state(key: &str) -> State<'_> {
    State { key }
}

/// What [`state`] returns.
#[derive(Debug, Clone, Copy)]
pub struct State<'a> {
    key: &'a str,
}

impl State<'_> {
    /// Sets it, at most 64 KiB.
    pub fn set(self, value: impl Serialize) {
        if IN_SANDBOX {
            context::set_state(self.key, &to_json(value));
        }
    }
}

/// A line for the execution's timeline. At most 1 KiB; what is longer is cut.
pub fn progress(text: impl AsRef<str>) {
    if IN_SANDBOX {
        context::progress(text.as_ref());
    }
}

/// A line for the execution's log. The macros of [`crate::log`] are the short way.
pub fn log(level: Level, message: &str, fields: impl Serialize) {
    if IN_SANDBOX {
        context::log(level, message, &to_json(fields));
    }
}

/// What cannot be written as JSON is worth a line, not the attempt.
fn to_json(value: impl Serialize) -> String {
    serde_json::to_string(&value)
        .unwrap_or_else(|error| format!("{:?}", format!("this is no JSON: {error}")))
}

fn assert_in_step(what: &str) {
    assert!(
        Activation::current().is_none(),
        "`{what}` only works inside a step: move it to a step that the workflow calls"
    );
}
