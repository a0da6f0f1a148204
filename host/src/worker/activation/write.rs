//! Writing: one append, and the hints that follow its commit.

use tracing::warn;

use super::super::crew::Crew;
use super::super::trial::Suspected;
use super::{Activation, Over};
use crate::journal::Replay;
use crate::model::{ExecutionId, Failure, Level, Note, Payload, StepSpec, Timestamp};
use crate::store::{Append, ExecutionRow, NewTask, NotedBy, RowChange, StoreError, Write, Written};

/// What a commit leaves behind for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaves {
    /// Something is ready for whoever claims it.
    Work,
    Nothing,
}

fn leaves(append: &Append, now: Timestamp) -> Leaves {
    let task = append.tasks.iter().any(|task| task.owner.is_none() && task.visible_at <= now);
    let child = append.children.iter().any(|child| child.start_at <= now);
    // What goes may have been what others wait for.
    let gone = !append.dropped_tasks.is_empty();
    if task || child || gone || matches!(append.row, RowChange::Release) {
        Leaves::Work
    } else {
        Leaves::Nothing
    }
}

/// When something that a write leaves behind is due, and nobody will hint at it.
fn due(append: &Append, now: Timestamp) -> Option<Timestamp> {
    let free = || append.tasks.iter().filter(|task| task.owner.is_none());
    // Without an entry the database's clock says whether a task is ready yet, and it may be a little behind.
    let is_late = |at: &Timestamp| append.entries.is_empty() || *at > now;
    let tasks = free().map(|task| task.visible_at).filter(is_late);
    let unbegun = free().filter_map(|task| task.schedule_by);
    let children = append.children.iter().map(|child| child.start_at).filter(|at| *at > now);
    // What a rate holds back is due when its row says so, which a look at what is due tells.
    let is_rated = |task: &&NewTask| task.limits.iter().any(|limit| limit.rate.is_some());
    let rated = free().filter(is_rated).map(|task| task.visible_at);
    tasks.chain(unbegun).chain(children).chain(rated).min()
}

impl Activation {
    /// Writes what the replay has pending and what was drafted.
    pub(super) async fn write(&mut self, replay: &mut Replay) -> Result<(), Over> {
        let now = self.crew.clock.now();
        let pending = replay.take_pending(now);
        self.lazy_at = None;
        self.draft.entries.extend(pending.entries);
        self.draft.notes.extend(pending.notes.into_iter().map(|note| NotedBy {
            step: None,
            promise: None,
            attempt: 0,
            at: now,
            note,
            attempt_began_at: None,
        }));
        self.warn_of_length(replay, now);
        self.write_draft().await
    }

    /// Says once that the journal is half full: to the author in the execution's log, to the operator in the host's.
    fn warn_of_length(&mut self, replay: &Replay, at: Timestamp) {
        let half_full = replay.half_full();
        let was_warned = std::mem::replace(&mut self.is_warned, half_full.is_some());
        let Some(half_full) = half_full.filter(|_| !was_warned) else { return };
        let id = self.id();
        warn!(execution.id = %id, "Execution {id}: {half_full}");
        let (level, fields) = (Level::Warn, Payload::null());
        let note = Note::Log { level, message: half_full.to_string(), fields };
        self.draft.notes.push(NotedBy {
            step: None,
            promise: None,
            attempt: 0,
            at,
            note,
            attempt_began_at: None,
        });
    }

    /// Writes what was drafted.
    pub(super) async fn write_draft(&mut self) -> Result<(), Over> {
        let next = Append::new(self.id(), self.crew.host, self.row.run);
        let append = std::mem::replace(&mut self.draft, next);
        if append.is_empty() {
            return Ok(());
        }
        let dropped = append.dropped_tasks.clone();
        let leaves_leads = self.may_leave_leads(&append);
        let has_entries = !append.entries.is_empty();
        let now = self.crew.clock.now();
        let (leaves, due) = (leaves(&append, now), due(&append, now));
        let receivers: Vec<_> = append.messages.iter().map(|(receiver, _)| *receiver).collect();
        let spans = std::mem::take(&mut self.spans);
        let result = self.crew.committer.submit(Write::Append(Box::new(append))).await;
        if let Ok(Written::Done(_)) = result {
            self.crew.tell(spans);
        }
        if let Err(StoreError::Unknown(_)) = result {
            self.tell_in_case(receivers);
        }
        // Not before: an alarm that rings before the commit finds nothing. One too many does no harm.
        due.into_iter().for_each(|at| self.crew.set_alarm(at));
        self.conclude(result, leaves).await?;
        if leaves_leads {
            self.crew.followers.notify_one();
        }
        if has_entries && self.row.losses > 0 {
            self.row.losses = 0;
            self.crew.trial.acquit(Suspected::Execution(self.id()));
        }
        // Only now: an attempt that was stopped before its row went would be made again.
        for (run, promise) in dropped {
            self.crew.stop_call((self.id(), run, promise));
        }
        Ok(())
    }

    /// Whether tasks go without an end that others may follow; whose steps do not say so are found by the next renewal.
    fn may_leave_leads(&self, append: &Append) -> bool {
        let ends = matches!(append.row, RowChange::End { .. });
        let tasks_go = !append.dropped_tasks.is_empty() || (ends && !self.tasks.is_empty());
        let keeps = |spec: &StepSpec| spec.options.cached || spec.options.idempotent;
        tasks_go && self.loaded.manifest.steps.iter().any(keeps)
    }

    /// If the write was made after all, these have something to look at; if not, they look in vain.
    fn tell_in_case(&self, receivers: Vec<ExecutionId>) {
        self.crew.wake_claimers();
        receivers.into_iter().for_each(|receiver| self.crew.look(receiver));
        self.crew.wake_watchers(self.id());
    }

    async fn conclude(
        &mut self,
        result: Result<Written, StoreError>,
        leaves: Leaves,
    ) -> Result<(), Over> {
        let id = self.id();
        match result {
            Ok(Written::Done(effects)) => {
                if leaves == Leaves::Work {
                    self.crew.wake_claimers();
                }
                self.existing.extend(effects.existing);
                effects.wakes.into_iter().for_each(|wake| self.crew.notifier.wake(wake));
                self.crew.wake_watchers(id);
                Ok(())
            }
            Ok(
                Written::NotOwner | Written::Exists { .. } | Written::Ended(_) | Written::Led(_),
            )
            | Err(StoreError::Fenced { .. }) => Err(Over::Done),
            Err(StoreError::Unknown(error)) => {
                warn!(execution.id = %id, error = %error, "A commit's outcome is unknown; reading what is there");
                Err(Over::Again)
            }
            Err(error @ StoreError::Refused { .. }) => {
                let why = Failure::new("refused", format!("{error}: {}", cause(&error)));
                warn!(execution.id = %id, error = %why.message, "A write was refused; execution {id} is put aside");
                Err(block_row(&self.crew, &self.row, why).await)
            }
            Err(error @ StoreError::Corrupt { .. }) => {
                Err(block_unreadable(&self.crew, id, &error).await)
            }
            Err(error @ (StoreError::Unavailable(_) | StoreError::Full { .. })) => {
                warn!(execution.id = %id, error = %error, "A write was not taken; beginning again");
                tokio::time::sleep(self.crew.limits.poll_interval.0).await;
                Err(Over::Again)
            }
        }
    }
}

fn cause(error: &StoreError) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

/// Puts an execution aside without a word to its journal.
pub(super) async fn block_row(crew: &Crew, row: &ExecutionRow, why: Failure) -> Over {
    let mut append = Append::new(row.id, crew.host, row.run);
    append.row = RowChange::Block { why };
    match crew.committer.submit(Write::Append(Box::new(append))).await {
        Ok(_) => {
            crew.wake_watchers(row.id);
            Over::Done
        }
        Err(StoreError::Fenced { .. }) => Over::Done,
        Err(error) => {
            warn!(execution.id = %row.id, error = %error, "Execution {} could not be put aside; trying again", row.id);
            tokio::time::sleep(crew.limits.poll_interval.1).await;
            Over::Again
        }
    }
}

/// Puts an execution aside where something that it depends on cannot be read: trying again would not help. `Again`: the
/// error was another, or the weather is bad.
pub(in crate::worker) async fn block_unreadable(
    crew: &Crew,
    execution: ExecutionId,
    error: &StoreError,
) -> Over {
    let Some(why) = error.as_corrupt() else { return Over::Again };
    let (host, cause) = (crew.host, why.clone());
    let blocked = crew.ask(move |store| async move { store.block(host, execution, &cause).await });
    match blocked.await {
        Ok(()) => {
            warn!(execution.id = %execution, cause = %why.message, "Execution {execution} cannot be read and is blocked");
            crew.wake_watchers(execution);
            Over::Done
        }
        Err(StoreError::Fenced { .. }) => Over::Done,
        Err(error) => {
            warn!(execution.id = %execution, error = %error, "Execution {execution} could not be put aside; trying again");
            Over::Again
        }
    }
}
