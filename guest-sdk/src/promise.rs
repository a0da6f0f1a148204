//! Promises that this activation waits for, and the futures that stand for them.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::Failure;
use crate::durable::{CallOptions, ChildOptions, Promise, misplaced};
use crate::executor::Activation;

/// How a promise settles: JSON, or a failure.
pub(crate) type Outcome = Result<String, Failure>;

/// Every promise that some future still stands for.
///
/// Ordered by number, so that no hash's order can steer a command.
#[derive(Debug, Default)]
pub(crate) struct PromiseTable {
    slots: BTreeMap<Promise, Slot>,
    abandoned: Vec<Promise>,
}

#[derive(Debug)]
enum Slot {
    Open(Option<Waker>),
    Settled(Outcome),
}

impl PromiseTable {
    /// Begins to follow a promise.
    pub(crate) fn open(&mut self, promise: Promise) {
        self.slots.insert(promise, Slot::Open(None));
    }

    /// Keeps what a promise settled with, and gives back the waker of the one future that waits for it. A promise that
    /// nobody stands for (a detached child's) is passed over.
    pub(crate) fn settle(&mut self, promise: Promise, outcome: Outcome) -> Option<Waker> {
        let slot = self.slots.get_mut(&promise)?;
        match std::mem::replace(slot, Slot::Settled(outcome)) {
            Slot::Open(waker) => waker,
            Slot::Settled(_) => None,
        }
    }

    /// Takes what was given up since the last call, in the order of their numbers.
    pub(crate) fn take_abandoned(&mut self) -> Vec<Promise> {
        let mut abandoned = std::mem::take(&mut self.abandoned);
        abandoned.sort_unstable();
        abandoned
    }

    /// Takes what the promise settled with, or leaves a waker; also gives back the waker that was there, since dropping it
    /// may drop futures that need the table.
    fn poll(&mut self, promise: Promise, waker: &Waker) -> (Poll<Outcome>, Option<Waker>) {
        match self.slots.remove(&promise).expect("a followed promise stays until it is read") {
            Slot::Settled(outcome) => (Poll::Ready(outcome), None),
            Slot::Open(before) => {
                let known = before.as_ref().is_some_and(|before| before.will_wake(waker));
                let (kept, stale) =
                    if known { (before, None) } else { (Some(waker.clone()), before) };
                self.slots.insert(promise, Slot::Open(kept));
                (Poll::Pending, stale)
            }
        }
    }

    /// Gives a promise up. What was read is gone from the table; all else no longer interests the guest, settled or not.
    fn abandon(&mut self, promise: Promise) -> Option<Slot> {
        let slot = self.slots.remove(&promise)?;
        self.abandoned.push(promise);
        Some(slot)
    }
}

/// Stands for one promise. Dropping it before its value was read cancels the promise.
#[derive(Debug)]
pub(crate) struct PromiseFuture {
    activation: Rc<Activation>,
    promise: Promise,
}

impl PromiseFuture {
    /// Stands for a promise that the activation follows already.
    pub(crate) fn new(activation: Rc<Activation>, promise: Promise) -> Self {
        Self { activation, promise }
    }
}

impl Future for PromiseFuture {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let (polled, stale) = self.activation.promises().poll(self.promise, context.waker());
        drop(stale);
        polled
    }
}

impl Drop for PromiseFuture {
    fn drop(&mut self) {
        let slot = self.activation.promises().abandon(self.promise);
        drop(slot);
    }
}

/// Something a workflow asks of the host that will settle.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    Call { step: &'static str, input: String, options: CallOptions },
    StartChild { workflow: &'static str, input: String, options: ChildOptions },
    Sleep { milliseconds: u64 },
    Receive { signal: String },
}

impl Command {
    fn what(&self) -> &'static str {
        match self {
            Self::Call { step, .. } => step,
            Self::StartChild { workflow, .. } => workflow,
            Self::Sleep { .. } => "sleep",
            Self::Receive { .. } => "receive",
        }
    }
}

/// A command from its making to the end of its promise. Like every future of Rust it does nothing until it is polled.
#[derive(Debug)]
pub(crate) enum Pledge {
    /// Not yet polled, so not yet asked.
    Unissued(Box<Command>),
    /// Asked.
    Open(PromiseFuture),
    /// It could not even be asked.
    Refused(Failure),
    /// Read.
    Done,
}

impl Future for Pledge {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let mut promise = match std::mem::replace(&mut *self, Self::Done) {
            Self::Unissued(command) => match Activation::current() {
                Some(activation) => activation.issue(&command),
                None => return Poll::Ready(Err(misplaced(command.what()))),
            },
            Self::Open(promise) => promise,
            Self::Refused(failure) => return Poll::Ready(Err(failure)),
            Self::Done => unreachable!("a future is not polled again after it was ready"),
        };
        let polled = Pin::new(&mut promise).poll(context);
        if polled.is_pending() {
            *self = Self::Open(promise);
        }
        polled
    }
}
