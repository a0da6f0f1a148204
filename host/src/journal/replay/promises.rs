//! What became of each promise of a run.

use std::collections::{BTreeSet, HashSet};
use std::ops::RangeInclusive;

use crate::model::{ExecutionId, Name, Promise, Run, Timestamp};

/// What a promise stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Work {
    Call,
    Child { child: ExecutionId, detached: bool },
    Timer { due: Timestamp },
    Receive { signal: Name },
}

#[derive(Debug)]
struct Slot {
    work: Work,
    /// The runs under which its work may be out: settlements of another run are dropped.
    runs: RangeInclusive<Run>,
    is_open: bool,
}

/// All promises of a run, by their number.
#[derive(Debug, Default)]
pub(super) struct Promises {
    slots: Vec<Slot>,
    open: BTreeSet<Promise>,
    /// Open timers whose firing is not recorded.
    timers: BTreeSet<(Timestamp, Promise)>,
    /// Promises whose settlement lies in the journal, delivered or not.
    recorded: HashSet<Promise>,
}

impl Promises {
    pub(super) fn next(&self) -> Promise {
        Promise(u32::try_from(self.slots.len()).unwrap_or(u32::MAX))
    }

    pub(super) fn add(&mut self, work: Work, runs: RangeInclusive<Run>) -> Promise {
        let promise = self.next();
        if let Work::Timer { due } = work
            && !self.recorded.contains(&promise)
        {
            self.timers.insert((due, promise));
        }
        self.slots.push(Slot { work, runs, is_open: true });
        self.open.insert(promise);
        promise
    }

    fn slot(&self, promise: Promise) -> Option<&Slot> {
        self.slots.get(promise.0 as usize)
    }

    pub(super) fn work(&self, promise: Promise) -> Option<&Work> {
        self.slot(promise).map(|slot| &slot.work)
    }

    pub(super) fn is_open(&self, promise: Promise) -> bool {
        self.slot(promise).is_some_and(|slot| slot.is_open)
    }

    /// Closes a promise, whatever for. False where it was closed.
    pub(super) fn close(&mut self, promise: Promise) -> bool {
        let Some(slot) = self.slots.get_mut(promise.0 as usize) else { return false };
        let was_open = std::mem::replace(&mut slot.is_open, false);
        if let Work::Timer { due } = slot.work {
            self.timers.remove(&(due, promise));
        }
        self.open.remove(&promise);
        was_open
    }

    /// Notes that a settlement lies in the journal.
    pub(super) fn mark_recorded(&mut self, promise: Promise) {
        self.recorded.insert(promise);
        if let Some(Work::Timer { due }) = self.work(promise) {
            let timer = (*due, promise);
            self.timers.remove(&timer);
        }
    }

    pub(super) fn is_recorded(&self, promise: Promise) -> bool {
        self.recorded.contains(&promise)
    }

    /// Whether the outcome of a step or child may be admitted, from any run or from this one.
    pub(super) fn awaits(&self, promise: Promise, run: Option<Run>) -> bool {
        let awaited = self.slot(promise).is_some_and(|slot| {
            let is_work = matches!(slot.work, Work::Call | Work::Child { .. });
            slot.is_open && is_work && run.is_none_or(|run| slot.runs.contains(&run))
        });
        awaited && !self.is_recorded(promise)
    }

    /// Whether this is a timer that may fire: open, not fired, and due.
    pub(super) fn may_fire(&self, promise: Promise, now: Timestamp) -> bool {
        match self.work(promise) {
            Some(Work::Timer { due }) => *due <= now && self.timers.contains(&(*due, promise)),
            Some(Work::Call | Work::Child { .. } | Work::Receive { .. }) | None => false,
        }
    }

    pub(super) fn open(&self) -> impl Iterator<Item = Promise> {
        self.open.iter().copied()
    }

    pub(super) fn open_count(&self) -> usize {
        self.open.len()
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        self.timers.first().map(|(due, _)| *due)
    }

    pub(super) fn due(&self, now: Timestamp) -> Vec<Promise> {
        self.timers.iter().take_while(|(due, _)| *due <= now).map(|(_, promise)| *promise).collect()
    }
}
