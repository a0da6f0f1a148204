//! Between the words of the world (`wit/`) and those of the model. Everything a guest says is checked here.

use std::time::Duration;

use super::bindings::stepwell::workflow::{durable, types};
use super::guest::{Guest, Verdict};
use crate::model::{
    BadPayload, CallOptions, ChildOptions, Failure, Level, Name, Outcome, Payload, RetryPolicy,
    Routing, kind,
};

/// What a payload that is too long is called.
const PAYLOAD_TOO_LARGE: &str = "payload-too-large";
/// The longest idempotency key, in bytes.
const KEY_BYTES_MAX: usize = 1_024;

/// The interface has words and no functions.
impl<W> types::Host for Guest<W> {}

/// A JSON document that a guest hands over.
pub(super) fn payload(
    what: &str,
    text: String,
    bytes_max: usize,
) -> Result<Payload, wasmtime::Error> {
    Payload::new(text, bytes_max).map_err(|bad| match bad {
        BadPayload::Large { bytes, max } => Verdict::failed(
            PAYLOAD_TOO_LARGE,
            format!(
                "{what} has {bytes} bytes, at most {max} are allowed (payload_bytes_max): keep it elsewhere and hand \
                 over where"
            ),
        ),
        BadPayload::NotJson(why) => {
            Verdict::failed(kind::TRAPPED, format!("{what} is no JSON: {why}"))
        }
        BadPayload::Deep => Verdict::failed(kind::TRAPPED, format!("{what}: {bad}")),
    })
}

/// A name that a guest says.
pub(super) fn name(what: &str, text: &str) -> Result<Name, wasmtime::Error> {
    Name::new(text).map_err(|bad| Verdict::failed(kind::TRAPPED, format!("{what}: {bad}")))
}

/// What a guest returned. A result that is too long or no JSON is its failure.
pub(super) fn returned(outcome: types::Outcome, bytes_max: usize) -> Outcome {
    match outcome {
        Ok(text) => Payload::new(text, bytes_max).map_err(|bad| match bad {
            BadPayload::Large { bytes, max } => Failure::new(
                kind::OUTPUT_EXCEEDED,
                format!(
                    "the result has {bytes} bytes, at most {max} are allowed (payload_bytes_max): keep it elsewhere \
                     and return where"
                ),
            ),
            BadPayload::NotJson(why) => {
                Failure::new(kind::TRAPPED, format!("the result is no JSON: {why}"))
            }
            BadPayload::Deep => Failure::new(kind::TRAPPED, format!("the result: {bad}")),
        }),
        Err(failure) => Err(told(failure, bytes_max)),
    }
}

/// A failure that a guest tells. Details that cannot be kept are left out, and the message says so.
fn told(failure: types::Failure, bytes_max: usize) -> Failure {
    let kind = if failure.kind.is_empty() { "failed".to_owned() } else { failure.kind };
    let Some(details) = failure.details else { return Failure::new(kind, failure.message) };
    match Payload::new(details, bytes_max) {
        Ok(details) => Failure::new(kind, failure.message).with_details(details),
        Err(bad) => {
            Failure::new(kind, format!("{} (its details are left out: {bad})", failure.message))
        }
    }
}

/// An outcome as a guest reads it.
pub(super) fn outcome(outcome: Outcome) -> types::Outcome {
    outcome.map(|payload| payload.as_str().to_owned()).map_err(|failure| types::Failure {
        kind: failure.kind,
        message: failure.message,
        details: failure.details.map(|details| details.as_str().to_owned()),
    })
}

/// A level.
pub(super) fn level(level: types::Level) -> Level {
    match level {
        types::Level::Trace => Level::Trace,
        types::Level::Debug => Level::Debug,
        types::Level::Info => Level::Info,
        types::Level::Warn => Level::Warn,
        types::Level::Error => Level::Error,
    }
}

/// What a workflow decides for a call.
pub(super) fn call_options(options: durable::CallOptions) -> Result<CallOptions, wasmtime::Error> {
    Ok(CallOptions {
        queue: queue(options.queue)?,
        tags: tags(options.tags)?,
        priority: priority(options.priority)?,
        retry: options.retry.map(retry).transpose()?,
        timeout: options.timeout.map(Duration::from_millis),
        schedule_timeout: options.schedule_timeout.map(Duration::from_millis),
        cached: options.cached,
        idempotency_key: key(options.idempotency_key)?,
    })
}

/// What a workflow decides for a child.
pub(super) fn child_options(
    options: durable::ChildOptions,
) -> Result<ChildOptions, wasmtime::Error> {
    Ok(ChildOptions {
        queue: queue(options.queue)?,
        tags: tags(options.tags)?,
        priority: priority(options.priority)?,
        delay: options.delay.map(Duration::from_millis),
        max_duration: options.max_duration.map(Duration::from_millis),
        detached: options.detached,
        idempotency_key: key(options.idempotency_key)?,
    })
}

fn queue(text: Option<String>) -> Result<Option<Name>, wasmtime::Error> {
    text.map(|text| name("the queue", &text)).transpose()
}

fn tags(tags: Option<Vec<String>>) -> Result<Option<Vec<Name>>, wasmtime::Error> {
    let Some(tags) = tags else { return Ok(None) };
    if tags.len() > Routing::TAGS_MAX {
        let what =
            format!("{} tags are given, at most {} are allowed", tags.len(), Routing::TAGS_MAX);
        return Err(Verdict::failed(kind::TRAPPED, what));
    }
    tags.iter().map(|tag| name("a tag", tag)).collect::<Result<_, _>>().map(Some)
}

fn priority(priority: Option<i32>) -> Result<Option<i32>, wasmtime::Error> {
    match priority {
        Some(p) if !(Routing::PRIORITY_MIN..=Routing::PRIORITY_MAX).contains(&p) => {
            let what = format!("the priority is {p}, it must be from -100 to 100");
            Err(Verdict::failed(kind::TRAPPED, what))
        }
        priority => Ok(priority),
    }
}

fn key(key: Option<String>) -> Result<Option<String>, wasmtime::Error> {
    match key {
        Some(key) if key.len() > KEY_BYTES_MAX || key.contains('\0') => {
            let what = format!(
                "an idempotency key has at most {KEY_BYTES_MAX} bytes and no NUL: use a hash of what it stands for"
            );
            Err(Verdict::failed(kind::TRAPPED, what))
        }
        key => Ok(key),
    }
}

fn retry(policy: types::RetryPolicy) -> Result<RetryPolicy, wasmtime::Error> {
    let refused = |what: &str, bounds: &str| {
        Err(Verdict::failed(kind::TRAPPED, format!("{what} of a retry policy must be {bounds}")))
    };
    if !(1..=RetryPolicy::ATTEMPTS_MAX).contains(&policy.max_attempts) {
        return refused("max-attempts", "from 1 to 1,000,000");
    }
    if !(1.0..=1_000.0).contains(&policy.backoff_factor) {
        return refused("backoff-factor", "from 1 to 1000");
    }
    if !(0.0..=1.0).contains(&policy.jitter) {
        return refused("jitter", "from 0 to 1");
    }
    Ok(RetryPolicy {
        max_attempts: policy.max_attempts,
        initial_delay: Duration::from_millis(policy.initial_delay),
        backoff_factor: policy.backoff_factor,
        max_delay: Duration::from_millis(policy.max_delay),
        jitter: policy.jitter,
        retry_for: policy.retry_for,
        never_for: policy.never_for,
    })
}
