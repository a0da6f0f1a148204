//! The attributes and macros of `stepwell-sdk`, which re-exports them: use that crate.

#[path = "../../src/duration_text.rs"]
mod duration_text;
mod function;
mod module;
mod options;
mod select;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use syn::parse_macro_input;

use crate::function::{Kind, expand};

/// Makes a step of an `async fn` that returns `Result<T, Failure>`.
///
/// Calling the function inside a workflow gives a `Call`: awaiting it runs the step, wherever the cluster has room, and
/// gives its result. Inside another step it runs in place. One argument travels as itself, several as an object by name,
/// none as null; each may be given by value or by reference, and its type implements `Serialize`, `Deserialize` and
/// `JsonSchema`.
///
/// | option | meaning |
/// |---|---|
/// | `name = "charge-card"` | what journals say; the function's name unless given |
/// | `queue = "payments"`, `tags = ["gpu"]`, `priority = 10` | which hosts take it, and in which order |
/// | `retry(max_attempts = 3, initial_delay = "1s", backoff_factor = 2.0, max_delay = "60s", jitter = 0.1, retry_for = [], never_for = [])` | these are the defaults |
/// | `timeout = "5m"` | how long one attempt may take; the default is shown |
/// | `schedule_timeout = "1h"` | how long a call may wait in a queue |
/// | `max_concurrent = 5`, `rate = "10/s"` | limits across the cluster |
/// | `per_key(pointer = "/customer", max_concurrent = 5, rate = "10/s")` | the same for each key of the input: a JSON pointer (RFC 6901) |
/// | `cached`, `cache_ttl = "1h"` | keep the result for (module name, step, version, input), so long or for ever |
/// | `idempotent` | run once, cluster-wide, for (module name, step, version, input) |
/// | `version = "2"` | part of those keys: raise it, and older results answer nobody any more |
#[proc_macro_attribute]
pub fn step(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(Kind::Step, arguments.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a workflow of an `async fn` that returns `Result<T, Failure>`.
///
/// Calling the function inside another workflow gives a `Child`: an execution of its own. Arguments are as for `step`.
///
/// | option | meaning |
/// |---|---|
/// | `name = "checkout-v2"` | what callers use; the function's name unless given |
/// | `queue = "slow"`, `tags = ["eu"]`, `priority = 10` | which hosts take it, and in which order |
/// | `max_duration = "7d"` | after which the execution is `timed_out` |
/// | `version = "2"` | for people |
#[proc_macro_attribute]
pub fn workflow(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(Kind::Workflow, arguments.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a component of workflows and steps: once in a crate, at its top.
///
/// ```text
/// stepwell::module!(
///     workflows: [checkout],
///     steps: [reserve, payments::charge],
///     capabilities: { http = ["api.example.com:443"], dir = ["/in:ro"], env = ["REGION"], secret = ["API_KEY"] },
/// );
/// ```
#[proc_macro]
pub fn module(input: TokenStream) -> TokenStream {
    parse_macro_input!(input as module::Listing).expand().into()
}

/// Waits for the first of several futures, and drops the others, which cancels what they wait for.
///
/// ```text
/// let approved = select! {
///     approval = stepwell::receive::<bool>("approval") => approval?,
///     waited = stepwell::sleep("48h") => { waited?; false }
/// };
/// ```
///
/// Where several are ready the topmost wins, so that a replay goes the same way. To keep a future, pass `&mut future`.
#[proc_macro]
pub fn select(input: TokenStream) -> TokenStream {
    parse_macro_input!(input as select::Arms).expand().into()
}
