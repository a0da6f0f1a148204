//! Calls of steps.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serde::de::DeserializeOwned;

use crate::definition::{RunJson, Step, run_json};
use crate::durable::CallOptions;
use crate::duration::to_milliseconds;
use crate::executor::Activation;
use crate::promise::{Command, Outcome, Pledge};
use crate::{Failure, IntoDuration, Retry};

/// A call of a step: what the function that `#[stepwell::step]` made returns.
///
/// Like every future of Rust it does nothing until it is awaited or polled: two calls run at the same time inside
/// `join!`, not by being made one after the other. The input is taken when the call is made, so it may borrow. Dropping a
/// call that was polled stops the step.
///
/// What the step's attribute declares can be changed for this one call, before it is polled:
///
/// ```no_run
/// # extern crate stepwell_sdk as stepwell;
/// # use stepwell::prelude::*;
/// # #[stepwell::step] async fn charge(amount: u64) -> Result<(), Failure> { Ok(()) }
/// # #[stepwell::workflow] async fn checkout(amount: u64) -> Result<(), Failure> {
/// charge(amount).queue("payments").timeout("5s").retry(Retry::attempts(10)).await?;
/// # Ok(()) }
/// # fn main() {}
/// ```
///
/// Inside a step the called step runs in place, as part of the caller's attempt, and these changes have no effect.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<T> {
    state: State,
    output: PhantomData<fn() -> T>,
}

enum State {
    Made(Box<Request>),
    Asked { step: &'static str, pledge: Pledge },
    InPlace { step: &'static str, run: RunJson },
    Done,
}

/// A call that nobody has made yet: what `map` gathers into one command.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) step: &'static str,
    pub(crate) input: String,
    pub(crate) options: CallOptions,
    run: fn(String) -> RunJson,
}

/// Leaves everything as the step's own declaration says.
const AS_DECLARED: CallOptions = CallOptions {
    queue: None,
    tags: None,
    priority: None,
    retry: None,
    timeout: None,
    schedule_timeout: None,
    cached: None,
    idempotency_key: None,
};

impl<T> Call<T> {
    /// A call of step `S` with an input that is JSON already, or could not be made so.
    #[doc(hidden)]
    pub fn of<S: Step<Output = T>>(input: Result<String, Failure>) -> Self {
        let state = match input {
            Ok(input) => {
                let (step, options) = (S::NAME, AS_DECLARED);
                State::Made(Box::new(Request { step, input, options, run: run_json::<S> }))
            }
            Err(failure) => State::refused(S::NAME, failure),
        };
        Self { state, output: PhantomData }
    }

    /// Sends it to another queue.
    pub fn queue(self, queue: impl Into<String>) -> Self {
        self.change(|options| options.queue = Some(queue.into()))
    }

    /// Lets only hosts take it that share one of these tags.
    pub fn tags<S: Into<String>>(self, tags: impl IntoIterator<Item = S>) -> Self {
        self.change(|options| options.tags = Some(tags.into_iter().map(Into::into).collect()))
    }

    /// Higher goes first; -100 to 100.
    pub fn priority(self, priority: i32) -> Self {
        self.change(|options| options.priority = Some(priority))
    }

    /// Retries it by another policy.
    pub fn retry(self, retry: Retry) -> Self {
        self.try_change(|options| {
            options.retry = Some(retry.into_policy()?);
            Ok(())
        })
    }

    /// How long one attempt may take.
    pub fn timeout(self, timeout: impl IntoDuration) -> Self {
        self.try_change(|options| {
            options.timeout = Some(to_milliseconds(timeout)?);
            Ok(())
        })
    }

    /// How long it may wait in a queue before it fails with [`Failure::TIMED_OUT`].
    pub fn schedule_timeout(self, timeout: impl IntoDuration) -> Self {
        self.try_change(|options| {
            options.schedule_timeout = Some(to_milliseconds(timeout)?);
            Ok(())
        })
    }

    /// Whether a result kept cluster-wide for the same module name, step, version and input will do, and this one is to be
    /// kept: for the step's `cache_ttl`, or for ever where it has none. The result of a step that is `idempotent` is kept
    /// in any case.
    #[expect(
        clippy::fn_params_excessive_bools,
        reason = "it overrides an option that is a boolean in the manifest"
    )]
    pub fn cached(self, cached: bool) -> Self {
        self.change(|options| options.cached = Some(cached))
    }

    /// Runs it once, cluster-wide, for this key, which stands for the input: calls of the same step and version with the same
    /// key share a result, whatever they are given. At most 256 bytes, without NUL. A failure is not kept.
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        self.change(|options| options.idempotency_key = Some(key.into()))
    }

    /// The step.
    pub(crate) fn step(&self) -> &'static str {
        match &self.state {
            State::Made(request) => request.step,
            State::Asked { step, .. } | State::InPlace { step, .. } => step,
            State::Done => "",
        }
    }

    /// The same call, as if nobody had made it.
    pub(crate) fn again(&self) -> Self {
        let state = match &self.state {
            State::Made(request) => State::Made(request.clone()),
            State::Asked { step, pledge: Pledge::Refused(failure) } => {
                State::refused(step, failure.clone())
            }
            State::Asked { .. } | State::InPlace { .. } | State::Done => {
                State::refused(self.step(), polled_before(self.step()))
            }
        };
        Self { state, output: PhantomData }
    }

    /// What it would ask for, so that many can be asked for at once.
    pub(crate) fn into_request(self) -> Result<Request, Failure> {
        match self.state {
            State::Made(request) => Ok(*request),
            State::Asked { pledge: Pledge::Refused(failure), .. } => Err(failure),
            State::Asked { .. } | State::InPlace { .. } | State::Done => Err(Failure::new(
                Failure::MISPLACED,
                "`map` takes calls that nobody has polled yet",
            )),
        }
    }

    fn change(self, change: impl FnOnce(&mut CallOptions)) -> Self {
        self.try_change(|options| {
            change(options);
            Ok(())
        })
    }

    /// A change that is refused fails the call when it is awaited: a builder has nobody else to tell.
    fn try_change(mut self, change: impl FnOnce(&mut CallOptions) -> Result<(), Failure>) -> Self {
        if let State::Made(request) = &mut self.state
            && let Err(failure) = change(&mut request.options)
        {
            self.state = State::refused(request.step, failure);
        }
        self
    }
}

impl<T: DeserializeOwned> Future for Call<T> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Made(_) = self.state {
            self.state = match std::mem::replace(&mut self.state, State::Done) {
                State::Made(request) => request.begin(),
                state => state,
            };
        }
        let (step, outcome) = match &mut self.state {
            State::Asked { step, pledge } => (*step, ready!(Pin::new(pledge).poll(context))),
            State::InPlace { step, run } => (*step, ready!(run.as_mut().poll(context))),
            State::Made(_) | State::Done => {
                unreachable!("a call is begun by its first poll and not polled after its last")
            }
        };
        self.state = State::Done;
        Poll::Ready(read_result(step, outcome))
    }
}

impl State {
    fn refused(step: &'static str, failure: Failure) -> Self {
        Self::Asked { step, pledge: Pledge::Refused(failure) }
    }
}

impl Request {
    /// Runs the step as part of whoever called it.
    pub(crate) fn run_in_place(self) -> RunJson {
        (self.run)(self.input)
    }

    fn begin(self) -> State {
        let step = self.step;
        if Activation::current().is_none() {
            return State::InPlace { step, run: self.run_in_place() };
        }
        let Self { input, options, .. } = self;
        let command = Command::Call { step, input, options };
        State::Asked { step, pledge: Pledge::Unissued(Box::new(command)) }
    }
}

pub(crate) fn polled_before(what: &str) -> Failure {
    Failure::new(
        Failure::MISPLACED,
        format!("{what} was awaited already: give one that nobody has"),
    )
}

/// Reads what a step returned, or says that it was this step which failed.
pub(crate) fn read_result<T: DeserializeOwned>(step: &str, outcome: Outcome) -> Result<T, Failure> {
    read_output(step, outcome.map_err(|failure| failure.of_step(step)))
}

/// Reads what a step or child returned as the type that its caller expects.
pub(crate) fn read_output<T: DeserializeOwned>(from: &str, outcome: Outcome) -> Result<T, Failure> {
    serde_json::from_str(&outcome?).map_err(|error| {
        Failure::new(
            Failure::INVALID_OUTPUT,
            format!("what {from} returned is not what its caller takes: {error}"),
        )
    })
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Made(_) => "made",
            State::Asked { .. } => "asked",
            State::InPlace { .. } => "in place",
            State::Done => "done",
        };
        f.debug_struct("Call").field("step", &self.step()).field("state", &state).finish()
    }
}
