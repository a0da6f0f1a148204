//! Hints within one process.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::{Notify, watch};

use super::{Hints, Notifier};
use crate::model::{ExecutionId, HostId, Wake};

/// How many executions may be watched before those that nobody hears are forgotten.
const WATCHED_BEFORE_SWEEP: usize = 1_024;

/// The notifier of a host that is alone.
#[derive(Debug, Default)]
pub struct LocalNotifier {
    board: Mutex<Board>,
    hinted: Notify,
}

#[derive(Debug, Default)]
struct Board {
    work: bool,
    arrivals: BTreeSet<ExecutionId>,
    watched: HashMap<ExecutionId, watch::Sender<u64>>,
    sweep_at: usize,
}

impl LocalNotifier {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().expect("nobody panics while holding the board")
    }
}

#[async_trait]
impl Notifier for LocalNotifier {
    fn wake(&self, wake: Wake) {
        match wake {
            Wake::Work { queue: _ } => {
                self.board().work = true;
                self.hinted.notify_one();
            }
            Wake::Arrival { owner: _, execution } => {
                self.board().arrivals.insert(execution);
                self.hinted.notify_one();
            }
            Wake::Changed { execution } => {
                if let Some(watched) = self.board().watched.get(&execution) {
                    watched.send_modify(|changes| *changes += 1);
                }
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
            {
                let mut board = self.board();
                if board.work || !board.arrivals.is_empty() {
                    return Hints {
                        work: std::mem::take(&mut board.work),
                        arrivals: std::mem::take(&mut board.arrivals).into_iter().collect(),
                    };
                }
            }
            hinted.await;
        }
    }
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

        assert_eq!(hints, Hints { work: true, arrivals: vec![execution] });
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
