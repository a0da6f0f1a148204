//! One step over many inputs, with a bounded number in flight.

mod window;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serde::de::DeserializeOwned;

use self::window::Window;
use crate::Failure;
use crate::call::Call;

/// How many calls of one `map` are in flight at once unless [`Map::in_flight`] says otherwise.
pub const IN_FLIGHT_MAX: usize = 1_000;

/// Calls a step for each input, many at a time, and gives the results in the order of the inputs.
///
/// ```no_run
/// # extern crate stepwell_sdk as stepwell;
/// # use stepwell::prelude::*;
/// # #[stepwell::step] async fn resize(image: String) -> Result<u64, Failure> { Ok(0) }
/// # #[stepwell::workflow] async fn album(images: Vec<String>) -> Result<u64, Failure> {
/// let sizes = stepwell::map(resize, &images).await?;
/// // Options and several arguments go through a closure.
/// let again = stepwell::map(|image| resize(image).timeout("5s"), &images).in_flight(50).await?;
/// # Ok(sizes.iter().chain(&again).sum()) }
/// # fn main() {}
/// ```
///
/// The first failure to arrive is returned, and what is then still in flight is cancelled. The inputs are taken from the
/// iterator as there is room for them, so that only the window ([`IN_FLIGHT_MAX`]) and the results are held in memory.
/// Inside a step the calls run in place, one after the other.
pub fn map<T, F, I>(step: F, inputs: I) -> Map<T, F, I::IntoIter>
where
    F: FnMut(I::Item) -> Call<T>,
    I: IntoIterator,
{
    Map { window: Box::new(Window::new(step, inputs.into_iter())), results: Vec::new() }
}

/// Like [`map`], but a failure stops nothing: every outcome is returned, in the order of the inputs.
///
/// When the execution is cancelled, inputs that were not called yet are not called any more: their outcome is a failure
/// of kind [`Failure::CANCELLED`] too.
pub fn map_outcomes<T, F, I>(step: F, inputs: I) -> MapOutcomes<T, F, I::IntoIter>
where
    F: FnMut(I::Item) -> Call<T>,
    I: IntoIterator,
{
    let window = Window::new(step, inputs.into_iter());
    MapOutcomes { window: Box::new(window), outcomes: Vec::new() }
}

/// What [`map`] returns.
#[must_use = "nothing is called until it is awaited"]
pub struct Map<T, F, I: Iterator> {
    window: Box<Window<F, I>>,
    results: Vec<Option<T>>,
}

/// What [`map_outcomes`] returns.
#[must_use = "nothing is called until it is awaited"]
pub struct MapOutcomes<T, F, I: Iterator> {
    window: Box<Window<F, I>>,
    outcomes: Vec<Option<Result<T, Failure>>>,
}

impl<T, F, I: Iterator> Map<T, F, I> {
    /// At most so many calls in flight at once, at least one.
    pub fn in_flight(mut self, most: usize) -> Self {
        self.window.limit = most.max(1);
        self
    }
}

impl<T, F, I: Iterator> MapOutcomes<T, F, I> {
    /// At most so many calls in flight at once, at least one.
    pub fn in_flight(mut self, most: usize) -> Self {
        self.window.limit = most.max(1);
        self
    }
}

// Nothing in them is ever pinned: the window is in a box, and the values are only kept.
impl<T, F, I: Iterator> Unpin for Map<T, F, I> {}
impl<T, F, I: Iterator> Unpin for MapOutcomes<T, F, I> {}

impl<T, F, I> Future for Map<T, F, I>
where
    T: DeserializeOwned,
    F: FnMut(I::Item) -> Call<T>,
    I: Iterator,
{
    type Output = Result<Vec<T>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        while let Some((index, outcome)) = ready!(self.window.poll_outcome(context)) {
            match outcome {
                Ok(result) => place(&mut self.results, index, result),
                Err(failure) => {
                    self.window.give_up();
                    return Poll::Ready(Err(failure));
                }
            }
        }
        Poll::Ready(Ok(std::mem::take(&mut self.results).into_iter().flatten().collect()))
    }
}

impl<T, F, I> Future for MapOutcomes<T, F, I>
where
    T: DeserializeOwned,
    F: FnMut(I::Item) -> Call<T>,
    I: Iterator,
{
    type Output = Vec<Result<T, Failure>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        while let Some((index, outcome)) = ready!(self.window.poll_outcome(context)) {
            if let Err(failure) = &outcome
                && failure.is(Failure::CANCELLED)
            {
                self.window.call_no_more(failure);
            }
            place(&mut self.outcomes, index, outcome);
        }
        Poll::Ready(std::mem::take(&mut self.outcomes).into_iter().flatten().collect())
    }
}

/// Puts what arrived in any order into the order of the inputs.
fn place<T>(places: &mut Vec<Option<T>>, index: usize, value: T) {
    if places.len() <= index {
        places.resize_with(index + 1, || None);
    }
    places[index] = Some(value);
}

impl<T, F, I: Iterator> fmt::Debug for Map<T, F, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("results", &self.results.len()).finish_non_exhaustive()
    }
}

impl<T, F, I: Iterator> fmt::Debug for MapOutcomes<T, F, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapOutcomes")
            .field("outcomes", &self.outcomes.len())
            .finish_non_exhaustive()
    }
}
