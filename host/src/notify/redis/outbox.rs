//! What others are to be told, gathered while the last messages were under way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;

use super::message::{IDS_MAX, Message};
use crate::model::{ExecutionId, HostId, Wake};

/// Arrivals that are remembered until they are sent; more are dropped.
const ARRIVALS_MAX: usize = 1_024;
/// Changes that are remembered until they are sent; more are dropped.
const CHANGES_MAX: usize = 4_096;

/// Whom a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Hearer {
    /// Every host.
    All,
    /// One incarnation.
    One(HostId),
}

/// Hints to others, each once, however often it is given.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    gathered: Mutex<Gathered>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Gathered {
    work: bool,
    arrivals: BTreeSet<(HostId, ExecutionId)>,
    changes: BTreeSet<ExecutionId>,
    dropped: u64,
}

impl Outbox {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().expect("nobody panics while holding it")
    }

    /// Puts a hint in. Where there is no more room, it is dropped and counted.
    pub(super) fn put(&self, wake: &Wake) {
        self.gathered().put(wake);
        self.filled.notify_one();
    }

    /// Waits until there is something, and takes it all. Dropping the future loses nothing.
    pub(super) async fn filled(&self) -> Vec<(Hearer, Message)> {
        loop {
            let filled = self.filled.notified();
            let messages = self.take();
            if !messages.is_empty() {
                return messages;
            }
            filled.await;
        }
    }

    /// Takes what there is.
    pub(super) fn take(&self) -> Vec<(Hearer, Message)> {
        let mut gathered = self.gathered();
        let dropped = gathered.dropped;
        std::mem::replace(&mut *gathered, Gathered { dropped, ..Gathered::default() })
            .into_messages()
    }

    /// How many hints have found no room since the start.
    pub(super) fn dropped(&self) -> u64 {
        self.gathered().dropped
    }
}

impl Gathered {
    fn put(&mut self, wake: &Wake) {
        let dropped = match *wake {
            Wake::Work { queue: _ } => {
                self.work = true;
                false
            }
            Wake::Arrival { owner, execution } => {
                !insert(&mut self.arrivals, (owner, execution), ARRIVALS_MAX)
            }
            Wake::Changed { execution } => !insert(&mut self.changes, execution, CHANGES_MAX),
        };
        self.dropped += u64::from(dropped);
    }

    fn into_messages(self) -> Vec<(Hearer, Message)> {
        let mut of_hosts = BTreeMap::<HostId, Vec<ExecutionId>>::new();
        for (owner, execution) in self.arrivals {
            of_hosts.entry(owner).or_default().push(execution);
        }
        let changes: Vec<_> = self.changes.into_iter().collect();
        let work = self.work.then_some((Hearer::All, Message::Work));
        let arrivals = of_hosts.iter().flat_map(|(host, executions)| {
            let messages = executions.chunks(IDS_MAX).map(|ids| Message::Arrivals(ids.to_vec()));
            messages.map(|message| (Hearer::One(*host), message))
        });
        let changes = changes.chunks(IDS_MAX).map(|ids| Message::Changes(ids.to_vec()));
        let changes = changes.map(|message| (Hearer::All, message));
        work.into_iter().chain(arrivals).chain(changes).collect()
    }
}

/// False: there is no room.
fn insert<T: Ord>(set: &mut BTreeSet<T>, value: T, max: usize) -> bool {
    if set.len() >= max && !set.contains(&value) {
        return false;
    }
    set.insert(value);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    fn host(number: u8) -> HostId {
        HostId::from_bytes([number; 16])
    }

    fn id(number: usize) -> ExecutionId {
        ExecutionId::from_bytes((number as u128).to_be_bytes())
    }

    #[test]
    fn many_hints_become_few_messages() {
        let outbox = Outbox::default();
        for number in 0..1_000 {
            outbox.put(&Wake::Work { queue: Name::default_queue() });
            outbox.put(&Wake::Changed { execution: id(number % 3) });
            outbox.put(&Wake::Arrival { owner: host(1), execution: id(number % 2) });
            outbox.put(&Wake::Arrival { owner: host(2), execution: id(0) });
        }

        let messages = outbox.take();

        let expected = [
            (Hearer::All, Message::Work),
            (Hearer::One(host(1)), Message::Arrivals(vec![id(0), id(1)])),
            (Hearer::One(host(2)), Message::Arrivals(vec![id(0)])),
            (Hearer::All, Message::Changes(vec![id(0), id(1), id(2)])),
        ];
        assert_eq!(messages, expected);
        assert_eq!((outbox.take(), outbox.dropped()), (Vec::new(), 0));
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_counted() {
        let outbox = Outbox::default();
        let (arrivals, changes) = (ARRIVALS_MAX + 10, CHANGES_MAX + 20);
        (0..arrivals).for_each(|n| outbox.put(&Wake::Arrival { owner: host(1), execution: id(n) }));
        (0..changes).for_each(|n| outbox.put(&Wake::Changed { execution: id(n) }));
        // What is there already needs no room.
        outbox.put(&Wake::Changed { execution: id(0) });

        let messages = outbox.take();

        let sizes: Vec<_> = messages.iter().map(|(_, message)| ids(message)).collect();
        assert_eq!(sizes.iter().sum::<usize>(), ARRIVALS_MAX + CHANGES_MAX);
        assert!(sizes.iter().all(|ids| *ids <= IDS_MAX));
        assert_eq!(outbox.dropped(), 30);
    }

    fn ids(message: &Message) -> usize {
        match message {
            Message::Work => 0,
            Message::Arrivals(ids) | Message::Changes(ids) => ids.len(),
        }
    }

    #[tokio::test]
    async fn what_was_put_before_anyone_waits_is_taken() {
        let outbox = Outbox::default();
        outbox.put(&Wake::Changed { execution: id(1) });

        assert_eq!(outbox.filled().await, [(Hearer::All, Message::Changes(vec![id(1)]))]);
    }
}
