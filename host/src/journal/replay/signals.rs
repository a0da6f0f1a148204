//! Signals between their arrival and the guest that reads them: none lost, none read twice.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::model::{Name, Payload, Promise};

/// Signals that `next` has passed, and receives that wait for them.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// Not bound to any receive, oldest first.
    buffered: HashMap<Name, VecDeque<Payload>>,
    /// Receives that have no signal, oldest first.
    receivers: HashMap<Name, VecDeque<Promise>>,
    /// Receives that have one and have not been settled: they settle in command order, which is that of their numbers.
    bound: BTreeMap<Promise, (Name, Payload)>,
    /// Receives that were settled. What the guest has not read comes back by a cancel.
    given: HashMap<Promise, (Name, Payload)>,
}

impl Signals {
    /// A new receive: takes the oldest buffered signal at once.
    pub(super) fn receive(&mut self, promise: Promise, name: &Name) {
        match self.buffered.get_mut(name).and_then(VecDeque::pop_front) {
            Some(payload) => {
                self.bound.insert(promise, (name.clone(), payload));
            }
            None => self.receivers.entry(name.clone()).or_default().push_back(promise),
        }
    }

    /// A signal is passed: returns the receive that it settles, or keeps it.
    pub(super) fn pass(&mut self, name: &Name, payload: &Payload) -> Option<Promise> {
        let waiting = self.receivers.get_mut(name).and_then(VecDeque::pop_front);
        match waiting {
            Some(promise) => {
                self.given.insert(promise, (name.clone(), payload.clone()));
            }
            None => self.buffered.entry(name.clone()).or_default().push_back(payload.clone()),
        }
        waiting
    }

    /// The bound receive that settles next.
    pub(super) fn settle_bound(&mut self) -> Option<(Promise, Payload)> {
        let (promise, (name, payload)) = self.bound.pop_first()?;
        self.given.insert(promise, (name, payload.clone()));
        Some((promise, payload))
    }

    pub(super) fn has_bound(&self) -> bool {
        !self.bound.is_empty()
    }

    /// The guest no longer cares for a receive: its signal, if it has one, goes back in front, and to the oldest receive
    /// that has none.
    pub(super) fn cancel(&mut self, promise: Promise, name: &Name) {
        let back = self.bound.remove(&promise).or_else(|| self.given.remove(&promise));
        if let Some(receivers) = self.receivers.get_mut(name) {
            receivers.retain(|receiver| *receiver != promise);
        }
        let Some((name, payload)) = back else { return };
        match self.receivers.get_mut(&name).and_then(VecDeque::pop_front) {
            Some(receiver) => {
                self.bound.insert(receiver, (name, payload));
            }
            None => self.buffered.entry(name).or_default().push_front(payload),
        }
    }

    /// Those that nobody received, by name, oldest first.
    pub(super) fn unreceived(&self) -> Vec<(Name, Payload)> {
        let mut all: BTreeMap<&Name, Vec<&Payload>> = BTreeMap::new();
        for (name, payload) in self.bound.values() {
            all.entry(name).or_default().push(payload);
        }
        for (name, payloads) in &self.buffered {
            all.entry(name).or_default().extend(payloads);
        }
        let pairs = all.into_iter().flat_map(|(name, payloads)| {
            payloads.into_iter().map(move |payload| (name.clone(), payload.clone()))
        });
        pairs.collect()
    }
}
