//! Delivery: the only place where the world reaches the guest.

use super::super::divergence::{Divergence, left_over};
use super::super::entry::Event;
use super::promises::Work;
use super::signals::Signal;
use super::{Replay, Request};
use crate::model::{ExecutionState, Failure, Outcome, Payload, Promise, Seq, Timestamp, kind};

/// What `next` answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// This promise has settled.
    Settled(Promise, Outcome),
    /// Something is open, and nothing recorded settles it: admit arrivals and ask again.
    Wait,
    /// Nothing is open: waiting would never end.
    Nothing,
}

impl Replay {
    /// Delivers one settlement.
    ///
    /// What a request to end still has to settle comes first, then receives that are bound to a signal, then the journal's
    /// next event.
    #[expect(clippy::should_implement_trait, reason = "the name it has in the WIT")]
    pub fn next(&mut self) -> Result<Next, Divergence> {
        if let Some(settled) = self.expand() {
            return Ok(settled);
        }
        if let Some((promise, payload)) = self.signals.settle_bound() {
            self.promises.close(promise);
            return Ok(Next::Settled(promise, Ok(payload)));
        }
        while self.promises.open_count() > 0 {
            let Some((seq, at, event)) = self.events.pop_front() else {
                self.check_left_over(None)?;
                return Ok(Next::Wait);
            };
            self.check_left_over(Some(seq))?;
            self.last_event = seq;
            self.now = at;
            if let Some(settled) = self.pass(event, seq, at) {
                return Ok(settled);
            }
        }
        // The guest goes on from this answer with commands that came after the same event, so none is left over yet.
        Ok(Next::Nothing)
    }

    /// Before an event is passed, every command that was recorded before its delivery must have come.
    fn check_left_over(&self, before: Option<Seq>) -> Result<(), Divergence> {
        match self.commands.front() {
            Some((seq, _run, entry)) if before.is_none_or(|event| entry.after < event) => {
                Err(left_over(*seq, &entry.command, "waited instead"))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn expand(&mut self) -> Option<Next> {
        let request = self.ending.clone()?;
        while let Some(promise) = self.expanding.pop_front() {
            if self.promises.is_open(promise) {
                self.stop(promise);
                return Some(Next::Settled(promise, Err(request.failure)));
            }
        }
        None
    }

    fn pass(&mut self, event: Event, seq: Seq, at: Timestamp) -> Option<Next> {
        match event {
            Event::Settled { promise, outcome, .. } => self.settle(promise, outcome),
            Event::Fired { promise } => self.settle(promise, Ok(Payload::null())),
            Event::Received { signal: name, payload, id } => {
                let signal = Signal { seq, name, payload: payload.clone(), id };
                let promise = self.signals.pass(signal)?;
                self.promises.close(promise);
                Some(Next::Settled(promise, Ok(payload)))
            }
            Event::CancelRequested { reason } => self.end_by(Request {
                state: ExecutionState::Cancelled,
                failure: Failure::new(kind::CANCELLED, reason),
                at,
            }),
            Event::Expired => self.end_by(Request {
                state: ExecutionState::TimedOut,
                failure: Failure::new(kind::TIMED_OUT, "max_duration has passed"),
                at,
            }),
        }
    }

    /// Events of promises that are closed are skipped.
    fn settle(&mut self, promise: Promise, outcome: Outcome) -> Option<Next> {
        self.effects.remove(&promise);
        self.promises.close(promise).then_some(Next::Settled(promise, outcome))
    }

    fn end_by(&mut self, request: Request) -> Option<Next> {
        if self.ending.is_none() {
            self.ending = Some(request);
            self.expanding = self.promises.open().collect();
        }
        self.expand()
    }

    /// Closes an open promise and has its work stopped.
    pub(super) fn stop(&mut self, promise: Promise) {
        if let Some(Work::Receive { signal }) = self.promises.work(promise).cloned() {
            self.signals.cancel(promise, &signal);
        }
        if self.promises.close(promise) {
            self.stop_work(promise);
        }
    }
}
