//! Giving up memory, and giving up ownership.

use std::collections::HashMap;

use super::super::handover::{self, Handed};
use super::super::task::Ended;
use super::{Activation, Over};
use crate::journal::Replay;
use crate::store::{NewTask, RowChange, TaskRef};

impl Activation {
    /// Drops the instance and gives up ownership. Local steps that still run become task rows of this host, and from that
    /// commit on their outcome goes the way of a task.
    pub(super) async fn park(&mut self, mut replay: Replay) -> Over {
        let mut handed = HashMap::new();
        for (promise, local) in std::mem::take(&mut self.locals) {
            let task = NewTask {
                owner: Some(self.crew.host),
                attempt: local.attempt.number,
                schedule_by: None,
                ..self.task_row(&local.call, self.crew.clock.now())
            };
            let of = TaskRef {
                id: task.id,
                execution: self.id(),
                run: local.call.run(),
                promise,
                attempt: task.attempt,
            };
            let entered = self.crew.enter_task(of, local.stop.clone());
            let step = local.call.step().clone();
            let input_at = local.call.input_at();
            let ended = Ended { task: of, step, input_at, is_limited: false };
            handed.insert(promise, Handed { ended, entered });
            self.draft.tasks.push(task);
        }
        let next_timer = replay.next_timer();
        self.draft.row = RowChange::Park { seen: self.seen, next_timer };
        let written = self.write(&mut replay).await;
        // Also where nobody knows whether it was written: an alarm too many does no harm.
        [next_timer, self.expires_at].into_iter().flatten().for_each(|at| self.crew.set_alarm(at));
        match written {
            Ok(()) => {
                self.crew.meters.parkings.increment(1);
                if !handed.is_empty() {
                    let ends = self.replace_ends();
                    let crew = self.crew.clone();
                    self.crew.begin(handover::forward(crew, ends, handed));
                }
                Over::Done
            }
            Err(over) => {
                // Nothing stands for these steps: they are lost, and called again by whoever activates next.
                for Handed { ended, entered } in handed.into_values() {
                    self.crew.stop_attempt(ended.task.id, ended.task.attempt);
                    drop(entered);
                }
                if over == Over::Again {
                    // Nobody knows whether their rows are there: if they are, they are given back.
                    self.crew.doubt();
                    self.crew.set_alarm(self.crew.clock.now());
                }
                over
            }
        }
    }

    pub(super) fn replace_ends(&mut self) -> tokio::sync::mpsc::UnboundedReceiver<super::LocalEnd> {
        let (ends_in, ends) = tokio::sync::mpsc::unbounded_channel();
        self.ends_in = ends_in;
        std::mem::replace(&mut self.ends, ends)
    }

    /// The drain timeout has passed: what runs is stopped, and the execution is ready for any other host at once.
    pub(super) async fn hand_over(&mut self, mut replay: Replay) -> Over {
        self.stop_locals();
        self.draft.row = RowChange::Release;
        self.write(&mut replay).await.map_or_else(|over| over, |()| Over::Done)
    }
}
