//! Durable timers: `sleep` and `timeout`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::duration::to_milliseconds;
use crate::promise::{Command, Pledge};
use crate::{Failure, IntoDuration};

/// Waits that long. The time is counted from the first poll, survives restarts and holds no memory or thread.
///
/// It fails when the execution is cancelled, when the text is no duration, and inside a step.
pub fn sleep(duration: impl IntoDuration) -> Sleep {
    Sleep(match to_milliseconds(duration) {
        Ok(milliseconds) => Pledge::Unissued(Box::new(Command::Sleep { milliseconds })),
        Err(failure) => Pledge::Refused(failure),
    })
}

/// What [`sleep`] returns. Dropping it stops the timer.
#[derive(Debug)]
#[must_use = "a timer does nothing until it is awaited"]
pub struct Sleep(Pledge);

impl Future for Sleep {
    type Output = Result<(), Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(outcome.map(|_null| ()))
    }
}

/// Gives a future that long. When the time is over it is dropped, which cancels what it waits for.
///
/// ```no_run
/// # extern crate stepwell_sdk as stepwell;
/// # use stepwell::prelude::*;
/// # #[stepwell::workflow] async fn patient() -> Result<(), Failure> {
/// let answer: String = stepwell::timeout("48h", stepwell::receive("answer")).await??;
/// # Ok(()) }
/// # fn main() {}
/// ```
pub fn timeout<F: Future>(duration: impl IntoDuration, future: F) -> Timeout<F> {
    Timeout { timer: Some(sleep(duration)), future: Box::pin(future) }
}

/// What [`timeout`] returns.
#[must_use = "nothing happens until it is awaited"]
pub struct Timeout<F> {
    timer: Option<Sleep>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(output) = self.future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        let Some(timer) = &mut self.timer else { return Poll::Pending };
        match ready!(Pin::new(timer).poll(context)) {
            Ok(()) => Poll::Ready(Err(Elapsed(Failure::new(
                Failure::TIMED_OUT,
                "the time given has passed",
            )))),
            Err(failure)
                if failure.is(Failure::INVALID_DURATION) || failure.is(Failure::MISPLACED) =>
            {
                Poll::Ready(Err(Elapsed(failure)))
            }
            // The execution is being cancelled. That is no matter of time: the future hears of it itself.
            Err(_cancelled) => {
                self.timer = None;
                Poll::Pending
            }
        }
    }
}

impl<F> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("timer", &self.timer).finish_non_exhaustive()
    }
}

/// The time of a [`timeout`] has passed, or could not be understood. With `?` it becomes a failure of kind
/// [`Failure::TIMED_OUT`] (or [`Failure::INVALID_DURATION`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elapsed(Failure);

impl From<Elapsed> for Failure {
    fn from(elapsed: Elapsed) -> Self {
        elapsed.0
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
