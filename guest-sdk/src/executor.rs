//! Drives one workflow, or one step, from its first poll to its return.
//!
//! The host gives settlements one at a time and in an order that is its own to record. A settlement wakes exactly the
//! future that stands for its promise, and the workflow is polled only when something woke it: with a combinator that
//! wakes its parts one by one (`join_all`, `FuturesUnordered`, `map`) a settlement costs the same among ten as among ten
//! thousand.

use std::cell::{Cell, RefCell, RefMut};
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::Failure;
use crate::durable::{CallOptions, Durable, Promise};
use crate::promise::{Command, Outcome, PromiseFuture, PromiseTable};

thread_local! {
    static CURRENT: RefCell<Option<Rc<Activation>>> = const { RefCell::new(None) };
}

/// The workflow that runs in this instance, and what it waits for.
pub(crate) struct Activation {
    durable: Box<dyn Durable>,
    promises: RefCell<PromiseTable>,
    continued: Cell<bool>,
}

impl fmt::Debug for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Activation").field("continued", &self.continued).finish_non_exhaustive()
    }
}

impl Activation {
    /// The workflow that is being polled; none inside a step.
    pub(crate) fn current() -> Option<Rc<Self>> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// The host. For what makes no promise.
    pub(crate) fn durable(&self) -> &dyn Durable {
        &*self.durable
    }

    /// The promises that are waited for.
    pub(crate) fn promises(&self) -> RefMut<'_, PromiseTable> {
        self.promises.borrow_mut()
    }

    /// Asks the host for something that will settle.
    pub(crate) fn issue(self: &Rc<Self>, command: &Command) -> PromiseFuture {
        let promise = self.issue_detached(command);
        self.promises().open(promise);
        PromiseFuture::new(Rc::clone(self), promise)
    }

    /// Asks the host for something whose settlement nobody will wait for.
    pub(crate) fn issue_detached(&self, command: &Command) -> Promise {
        self.flush();
        match command {
            Command::Call { step, input, options } => self.durable.call(step, input, options),
            Command::StartChild { workflow, input, options } => {
                self.durable.start_child(workflow, input, options)
            }
            Command::Sleep { milliseconds } => self.durable.sleep(*milliseconds),
            Command::Receive { signal } => self.durable.receive(signal),
        }
    }

    /// Asks the host for many calls of one step, in order.
    pub(crate) fn issue_many(
        self: &Rc<Self>,
        step: &str,
        inputs: &[String],
        options: &CallOptions,
    ) -> impl Iterator<Item = PromiseFuture> {
        self.flush();
        let first = self.durable.call_many(step, inputs, options);
        let count = Promise::try_from(inputs.len()).expect("a chunk has at most CHUNK_INPUTS_MAX");
        (first..first + count).map(|promise| {
            self.promises().open(promise);
            PromiseFuture::new(Rc::clone(self), promise)
        })
    }

    /// Says that the next run goes on with that input.
    pub(crate) fn continue_as_new(&self, input: &str) {
        self.flush();
        self.durable.continue_as_new(input);
        self.continued.set(true);
    }

    /// Cancels what was dropped since the last command: before anything else is asked, so that the order of commands is
    /// the order of the program.
    fn flush(&self) {
        let abandoned = self.promises().take_abandoned();
        if !abandoned.is_empty() {
            self.durable.cancel(&abandoned);
        }
    }

    fn settle(&self, promise: Promise, outcome: Outcome) {
        let waker = self.promises().settle(promise, outcome);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// How a workflow ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It returned.
    Returned(Outcome),
    /// It asked for another run before it returned.
    Continued(Outcome),
}

/// Runs a workflow to its end. `start` is called inside the activation, so it may make futures of its own.
pub(crate) fn run_workflow<F>(durable: Box<dyn Durable>, start: impl FnOnce() -> F) -> Ending
where
    F: Future<Output = Outcome>,
{
    let activation =
        Rc::new(Activation { durable, promises: RefCell::default(), continued: Cell::new(false) });
    let _entered = Entered::enter(&activation);

    // The future is gone when this returns: what it still held is cancelled, and a bound signal goes back.
    let outcome = drive(&activation, Box::pin(start()));
    activation.flush();

    if activation.continued.get() { Ending::Continued(outcome) } else { Ending::Returned(outcome) }
}

fn drive(
    activation: &Activation,
    mut workflow: Pin<Box<impl Future<Output = Outcome>>>,
) -> Outcome {
    let (alarm, waker) = Alarm::new();
    loop {
        if alarm.take() {
            match workflow.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(outcome) => return outcome,
                Poll::Pending => continue,
            }
        }
        activation.flush();
        match activation.durable.next() {
            Some((promise, outcome)) => activation.settle(promise, outcome),
            None => return Err(deadlocked()),
        }
    }
}

fn deadlocked() -> Failure {
    Failure::new(
        Failure::DEADLOCKED,
        "the workflow waits for something that nothing will ever settle, such as a channel whose sender waits too, \
         or a timer or socket of another runtime: await steps, `sleep`, `receive` or children instead, and move I/O to \
         a step",
    )
}

/// Runs a step to its end. A step has nothing durable to wait for, so whatever is pending must already have been woken.
pub(crate) fn run_step<T>(step: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let (alarm, waker) = Alarm::new();
    let mut step = pin!(step);
    while alarm.take() {
        if let Poll::Ready(outcome) = step.as_mut().poll(&mut Context::from_waker(&waker)) {
            return outcome;
        }
    }
    Err(Failure::new(
        Failure::DEADLOCKED,
        "the step awaits something that nothing in a sandbox will wake, such as a timer or socket of another runtime: \
         use blocking calls in a step",
    ))
}

/// Makes an activation the current one, until it is dropped.
struct Entered;

impl Entered {
    fn enter(activation: &Rc<Activation>) -> Self {
        CURRENT.set(Some(Rc::clone(activation)));
        Self
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

/// Remembers that the outermost future was woken.
struct Alarm(AtomicBool);

impl Alarm {
    /// An alarm that has gone off already, so that the first poll happens.
    fn new() -> (Arc<Self>, Waker) {
        let alarm = Arc::new(Self(AtomicBool::new(true)));
        (Arc::clone(&alarm), Waker::from(alarm))
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
