//! Sagas: what was done is undone, in reverse order, when what comes after it fails.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::durable::CONTINUED_AS_NEW;
use crate::{Call, Child, Failure};

/// Runs `work`, and where it fails undoes what it did: the undoings that it registered by [`Saga::undo`] are awaited one
/// after another, the last one first.
///
/// ```no_run
/// # extern crate stepwell_sdk as stepwell;
/// # use stepwell::prelude::*;
/// # #[stepwell::step] async fn book_flight(trip: String) -> Result<String, Failure> { Ok(trip) }
/// # #[stepwell::step] async fn cancel_flight(flight: String) -> Result<(), Failure> { Ok(()) }
/// # #[stepwell::step] async fn charge(trip: String) -> Result<u64, Failure> { Ok(1) }
/// # #[stepwell::step] async fn refund(trip: String) -> Result<(), Failure> { Ok(()) }
/// #[stepwell::workflow]
/// async fn book(trip: String) -> Result<String, Failure> {
///     saga(async |saga| {
///         let flight = book_flight(&trip).await?;
///         saga.undo(cancel_flight(&flight)); // needs what the step returned
///         saga.undo(refund(&trip)); // before the step: nobody may ever hear whether the card was charged
///         charge(&trip).await?;
///         Ok(flight)
///     })
///     .await
/// }
/// # fn main() {}
/// ```
///
/// Any failure that leaves `work` counts, also that the execution is cancelled or its `max_duration` has passed: what is
/// awaited after that runs normally, for as long as the host lets it (`compensate_for`, 5 minutes). An undoing that is
/// itself interrupted so is called once more.
///
/// The failure of `work` is returned. Where something could not be undone, the others are undone all the same, and the
/// failure is of kind [`Failure::NOT_UNDONE`], with an [`Unfinished`] as its details.
///
/// # When to register
///
/// *After* the step where undoing needs its result. *Before* the step where it does not: a step that was cancelled, has
/// timed out, or whose host was lost may have done its work without anybody hearing of it. Such an undoing must do no harm
/// where there is nothing to undo. Undoings are tried again by their own retry policy like every step, so give them a
/// patient one.
///
/// # What it cannot do
///
/// A saga that is dropped undoes nothing: put [`crate::timeout`] and [`crate::select!`] inside `work`, not around the saga.
/// It says so in the log. [`crate::continue_as_new`] inside `work` keeps what was done.
pub async fn saga<T>(work: impl AsyncFnOnce(&Saga) -> Result<T, Failure>) -> Result<T, Failure> {
    let saga = Saga::default();
    match work(&saga).await {
        Err(failure) if !failure.is(CONTINUED_AS_NEW) => Err(saga.compensate(failure).await),
        ended => {
            saga.undoings.take();
            ended
        }
    }
}

/// What a [`saga`] has to undo where it fails. May be shared by the branches of a `join!`.
#[derive(Default)]
pub struct Saga {
    undoings: RefCell<Vec<Undoing>>,
}

impl Saga {
    /// Registers the step or child that undoes what was done, or is about to be done. It is called only where the saga
    /// fails.
    pub fn undo(&self, undoing: impl Undo) {
        self.undoings.borrow_mut().push(undoing.into_undoing());
    }

    /// Registers several steps together, under a name that the report of what could not be undone has. It may run twice:
    /// see [`saga`].
    pub fn undo_with<T>(
        &self,
        what: impl Into<String>,
        undoing: impl AsyncFn() -> Result<T, Failure> + 'static,
    ) {
        let undoing = Rc::new(undoing);
        let run = move |_time| -> Running {
            let undoing = Rc::clone(&undoing);
            Box::pin(async move { undoing().await.map(|_done| ()) })
        };
        self.undoings.borrow_mut().push(Undoing { what: what.into(), run: Box::new(run) });
    }

    async fn compensate(self, cause: Failure) -> Failure {
        let mut not_undone = Vec::new();
        // Taken one by one, so that an undoing is registered until it is called.
        while let Some(undoing) = self.take_last() {
            if let Err(failure) = undoing.complete().await {
                let Failure { kind, message, .. } = failure;
                not_undone.push(NotUndone { what: undoing.what, kind, message });
            }
        }
        if not_undone.is_empty() { cause } else { Unfinished::of(cause, not_undone) }
    }

    fn take_last(&self) -> Option<Undoing> {
        self.undoings.borrow_mut().pop()
    }
}

impl Drop for Saga {
    fn drop(&mut self) {
        let left = self.undoings.get_mut().len();
        if left > 0 {
            crate::log::error!(
                undoings = left;
                "a saga was dropped before it ended, and {left} undoings with it: put the timeout or select! inside the saga"
            );
        }
    }
}

impl fmt::Debug for Saga {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let undoings = self.undoings.borrow();
        let what: Vec<_> = undoings.iter().map(|undoing| undoing.what.as_str()).collect();
        f.debug_struct("Saga").field("undoings", &what).finish()
    }
}

/// What can undo: a call of a step, or a child, that nobody has awaited yet.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot undo",
    label = "give a call of a step or a child; for several steps use `undo_with(\"name\", async move || ...)`"
)]
pub trait Undo {
    #[doc(hidden)]
    fn into_undoing(self) -> Undoing;
}

type Running = Pin<Box<dyn Future<Output = Result<(), Failure>>>>;

/// Something that undoes, as often as it is asked.
#[doc(hidden)]
pub struct Undoing {
    what: String,
    run: Box<dyn Fn(Time) -> Running>,
}

/// Which call of an undoing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    First,
    Second,
}

impl Undoing {
    /// Undoes. An execution is asked to end at most once: what that interrupted is called again.
    async fn complete(&self) -> Result<(), Failure> {
        match (self.run)(Time::First).await {
            Err(failure) if failure.is(Failure::CANCELLED) || failure.is(Failure::TIMED_OUT) => {
                (self.run)(Time::Second).await
            }
            completed => completed,
        }
    }
}

impl fmt::Debug for Undoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Undoing").field("what", &self.what).finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned + 'static> Undo for Call<T> {
    fn into_undoing(self) -> Undoing {
        let what = self.step().to_owned();
        let run = move |_time| -> Running {
            let again = self.again();
            Box::pin(async move { again.await.map(|_output| ()) })
        };
        Undoing { what, run: Box::new(run) }
    }
}

impl<T: DeserializeOwned + 'static> Undo for Child<T> {
    fn into_undoing(self) -> Undoing {
        let what = self.workflow().to_owned();
        let run = move |time| -> Running {
            // The child of a key that was interrupted has ended: another one has to undo.
            let again = match time {
                Time::First => self.again(),
                Time::Second => self.again().another(),
            };
            Box::pin(async move { again.await.map(|_output| ()) })
        };
        Undoing { what, run: Box::new(run) }
    }
}

/// The details of a failure of kind [`Failure::NOT_UNDONE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    /// The kind of the failure that made the saga undo.
    pub kind: String,
    /// Its message.
    pub message: String,
    /// What could not be undone, in the order of the attempts: the last one done first.
    pub not_undone: Vec<NotUndone>,
}

/// One thing that could not be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotUndone {
    /// The step or workflow that was to undo it, or the name that was given.
    pub what: String,
    /// Why it failed.
    pub kind: String,
    /// The same for people.
    pub message: String,
}

impl Unfinished {
    fn of(cause: Failure, not_undone: Vec<NotUndone>) -> Failure {
        let list: Vec<_> = not_undone.iter().map(|undoing| undoing.what.as_str()).collect();
        let message = format!("{cause}; and these could not undo: {}", list.join(", "));
        let places = cause.places().to_vec();
        let Failure { kind, message: said, .. } = cause;
        let details = Self { kind, message: said, not_undone };
        Failure::new(Failure::NOT_UNDONE, message).with_details(details).at(places)
    }
}
