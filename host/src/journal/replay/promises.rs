//! What became of each promise of a run.

use std::collections::{BTreeSet, HashSet};

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
    /// The run under which its work is out: settlements of another run are dropped.
    run: Run,
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

    pub(super) fn add(&mut self, work: Work, run: Run) -> Promise {
        let promise = self.next();
        if let Work::Timer { due } = work
            && !self.recorded.contains(&promise)
        {
            self.timers.insert((due, promise));
        }
        self.slots.push(Slot { work, run, is_open: true });
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

    /// Whether a settlement for this promise may be admitted.
    pub(super) fn awaits(&self, promise: Promise, run: Option<Run>) -> bool {
        self.slot(promise).is_some_and(|slot| {
            slot.is_open
                && run.is_none_or(|run| run == slot.run)
                && !matches!(slot.work, Work::Receive { .. })
        }) && !self.is_recorded(promise)
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
