//! Tasks that this host has claimed.

use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::attempt::{Attempt, Attempted};
use super::crew::{Crew, Entered};
use super::meters::Where;
use super::modules::LoadError;
use super::settle::Settlement;
use super::slots::Slot;
use super::trial::Suspected;
use crate::model::{ExecutionId, Failure, StepUsage, Timestamp, kind};
use crate::store::{
    ClaimedTask, Delivered, NewDeadLetter, NotedBy, StoreError, TaskEnd, TaskRef, TaskSettled,
    Write, Written,
};

/// Begins one attempt of a claimed task.
pub(super) fn spawn(crew: &Crew, task: ClaimedTask, slot: Slot) {
    crew.meters.step(&task.queue, &task.step).claimed.increment(1);
    let stop = crew.stop.over.child_token();
    // Before anybody can ask whether this host knows of it.
    let entered = crew.enter_task(Ended::of(&task).task, stop.clone());
    crew.begin(run(crew.clone(), (task, entered), slot, stop));
}

/// Runs one attempt of a claimed task and tells the store how it ended.
async fn run(
    crew: Crew,
    (task, entered): (ClaimedTask, Entered),
    slot: Slot,
    stop: CancellationToken,
) {
    let attempted = attempt(&crew, &task, stop).await;
    drop(slot);
    crew.capacity.notify_one();
    if !crew.stop.hard.is_cancelled() {
        end(&crew, &Ended::of(&task), attempted).await;
    }
    drop(entered);
    crew.trial.acquit(Suspected::Task(task.id));
}

/// A task that loses its host again and again is put aside instead.
async fn attempt(crew: &Crew, task: &ClaimedTask, stop: CancellationToken) -> Attempted {
    if task.losses >= crew.limits.losses_max {
        let message = format!(
            "the host of step {} was lost {} times in a row (losses_max)",
            task.step, task.losses
        );
        let settlement = Settlement::Dead(Failure::new(kind::HOST_LOST, message));
        let meters = crew.meters.step(&task.queue, &task.step);
        meters.ended(Where::Task, &settlement, StepUsage::default());
        crew.meters.attempted(&settlement);
        return Attempted { settlement, ..Attempted::lost() };
    }
    match crew.modules.load(task.module).await {
        Ok(loaded) => attempt_of(task).run(crew, &loaded, stop).await,
        Err(error) => unloadable(crew, task, &error).await,
    }
}

fn attempt_of(task: &ClaimedTask) -> Attempt {
    Attempt {
        execution: task.execution,
        run: task.run,
        workflow: task.workflow.clone(),
        promise: task.promise,
        step: task.step.clone(),
        queue: task.queue.clone(),
        place: Where::Task,
        called_at: (task.attempt == 1).then_some(task.created_at),
        input: task.input.clone(),
        number: task.attempt,
        timeout: task.timeout,
        retry: task.retry.clone(),
        heartbeat: task.heartbeat.clone(),
        trace: task.trace,
    }
}

/// A module that can never run fails its step; bad weather does not.
async fn unloadable(crew: &Crew, task: &ClaimedTask, error: &LoadError) -> Attempted {
    warn!(execution.id = %task.execution, error = %error, "The module of a task could not be loaded");
    match error {
        LoadError::Store(error) => Attempted::unreadable(crew, error).await,
        LoadError::Missing(_) | LoadError::Unloadable { .. } => {
            Attempted::settled(Err(Failure::new(kind::UNKNOWN_STEP, error.to_string())))
        }
    }
}

/// A task row whose attempt has ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) task: TaskRef,
    pub(super) step: crate::model::Name,
    pub(super) input_at: (crate::model::Seq, u32),
    /// Whether others may wait for it to end.
    pub(super) is_limited: bool,
}

impl Ended {
    fn of(task: &ClaimedTask) -> Self {
        Self {
            task: TaskRef {
                id: task.id,
                execution: task.execution,
                run: task.run,
                promise: task.promise,
                attempt: task.attempt,
            },
            step: task.step.clone(),
            input_at: task.input_at,
            is_limited: task.is_limited,
        }
    }

    fn task_end(&self, settlement: Settlement, rest: Rest) -> TaskEnd {
        let Rest { usage, heartbeat, at } = rest;
        match settlement {
            Settlement::Settled(outcome) => TaskEnd::Settled { outcome, usage, dead_letter: None },
            Settlement::Dead(failure) => {
                let letter = NewDeadLetter {
                    promise: self.task.promise,
                    step: self.step.clone(),
                    input: self.input_at,
                    attempts: self.task.attempt,
                    failure: failure.clone(),
                    at,
                    queue: None,
                };
                TaskEnd::Settled { outcome: Err(failure), usage, dead_letter: Some(letter) }
            }
            Settlement::RetryAt(at, failure) => TaskEnd::Retry { at, failure, heartbeat },
            Settlement::Lost => TaskEnd::Lost,
            Settlement::GivenBack => TaskEnd::GivenBack,
        }
    }
}

struct Rest {
    usage: StepUsage,
    heartbeat: Option<crate::model::Payload>,
    at: Timestamp,
}

/// How often an outcome is offered to a store that does not answer before the attempt counts as lost.
const OFFERS_MAX: u32 = 100;

/// Tells the store how an attempt ended, until it has heard.
pub(super) async fn end(crew: &Crew, ended: &Ended, attempted: Attempted) {
    let Attempted { settlement, usage, notes, heartbeat, span } = attempted;
    // The host stops, and gives back what it still has, all at once and without blame.
    if matches!(settlement, Settlement::Lost) && crew.stop.over.is_cancelled() {
        return;
    }
    let next = match &settlement {
        Settlement::RetryAt(at, _) => Some(*at),
        // It may be a suspect now, which only a look at the rows tells.
        Settlement::Lost | Settlement::GivenBack => Some(crew.clock.now()),
        Settlement::Settled(_) | Settlement::Dead(_) => None,
    };
    let end = ended.task_end(settlement, Rest { usage, heartbeat, at: crew.clock.now() });
    for offer in 0..OFFERS_MAX {
        match tell(crew, &ended.task, end.clone(), notes.clone()).await {
            Ok(delivered) => {
                next.into_iter().for_each(|at| crew.set_alarm(at));
                if ended.is_limited {
                    crew.wake_claimers();
                }
                // Only from its row did it come to count: where that is gone, another attempt of this number may.
                if delivered.is_some() {
                    crew.tell(span.map(|span| *span));
                }
                return match delivered {
                    Some(delivered) => crew.wake_receiver(ended.task.execution, delivered),
                    // An earlier offer may have been taken without a word: then whoever owns the execution has to hear of it.
                    None if offer > 0 => wake_owner(crew, ended.task.execution).await,
                    // The row is gone: cancelled, or taken over.
                    None => crew.look(ended.task.execution),
                };
            }
            Err(StoreError::Fenced { .. }) => return,
            Err(error) => {
                warn!(execution.id = %ended.task.execution, error = %error, "The end of a task could not be written; trying again");
                let pause = crew.limits.poll_interval.0;
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = crew.stop.hard.cancelled() => return,
                }
            }
        }
    }
    // The row says that this host runs it, and soon nobody will know of it.
    crew.doubt();
    crew.set_alarm(crew.clock.now());
}

/// Outcomes go through the committer, many in one transaction; the rest is rare.
async fn tell(
    crew: &Crew,
    task: &TaskRef,
    end: TaskEnd,
    notes: Vec<NotedBy>,
) -> Result<Option<Delivered>, StoreError> {
    match end {
        TaskEnd::Settled { outcome, usage, dead_letter } => {
            let settled = TaskSettled { task: *task, outcome, usage, dead_letter, notes };
            match crew.committer.submit(Write::End(Box::new(settled))).await? {
                Written::Ended(delivered) => Ok(delivered),
                Written::Led(delivered) => {
                    crew.followers.notify_one();
                    Ok(Some(delivered))
                }
                Written::Done(_) | Written::Exists { .. } | Written::NotOwner => Ok(None),
            }
        }
        TaskEnd::Retry { .. } | TaskEnd::Lost | TaskEnd::GivenBack => {
            crew.store.end_task(crew.host, task, end, notes).await
        }
    }
}

/// Where the row cannot be read, the owner's own poll finds what has arrived.
async fn wake_owner(crew: &Crew, execution: ExecutionId) {
    if let Ok(Some(view)) = crew.store.execution(execution).await {
        crew.wake_receiver(execution, Delivered::To { owner: view.owner });
    }
}
