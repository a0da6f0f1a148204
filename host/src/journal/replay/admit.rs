//! Arrivals become events: each once, in the order in which the owner takes them.

use super::super::entry::{Arrival, Body, Event};
use super::Replay;
use crate::model::{Promise, Seq, Timestamp};

/// What became of an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is an event now.
    Recorded(Seq),
    /// It is a repeat, or nobody awaits it any more: its row goes, nothing is recorded.
    Dropped,
}

impl Replay {
    /// Makes an arrival an event, unless it is of another run, settles what is settled, repeats a signal, or is a timer that
    /// is not due. Only where `next` has said [`super::Next::Wait`]: before, what the guest has not issued again yet would seem to be
    /// awaited by nobody.
    pub fn admit(&mut self, arrival: Arrival, now: Timestamp) -> Admission {
        if !self.is_wanted(&arrival, now.max(self.last_recorded_at)) {
            return Admission::Dropped;
        }
        let event = match arrival {
            Arrival::Settled { run: _, promise, outcome, usage, attempt } => {
                Event::Settled { promise, outcome, usage, attempt }
            }
            Arrival::Fired { promise } => Event::Fired { promise },
            Arrival::Signal { signal, payload, id } => Event::Received { signal, payload, id },
            Arrival::Cancel { reason, force: _ } => Event::CancelRequested { reason },
            Arrival::Expired => Event::Expired,
        };
        self.remember(&event);
        let (seq, at) = self.record(Body::Event(event.clone()), now);
        self.events.push_back((seq, at, event));
        Admission::Recorded(seq)
    }

    fn is_wanted(&self, arrival: &Arrival, now: Timestamp) -> bool {
        match arrival {
            Arrival::Settled { run, promise, .. } => self.promises.awaits(*promise, Some(*run)),
            Arrival::Fired { promise } => self.promises.may_fire(*promise, now),
            Arrival::Signal { id: Some(id), .. } => !self.signal_ids.contains(id),
            Arrival::Signal { id: None, .. } => true,
            Arrival::Cancel { .. } | Arrival::Expired => !self.asked_to_end,
        }
    }

    /// Keeps what later arrivals are compared with.
    pub(super) fn remember(&mut self, event: &Event) {
        match event {
            Event::Settled { promise, .. } | Event::Fired { promise } => {
                self.promises.mark_recorded(*promise);
            }
            Event::Received { id: Some(id), .. } => {
                self.remember_signal(id.clone());
            }
            Event::Received { id: None, .. } => {}
            Event::CancelRequested { .. } | Event::Expired => self.asked_to_end = true,
        }
    }

    pub(super) fn remember_signal(&mut self, id: String) {
        if self.signal_ids.insert(id.clone()) {
            self.signal_order.push(id);
        }
    }

    /// Whether anything recorded waits to be delivered.
    pub fn has_ahead(&self) -> bool {
        !self.events.is_empty() || self.signals.has_bound() || !self.expanding.is_empty()
    }

    /// Whether a settlement of this call would be admitted.
    pub fn awaits(&self, promise: Promise) -> bool {
        self.promises.awaits(promise, None)
    }

    /// The earliest open timer.
    pub fn next_timer(&self) -> Option<Timestamp> {
        self.promises.next_timer()
    }

    /// Open timers that are due.
    pub fn due(&self, now: Timestamp) -> Vec<Promise> {
        self.promises.due(now)
    }
}
