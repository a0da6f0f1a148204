//! Workflows that a workflow starts.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serde::de::DeserializeOwned;

use crate::call::{polled_before, read_output};
use crate::definition::Workflow;
use crate::durable::{ChildOptions, misplaced};
use crate::duration::to_milliseconds;
use crate::executor::Activation;
use crate::promise::{Command, Pledge};
use crate::{Failure, IntoDuration};

/// A workflow called by a workflow: an execution of its own, with its own id and journal, awaited like a step.
///
/// It starts when it is first polled, or by [`Child::detach`]. Dropping one that was polled cancels the child, and so
/// does the return of its parent.
#[derive(Debug)]
#[must_use = "a child does nothing until it is awaited or detached"]
pub struct Child<T> {
    workflow: &'static str,
    pledge: Pledge,
    output: PhantomData<fn() -> T>,
}

/// Leaves everything as the workflow's own declaration says.
const AS_DECLARED: ChildOptions = ChildOptions {
    queue: None,
    tags: None,
    priority: None,
    delay: None,
    max_duration: None,
    detached: false,
    idempotency_key: None,
};

impl<T> Child<T> {
    /// A start of workflow `W` with an input that is JSON already, or could not be made so.
    #[doc(hidden)]
    pub fn of<W: Workflow<Output = T>>(input: Result<String, Failure>) -> Self {
        let pledge = match input {
            Ok(input) => Pledge::Unissued(Box::new(Command::StartChild {
                workflow: W::NAME,
                input,
                options: AS_DECLARED,
            })),
            Err(failure) => Pledge::Refused(failure),
        };
        Self { workflow: W::NAME, pledge, output: PhantomData }
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

    /// Starts it that much later.
    pub fn delay(self, delay: impl IntoDuration) -> Self {
        self.try_change(|options| {
            options.delay = Some(to_milliseconds(delay)?);
            Ok(())
        })
    }

    /// Ends it with [`Failure::TIMED_OUT`] after that time.
    pub fn max_duration(self, max_duration: impl IntoDuration) -> Self {
        self.try_change(|options| {
            options.max_duration = Some(to_milliseconds(max_duration)?);
            Ok(())
        })
    }

    /// Derives the child's id from this key: a child that exists already is awaited, not started again.
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        self.change(|options| options.idempotency_key = Some(key.into()))
    }

    /// Starts it now and goes on without it: it outlives its parent, and nothing is heard of it.
    pub fn detach(self) -> Result<(), Failure> {
        let detached = self.change(|options| options.detached = true);
        match detached.pledge {
            Pledge::Unissued(command) => {
                let activation =
                    Activation::current().ok_or_else(|| misplaced(detached.workflow))?;
                activation.issue_detached(&command);
                Ok(())
            }
            Pledge::Refused(failure) => Err(failure),
            Pledge::Open(_) | Pledge::Done => Err(Failure::new(
                Failure::MISPLACED,
                format!("{} was polled already: detach it before", detached.workflow),
            )),
        }
    }

    /// What it starts.
    pub(crate) fn workflow(&self) -> &'static str {
        self.workflow
    }

    /// The same start, as if nobody had polled it.
    pub(crate) fn again(&self) -> Self {
        let pledge = match &self.pledge {
            Pledge::Unissued(command) => Pledge::Unissued(command.clone()),
            Pledge::Refused(failure) => Pledge::Refused(failure.clone()),
            Pledge::Open(_) | Pledge::Done => Pledge::Refused(polled_before(self.workflow)),
        };
        Self { workflow: self.workflow, pledge, output: PhantomData }
    }

    /// Of another key, where it has one.
    pub(crate) fn another(self) -> Self {
        self.change(|options| {
            if let Some(key) = &mut options.idempotency_key {
                key.push_str(" (again)");
            }
        })
    }

    fn change(self, change: impl FnOnce(&mut ChildOptions)) -> Self {
        self.try_change(|options| {
            change(options);
            Ok(())
        })
    }

    /// A change that is refused fails the child when it is awaited: a builder has nobody else to tell.
    fn try_change(mut self, change: impl FnOnce(&mut ChildOptions) -> Result<(), Failure>) -> Self {
        if let Pledge::Unissued(command) = &mut self.pledge
            && let Command::StartChild { options, .. } = &mut **command
            && let Err(failure) = change(options)
        {
            self.pledge = Pledge::Refused(failure);
        }
        self
    }
}

impl<T: DeserializeOwned> Future for Child<T> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(Pin::new(&mut self.pledge).poll(context));
        Poll::Ready(read_output(self.workflow, outcome))
    }
}
