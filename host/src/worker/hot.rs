//! Activations of this host, and which of them wait in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

use tokio::sync::mpsc;

use crate::model::{ExecutionId, Limits};

/// Something an activation is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nudge {
    /// Look into the inbox.
    Look,
    /// Memory is wanted for others: park.
    Park,
}

/// Nudges that may wait for an activation; one of each kind is as good as many.
const NUDGES_MAX: usize = 8;

/// Every activation of this host. Those that wait are parked least recently used first when there are too many of them, or
/// when they hold too much memory.
#[derive(Debug)]
pub(super) struct Hot {
    room: Mutex<Room>,
    waiting_max: usize,
    waiting_bytes_max: u64,
    activations_max: usize,
}

#[derive(Debug, Default)]
struct Room {
    active: HashMap<ExecutionId, Active>,
    waiting: BTreeMap<u64, ExecutionId>,
    waiting_bytes: u64,
    tick: u64,
    /// Others are ready and there is no place for them: whoever waits next makes one.
    is_short: bool,
}

#[derive(Debug)]
struct Active {
    nudges: mpsc::Sender<Nudge>,
    /// Since when it waits, and how much memory it holds.
    waits: Option<(u64, u64)>,
}

impl Hot {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            room: Mutex::default(),
            waiting_max: limits.hot_max,
            waiting_bytes_max: limits.hot_bytes_max,
            activations_max: limits.activations_max,
        }
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().expect("nobody panics while holding it")
    }

    /// How many activations there are, how many of them wait, and the memory that those hold, in bytes.
    pub(super) fn counts(&self) -> (usize, usize, u64) {
        let room = self.room();
        (room.active.len(), room.waiting.len(), room.waiting_bytes)
    }

    /// How many more activations there may be.
    pub(super) fn free(&self) -> usize {
        self.activations_max.saturating_sub(self.room().active.len())
    }

    /// Whether an execution is active here.
    pub(super) fn has(&self, execution: ExecutionId) -> bool {
        self.room().active.contains_key(&execution)
    }

    /// Enters an activation. None: there is one already.
    pub(super) fn enter(&self, execution: ExecutionId) -> Option<mpsc::Receiver<Nudge>> {
        let mut room = self.room();
        if room.active.contains_key(&execution) {
            return None;
        }
        let (nudges, inlet) = mpsc::channel(NUDGES_MAX);
        room.active.insert(execution, Active { nudges, waits: None });
        Some(inlet)
    }

    /// An activation is over.
    pub(super) fn leave(&self, execution: ExecutionId) {
        let mut room = self.room();
        room.run(execution);
        room.active.remove(&execution);
    }

    /// Tells an activation something. False: there is none.
    pub(super) fn nudge(&self, execution: ExecutionId, nudge: Nudge) -> bool {
        let room = self.room();
        let Some(active) = room.active.get(&execution) else { return false };
        // A full queue holds a nudge of this kind already.
        let _full = active.nudges.try_send(nudge);
        true
    }

    /// Tells all activations to look.
    pub(super) fn nudge_all(&self) {
        for active in self.room().active.values() {
            let _full = active.nudges.try_send(Nudge::Look);
        }
    }

    /// An instance waits now, and holds that much memory.
    pub(super) fn wait(&self, execution: ExecutionId, bytes: u64) {
        let mut room = self.room();
        room.tick += 1;
        let tick = room.tick;
        let Some(active) = room.active.get_mut(&execution) else { return };
        active.waits = Some((tick, bytes));
        room.waiting.insert(tick, execution);
        room.waiting_bytes += bytes;
        while room.waiting.len() > self.waiting_max || room.waiting_bytes > self.waiting_bytes_max {
            if !room.evict_oldest() {
                return;
            }
        }
        if std::mem::take(&mut room.is_short) {
            room.evict_oldest();
        }
    }

    /// An instance runs again.
    pub(super) fn run(&self, execution: ExecutionId) {
        self.room().run(execution);
    }

    /// Parks up to `count` of those that have waited longest.
    pub(super) fn make_room(&self, count: usize) {
        let mut room = self.room();
        (0..count).all(|_| room.evict_oldest());
    }

    /// There is no room at all for what is ready: parks up to `count`, or, where none waits, the one that will wait next.
    pub(super) fn demand_room(&self, count: usize) {
        let mut room = self.room();
        let parked = (0..count).take_while(|_| room.evict_oldest()).count();
        room.is_short = parked == 0;
    }
}

impl Room {
    fn run(&mut self, execution: ExecutionId) {
        let Some(active) = self.active.get_mut(&execution) else { return };
        if let Some((tick, bytes)) = active.waits.take() {
            self.waiting.remove(&tick);
            self.waiting_bytes -= bytes;
        }
    }

    fn evict_oldest(&mut self) -> bool {
        let Some((_, execution)) = self.waiting.first_key_value() else { return false };
        let execution = *execution;
        self.run(execution);
        if let Some(active) = self.active.get(&execution) {
            let _full = active.nudges.try_send(Nudge::Park);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ExecutionId {
        ExecutionId::from_bytes([number; 16])
    }

    #[test]
    fn the_least_recently_used_is_parked_first() {
        let limits = Limits { hot_max: 2, ..Limits::for_cores(1) };
        let hot = Hot::new(&limits);
        let mut inlets: Vec<_> = (0..3).map(|n| hot.enter(id(n)).unwrap()).collect();

        (0..2).for_each(|n| hot.wait(id(n), 10));
        hot.run(id(0));
        hot.wait(id(0), 10);
        hot.wait(id(2), 10);

        assert_eq!(inlets[1].try_recv(), Ok(Nudge::Park));
        assert!(inlets[0].try_recv().is_err() && inlets[2].try_recv().is_err());
    }

    #[test]
    fn where_nobody_waits_yet_the_next_one_that_does_makes_room() {
        let hot = Hot::new(&Limits { activations_max: 1, ..Limits::for_cores(1) });
        let mut inlet = hot.enter(id(0)).unwrap();

        hot.demand_room(1);
        assert!(inlet.try_recv().is_err());
        hot.wait(id(0), 10);

        assert_eq!(inlet.try_recv(), Ok(Nudge::Park));
    }

    #[test]
    fn memory_bounds_them_too() {
        let limits = Limits { hot_bytes_max: 100, ..Limits::for_cores(1) };
        let hot = Hot::new(&limits);
        let mut inlets: Vec<_> = (0..2).map(|n| hot.enter(id(n)).unwrap()).collect();

        hot.wait(id(0), 60);
        hot.wait(id(1), 60);

        assert_eq!(inlets[0].try_recv(), Ok(Nudge::Park));
        assert!(hot.enter(id(1)).is_none());
    }
}
