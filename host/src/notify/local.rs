//! Hints within one process.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::{Notify, watch};

use super::{Hints, Notifier, NotifierHealth};
use crate::model::{ExecutionId, HostId, Wake};

/// How many executions may be watched before those that nobody hears are forgotten.
const WATCHED_BEFORE_SWEEP: usize = 1_024;
/// How many executions are remembered by name while the listener is busy. Beyond it, it looks at all it has.
const ARRIVALS_MAX: usize = 16_384;

/// The notifier of a host that is alone.
#[derive(Debug, Default)]
pub struct LocalNotifier {
    board: Mutex<Board>,
    hinted: Notify,
}

#[derive(Debug, Default)]
struct Board {
    hints: Hints,
    arrivals: BTreeSet<ExecutionId>,
    watched: HashMap<ExecutionId, watch::Sender<u64>>,
    sweep_at: usize,
}

impl LocalNotifier {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().expect("nobody panics while holding the board")
    }

    /// Hints were lost and nobody knows which: everyone looks.
    pub(super) fn look_everywhere(&self) {
        let mut board = self.board();
        (board.hints.work, board.hints.lost) = (true, true);
        board.watched.values().for_each(change);
        self.hinted.notify_one();
    }
}

fn change(watched: &watch::Sender<u64>) {
    watched.send_modify(|changes| *changes += 1);
}

impl Board {
    fn arrive(&mut self, execution: ExecutionId) {
        if self.arrivals.len() < ARRIVALS_MAX {
            self.arrivals.insert(execution);
        } else {
            self.hints.lost = true;
        }
    }

    fn take_hints(&mut self) -> Option<Hints> {
        let is_empty = self.arrivals.is_empty() && self.hints == Hints::default();
        (!is_empty).then(|| Hints {
            arrivals: std::mem::take(&mut self.arrivals).into_iter().collect(),
            ..std::mem::take(&mut self.hints)
        })
    }
}

#[async_trait]
impl Notifier for LocalNotifier {
    fn wake(&self, wake: Wake) {
        match wake {
            Wake::Work { queue: _ } => {
                self.board().hints.work = true;
                self.hinted.notify_one();
            }
            Wake::Arrival { owner: _, execution } => {
                self.board().arrive(execution);
                self.hinted.notify_one();
            }
            Wake::Changed { execution } => {
                self.board().watched.get(&execution).into_iter().for_each(change);
            }
        }
    }

    fn watch(&self, execution: ExecutionId) -> watch::Receiver<u64> {
        let mut board = self.board();
        if board.watched.len() >= board.sweep_at.max(WATCHED_BEFORE_SWEEP) {
            board.watched.retain(|_, watched| watched.receiver_count() > 0);
            board.sweep_at = 2 * board.watched.len();
        }
        board.watched.entry(execution).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    async fn hints(&self, _host: HostId) -> Hints {
        loop {
            let hinted = self.hinted.notified();
            if let Some(hints) = self.board().take_hints() {
                return hints;
            }
            hinted.await;
        }
    }

    fn health(&self) -> NotifierHealth {
        NotifierHealth::Local
    }

    /// Nobody else is spoken to.
    async fn close(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    #[tokio::test]
    async fn hints_that_come_before_the_listener_are_heard_once() {
        let notifier = LocalNotifier::default();
        let (owner, execution) = (HostId::from_bytes([1; 16]), ExecutionId::from_bytes([2; 16]));
        notifier.wake(Wake::Work { queue: Name::default_queue() });
        notifier.wake(Wake::Arrival { owner, execution });
        notifier.wake(Wake::Arrival { owner, execution });

        let hints = notifier.hints(owner).await;

        assert_eq!(hints, Hints { work: true, arrivals: vec![execution], lost: false });
        assert_eq!(notifier.board().take_hints(), None);
    }

    #[tokio::test]
    async fn where_hints_were_lost_everyone_looks() {
        let notifier = LocalNotifier::default();
        let (owner, execution) = (HostId::from_bytes([1; 16]), ExecutionId::from_bytes([2; 16]));
        let watch = notifier.watch(execution);
        notifier.wake(Wake::Arrival { owner, execution });

        notifier.look_everywhere();

        assert!(watch.has_changed().unwrap());
        let hints = notifier.hints(owner).await;
        assert_eq!(hints, Hints { work: true, arrivals: vec![execution], lost: true });
    }

    #[test]
    fn more_arrivals_than_can_be_remembered_are_a_look_at_all() {
        let notifier = LocalNotifier::default();
        let owner = HostId::from_bytes([1; 16]);

        for number in 0..=ARRIVALS_MAX {
            let execution = ExecutionId::from_bytes((number as u128).to_be_bytes());
            notifier.wake(Wake::Arrival { owner, execution });
        }

        let hints = notifier.board().take_hints().unwrap();
        assert_eq!((hints.arrivals.len(), hints.lost), (ARRIVALS_MAX, true));
    }

    #[test]
    fn executions_that_nobody_watches_are_forgotten() {
        let notifier = LocalNotifier::default();

        for number in 0..10_000_u128 {
            drop(notifier.watch(ExecutionId::from_bytes(number.to_be_bytes())));
        }

        assert!(notifier.board().watched.len() <= 2 * WATCHED_BEFORE_SWEEP);
    }
}
