//! Signals between their arrival and the guest that reads them: none lost, none read twice, none overtaken by a younger one
//! because it was put back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::entry::Event;
use crate::model::{Name, Payload, Promise, Seq};

/// One signal as its `received` entry has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Signal {
    /// Its entry: what is put back takes its place by this.
    pub(super) seq: Seq,
    pub(super) name: Name,
    pub(super) payload: Payload,
    /// The sender's id.
    pub(super) id: Option<String>,
}

impl Signal {
    /// The entry that it came from, without its place.
    pub(super) fn into_event(self) -> Event {
        Event::Received { signal: self.name, payload: self.payload, id: self.id }
    }
}

/// Signals that `next` has passed, and receives that wait for them.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// Not bound to any receive, by age.
    buffered: HashMap<Name, BTreeMap<Seq, Signal>>,
    /// Receives that have no signal. Promises are numbered in command order, so the lowest is the oldest.
    receivers: HashMap<Name, BTreeSet<Promise>>,
    /// Receives that have one and have not been settled: they settle in command order, which is that of their numbers.
    bound: BTreeMap<Promise, Signal>,
    /// Receives that were settled. What the guest has not read comes back by a cancel.
    given: HashMap<Promise, Signal>,
}

impl Signals {
    /// A new receive: takes the oldest buffered signal at once.
    pub(super) fn receive(&mut self, promise: Promise, name: &Name) {
        match self.buffered.get_mut(name).and_then(BTreeMap::pop_first) {
            Some((_seq, signal)) => {
                self.bound.insert(promise, signal);
            }
            None => {
                self.receivers.entry(name.clone()).or_default().insert(promise);
            }
        }
    }

    /// A signal is passed: returns the receive that it settles, or keeps it.
    pub(super) fn pass(&mut self, signal: Signal) -> Option<Promise> {
        let waiting = self.oldest_receiver(&signal.name);
        match waiting {
            Some(promise) => {
                self.given.insert(promise, signal);
            }
            None => self.buffer(signal),
        }
        waiting
    }

    /// The bound receive that settles next.
    pub(super) fn settle_bound(&mut self) -> Option<(Promise, Payload)> {
        let (promise, signal) = self.bound.pop_first()?;
        let payload = signal.payload.clone();
        self.given.insert(promise, signal);
        Some((promise, payload))
    }

    pub(super) fn has_bound(&self) -> bool {
        !self.bound.is_empty()
    }

    /// The guest no longer cares for a receive: its signal, if it has one, goes to the oldest receive that has none, or back
    /// in front. In front of all that are younger, that is: two that come back in any order keep the order of their arrival.
    pub(super) fn cancel(&mut self, promise: Promise, name: &Name) {
        let back = self.bound.remove(&promise).or_else(|| self.given.remove(&promise));
        if let Some(receivers) = self.receivers.get_mut(name) {
            receivers.remove(&promise);
        }
        let Some(signal) = back else { return };
        match self.oldest_receiver(&signal.name) {
            Some(receiver) => {
                self.bound.insert(receiver, signal);
            }
            None => self.buffer(signal),
        }
    }

    fn oldest_receiver(&mut self, name: &Name) -> Option<Promise> {
        self.receivers.get_mut(name).and_then(BTreeSet::pop_first)
    }

    fn buffer(&mut self, signal: Signal) {
        self.buffered.entry(signal.name.clone()).or_default().insert(signal.seq, signal);
    }

    /// Those that nobody received, oldest first.
    pub(super) fn unreceived(&self) -> Vec<Signal> {
        let buffered = self.buffered.values().flat_map(BTreeMap::values);
        let mut all: Vec<Signal> = self.bound.values().chain(buffered).cloned().collect();
        all.sort_by_key(|signal| signal.seq);
        all
    }
}
