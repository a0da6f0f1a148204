//! The calls that are in flight, and how the next ones are gathered into few commands.

use std::future::Future;
use std::iter::Fuse;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde::de::DeserializeOwned;

use super::IN_FLIGHT_MAX;
use crate::Failure;
use crate::call::{Call, Request, read_result};
use crate::definition::RunJson;
use crate::durable::CallOptions;
use crate::executor::Activation;
use crate::promise::{Outcome, PromiseFuture};

/// The most inputs in one command, below the host's own limit of 10,000.
const CHUNK_INPUTS_MAX: usize = 1_000;

/// The most bytes of input in one command, below the host's own limit of 8 MiB.
const CHUNK_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Turns inputs into calls while there is room, and hands on what they settle with as it arrives.
pub(super) struct Window<F, I: Iterator> {
    step: F,
    inputs: Fuse<I>,
    /// How many inputs were taken.
    taken: usize,
    /// How many may be in flight.
    pub(super) limit: usize,
    /// What did not fit into the chunk before it.
    left_over: Option<(usize, Result<Request, Failure>)>,
    in_flight: FuturesUnordered<InFlight>,
    /// What could not be called.
    refused: Option<(usize, Failure)>,
    /// Why the rest is not called any more.
    no_more: Option<Failure>,
}

struct InFlight {
    index: usize,
    step: &'static str,
    awaited: Awaited,
}

enum Awaited {
    Promise(PromiseFuture),
    InPlace(RunJson),
}

/// Calls that go into one command.
struct Chunk {
    step: &'static str,
    options: CallOptions,
    bytes: usize,
    indexes: Vec<usize>,
    inputs: Vec<String>,
}

impl<F, I: Iterator> Window<F, I> {
    pub(super) fn new(step: F, inputs: I) -> Self {
        Self {
            step,
            inputs: inputs.fuse(),
            taken: 0,
            limit: IN_FLIGHT_MAX,
            left_over: None,
            in_flight: FuturesUnordered::new(),
            refused: None,
            no_more: None,
        }
    }

    /// Cancels what is in flight.
    pub(super) fn give_up(&mut self) {
        self.in_flight.clear();
    }

    /// Answers every input that was not called yet with this failure.
    pub(super) fn call_no_more(&mut self, failure: &Failure) {
        self.no_more = Some(failure.clone());
    }

    /// The next outcome to arrive and the index of its input; none when all have.
    pub(super) fn poll_outcome<T>(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<(usize, Result<T, Failure>)>>
    where
        T: DeserializeOwned,
        F: FnMut(I::Item) -> Call<T>,
    {
        // Waiting for half of the window to be free keeps commands few without leaving hosts idle.
        if self.in_flight.len() <= self.limit / 2 {
            self.refill();
        }
        if let Some((index, failure)) = self.refused.take() {
            return Poll::Ready(Some((index, Err(failure))));
        }
        let arrived = ready!(self.in_flight.poll_next_unpin(context));
        Poll::Ready(arrived.map(|(index, step, outcome)| (index, read_result(step, outcome))))
    }

    fn refill<T>(&mut self)
    where
        F: FnMut(I::Item) -> Call<T>,
    {
        let activation = Activation::current();
        // Where calls run in place one is enough: nothing would be gained by beginning another.
        let limit = if activation.is_some() { self.limit } else { 1 };
        while self.in_flight.len() < limit && self.refused.is_none() {
            match (self.take(), &activation) {
                (None, _) => return,
                (Some((index, Err(failure))), _) => self.refused = Some((index, failure)),
                (Some((index, Ok(request))), Some(activation)) => {
                    let room = (limit - self.in_flight.len()).min(CHUNK_INPUTS_MAX);
                    let chunk = self.gather(index, request, room);
                    self.issue(activation, chunk);
                }
                (Some((index, Ok(request))), None) => {
                    let step = request.step;
                    let awaited = Awaited::InPlace(request.run_in_place());
                    self.in_flight.push(InFlight { index, step, awaited });
                }
            }
        }
    }

    /// Takes as many calls as have the step and options of the first, and fit into one command.
    fn gather<T>(&mut self, index: usize, first: Request, room: usize) -> Chunk
    where
        F: FnMut(I::Item) -> Call<T>,
    {
        let mut chunk = Chunk::begin(index, first);
        while chunk.inputs.len() < room {
            match self.take() {
                None => break,
                Some((index, Ok(request))) if chunk.has_room_for(&request) => {
                    chunk.add(index, request);
                }
                Some(other) => {
                    self.left_over = Some(other);
                    break;
                }
            }
        }
        chunk
    }

    fn issue(&mut self, activation: &Rc<Activation>, chunk: Chunk) {
        let promises = activation.issue_many(chunk.step, &chunk.inputs, &chunk.options);
        for (index, promise) in chunk.indexes.into_iter().zip(promises) {
            let awaited = Awaited::Promise(promise);
            self.in_flight.push(InFlight { index, step: chunk.step, awaited });
        }
    }

    /// The next call, and the index of its input.
    fn take<T>(&mut self) -> Option<(usize, Result<Request, Failure>)>
    where
        F: FnMut(I::Item) -> Call<T>,
    {
        let (index, request) = if let Some(left_over) = self.left_over.take() {
            left_over
        } else {
            let call = (self.step)(self.inputs.next()?);
            self.taken += 1;
            (self.taken - 1, call.into_request())
        };
        Some((index, self.no_more.clone().map_or(request, Err)))
    }
}

impl Chunk {
    fn begin(index: usize, first: Request) -> Self {
        let Request { step, input, options, .. } = first;
        Self { step, options, bytes: input.len(), indexes: vec![index], inputs: vec![input] }
    }

    fn has_room_for(&self, request: &Request) -> bool {
        self.step == request.step
            && self.options == request.options
            && self.bytes + request.input.len() <= CHUNK_BYTES_MAX
    }

    fn add(&mut self, index: usize, request: Request) {
        self.bytes += request.input.len();
        self.indexes.push(index);
        self.inputs.push(request.input);
    }
}

impl Future for InFlight {
    type Output = (usize, &'static str, Outcome);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = match &mut self.awaited {
            Awaited::Promise(promise) => ready!(Pin::new(promise).poll(context)),
            Awaited::InPlace(run) => ready!(run.as_mut().poll(context)),
        };
        Poll::Ready((self.index, self.step, outcome))
    }
}
