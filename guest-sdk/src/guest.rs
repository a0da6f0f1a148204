//! The interface `guest`: what the host calls.

use std::panic::PanicHookInfo;
use std::sync::Once;

use serde_json::json;

use crate::Failure;
pub use crate::bindings::exports::stepwell::workflow::guest::Guest;
use crate::bindings::stepwell::workflow::types;
use crate::context::{Level, log};
use crate::durable::{CONTINUED_AS_NEW, Imports};
use crate::executor::{self, Ending};
use crate::failure::into_wit;
use crate::manifest::Module;
use crate::promise::Outcome;

/// The failure kind for a workflow that the module does not have.
const UNKNOWN_WORKFLOW: &str = "unknown-workflow";

/// The failure kind for a step that the module does not have.
const UNKNOWN_STEP: &str = "unknown-step";

/// Runs a workflow of the module.
pub fn run_workflow(module: &Module, name: &str, input: String) -> types::Outcome {
    report_panics();
    let Some(entry) = module.workflow(name) else {
        let message = format!("this module has no workflow {name}");
        return Err(into_wit(Failure::new(UNKNOWN_WORKFLOW, message)));
    };
    conclude(executor::run_workflow(Box::new(Imports), || entry.run(input))).map_err(into_wit)
}

/// Runs a step of the module.
pub fn run_step(module: &Module, name: &str, input: String) -> types::Outcome {
    report_panics();
    let Some(entry) = module.step(name) else {
        let message = format!("this module has no step {name}");
        return Err(into_wit(Failure::new(UNKNOWN_STEP, message)));
    };
    executor::run_step(entry.run(input)).map_err(into_wit)
}

/// What the host is told. The failure that unwound a workflow which continues as new is none of its business.
pub(crate) fn conclude(ending: Ending) -> Outcome {
    match ending {
        Ending::Continued(Err(failure)) if failure.is(CONTINUED_AS_NEW) => Ok("null".to_owned()),
        Ending::Continued(outcome) | Ending::Returned(outcome) => outcome,
    }
}

/// A panic ends the instance with a trap, which has no message: so it is logged first.
fn report_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(report_panic)));
}

fn report_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("the panic carries no text");
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    log(Level::Error, &format!("panicked at {location}: {message}"), json!({ "panic": location }));
}
