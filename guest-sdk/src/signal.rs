//! Signals: messages that reach an execution from outside.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::promise::{Command, Pledge};
use crate::timer::{Sleep, Timeout, sleep, timeout};
use crate::{Failure, IntoDuration};

/// Waits for the oldest signal of that name which nobody has received yet. It may have arrived before.
///
/// It fails when the execution is cancelled, when the payload is no `T`, and inside a step. Dropping it before it was
/// ready leaves the signal for the next one who asks. [`Receive::timeout`] waits no longer than it is told.
pub fn receive<T: DeserializeOwned>(signal: impl Into<String>) -> Receive<T> {
    let signal = signal.into();
    let name = signal.clone();
    let pledge = Pledge::Unissued(Box::new(Command::Receive { signal }));
    Receive { name, pledge, payload: PhantomData }
}

/// What [`receive`] returns.
#[must_use = "nothing is received until it is awaited"]
pub struct Receive<T> {
    name: String,
    pledge: Pledge,
    payload: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Receive<T> {
    /// Waits no longer than that: none where no signal came. The signal that comes later is left for the next one who asks.
    ///
    /// ```no_run
    /// # extern crate stepwell_sdk as stepwell;
    /// # use stepwell::prelude::*;
    /// # #[stepwell::workflow] async fn approval() -> Result<bool, Failure> {
    /// let approved = receive::<bool>("approval").timeout("48h").await?.unwrap_or(false);
    /// # Ok(approved) }
    /// # fn main() {}
    /// ```
    pub fn timeout(self, duration: impl IntoDuration) -> ReceiveInTime<T> {
        ReceiveInTime(timeout(duration, self))
    }
}

/// What [`Receive::timeout`] returns.
#[derive(Debug)]
#[must_use = "nothing is received until it is awaited"]
pub struct ReceiveInTime<T>(Timeout<Receive<T>>);

impl<T: DeserializeOwned> Future for ReceiveInTime<T> {
    type Output = Result<Option<T>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll(context)) {
            Ok(received) => received.map(Some),
            Err(elapsed) => match Failure::from(elapsed) {
                late if late.is(Failure::TIMED_OUT) => Ok(None),
                failure => Err(failure),
            },
        })
    }
}

/// Takes all signals of that name that have arrived and that nobody has received, oldest first, without waiting for more.
///
/// One that arrives at this very moment is among them or is left for the next one who asks; none is lost, and a replay takes
/// the same ones. It fails when the execution is cancelled, when a payload is no `T`, and inside a step.
///
/// ```no_run
/// # extern crate stepwell_sdk as stepwell;
/// # use stepwell::prelude::*;
/// # #[stepwell::step] async fn index(words: Vec<String>) -> Result<(), Failure> { Ok(()) }
/// #[stepwell::workflow]
/// async fn indexer(round: u64) -> Result<(), Failure> {
///     sleep("1h").await?;
///     let words = drain::<String>("word").await?;
///     index(words).await?;
///     continue_as_new(round + 1)
/// }
/// # fn main() {}
/// ```
pub fn drain<T: DeserializeOwned>(signal: impl Into<String>) -> Drain<T> {
    let signal = signal.into();
    // What has arrived is told before a timer that is due at once: when this one is over, there are none left.
    Drain { next: receive(&*signal), signal, over: sleep(Duration::ZERO), taken: Vec::new() }
}

/// What [`drain`] returns.
#[must_use = "nothing is received until it is awaited"]
pub struct Drain<T> {
    signal: String,
    next: Receive<T>,
    over: Sleep,
    taken: Vec<T>,
}

// The values are only kept.
impl<T> Unpin for Drain<T> {}

impl<T: DeserializeOwned> Future for Drain<T> {
    type Output = Result<Vec<T>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        while let Poll::Ready(payload) = Pin::new(&mut self.next).poll(context) {
            self.taken.push(payload?);
            self.next = receive(&*self.signal);
        }
        ready!(Pin::new(&mut self.over).poll(context))?;
        Poll::Ready(Ok(std::mem::take(&mut self.taken)))
    }
}

impl<T> fmt::Debug for Drain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").field("signal", &self.signal).finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> Future for Receive<T> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let payload = ready!(Pin::new(&mut self.pledge).poll(context))?;
        Poll::Ready(serde_json::from_str(&payload).map_err(|error| {
            let message = format!("the payload of signal {} cannot be read: {error}", self.name);
            Failure::new(Failure::INVALID_INPUT, message)
        }))
    }
}

impl<T> fmt::Debug for Receive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receive").field("name", &self.name).finish_non_exhaustive()
    }
}
