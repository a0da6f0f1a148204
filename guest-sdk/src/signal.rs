//! Signals: messages that reach an execution from outside.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serde::de::DeserializeOwned;

use crate::Failure;
use crate::promise::{Command, Pledge};

/// Waits for the oldest signal of that name which nobody has received yet. It may have arrived before.
///
/// It fails when the execution is cancelled, when the payload is no `T`, and inside a step. Dropping it before it was
/// ready leaves the signal for the next one who asks.
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
