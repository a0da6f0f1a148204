//! The ends of tasks, and what becomes due.

use super::SqlStore;
use super::additions::{Additions, heartbeat_left};
use super::arrivals::bring;
use super::limits::{self, Touched};
use super::transaction::Transaction;
use crate::journal::Arrival;
use crate::model::{
    ExecutionId, Failure, HostId, Name, Outcome, Promise, ResultKey, Run, StepUsage, Timestamp,
    kind,
};
use crate::store::dialect::{Dialect, Fault};
use crate::store::row::{Reading, Row};
use crate::store::statements;
use crate::store::value::{Value, values};
use crate::store::view::{Delivered, StoppingTask};
use crate::store::write::{NotedBy, TaskEnd, TaskSettled, Write, Written};
use crate::store::{Result, TaskRef};

/// A task's row as it was when it was taken or changed: what is written for its execution comes from here alone.
pub(super) struct Taken {
    pub(super) execution: ExecutionId,
    pub(super) run: Run,
    pub(super) promise: Promise,
    step: Name,
    /// The limits it has kept to, that of its step and that of its key.
    pub(super) limits: [Option<String>; 2],
    /// What it led, where others may wait for its outcome and the statement says so.
    pub(super) leads: Option<ResultKey>,
    /// Where it waited, where the statement says so.
    pub(super) queue: Option<Name>,
}

impl Taken {
    pub(super) fn read(row: Row) -> Result<Self> {
        let mut row = Reading::of("tasks", row);
        Ok(Self {
            execution: row.execution("execution_id")?,
            run: Run(row.number("run")?),
            promise: Promise(row.number("promise")?),
            step: row.name("step")?,
            limits: [row.opt_text("step_limit")?, row.opt_text("key_limit")?],
            leads: row.opt_result_key("result_key")?,
            queue: row.opt_name("queue")?,
        })
    }

    pub(super) fn settled(&self, outcome: Outcome, usage: StepUsage, attempt: u32) -> Arrival {
        Arrival::Settled { run: self.run, promise: self.promise, outcome, usage, attempt }
    }
}

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn end_attempt(
        &self,
        host: HostId,
        task: &TaskRef,
        end: TaskEnd,
        notes: Vec<NotedBy>,
    ) -> Result<Option<Delivered>> {
        let (outcome, usage, dead_letter) = match end {
            TaskEnd::Settled { outcome, usage, dead_letter } => (outcome, usage, dead_letter),
            TaskEnd::Retry { .. } | TaskEnd::Lost | TaskEnd::GivenBack => {
                return self.give_back(host, task, end, notes).await;
            }
        };
        let settled = TaskSettled { task: *task, outcome, usage, dead_letter, notes };
        match self.commit_batch(host, &[Write::End(Box::new(settled))]).await?.pop() {
            Some(Written::Ended(delivered)) => Ok(delivered),
            Some(Written::Led(delivered)) => Ok(Some(delivered)),
            Some(Written::Done(_) | Written::Exists { .. } | Written::NotOwner) | None => Ok(None),
        }
    }

    /// The row stays, for its next attempt or for any host.
    async fn give_back(
        &self,
        host: HostId,
        task: &TaskRef,
        end: TaskEnd,
        notes: Vec<NotedBy>,
    ) -> Result<Option<Delivered>> {
        let mut transaction = self.begin(host).await?;
        let Some(taken) = change(&mut transaction, host, task, &end).await? else {
            transaction.leave().await?;
            self.free_stopped(host, StoppingTask { task: task.id, attempt: task.attempt }).await?;
            return Ok(None);
        };
        let mut additions = Additions::new(transaction.now);
        for noted in &notes {
            additions.note(taken.execution, taken.run, noted);
        }
        additions.write(&mut transaction).await?;
        limits::open(&mut transaction, taken.limits.into_iter().flatten().collect()).await?;
        transaction.commit().await?;
        // Nothing has come to the execution; whoever asks is told that nobody need be woken.
        Ok(Some(Delivered::To { owner: None }))
    }

    pub(super) async fn promote_due(
        &self,
        host: HostId,
        now: Timestamp,
        limit: u32,
    ) -> Result<u32> {
        let mut transaction = self.begin(host).await?;
        let expired =
            transaction.fetch(statements::TAKE_UNBEGUN_TASKS, values![now, limit]).await?;
        let mut count = expired.len() as u64;
        let mut additions = Additions::new(transaction.now);
        let mut touched = Touched::default();
        for row in expired {
            let taken = Taken::read(row)?;
            touched.extend(taken.limits.iter().flatten().cloned());
            expire(&mut transaction, taken, &mut additions).await?;
        }
        additions.write(&mut transaction).await?;
        count += transaction.execute(statements::PROMOTE_EXECUTIONS, values![now, limit]).await?;
        let promoted = transaction.fetch(statements::PROMOTE_TASKS, values![now, limit]).await?;
        count += promoted.len() as u64;
        touched.merge(Touched::by_rows(promoted));
        // What may go on by a rate says so by this clock alone.
        let due = values![now.max(transaction.now), limit];
        let due = transaction.fetch(statements::DUE_LIMITS, due).await?;
        touched.merge(Touched::by_rows(due));
        let is_changed = count > 0 || !touched.is_empty();
        count += limits::open(&mut transaction, touched).await?;
        if is_changed {
            transaction.commit().await?;
        } else {
            transaction.leave().await?;
        }
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

/// Changes exactly the row of (id, owner, attempt).
async fn change<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    host: HostId,
    task: &TaskRef,
    end: &TaskEnd,
) -> Result<Option<Taken>, Fault> {
    let now = transaction.now;
    let (id, attempt) = (task.id, task.attempt);
    let rows = match end {
        // Its row is taken by the committer's statement.
        TaskEnd::Settled { .. } => Vec::new(),
        TaskEnd::Retry { at, failure, heartbeat } => {
            let failure =
                Value::secret_text("tasks.last_failure", serde_json::to_string(failure).ok());
            let heartbeat = heartbeat_left(heartbeat.as_ref());
            let values = values![id, host, attempt, *at, failure, heartbeat, now];
            transaction.fetch(statements::RETRY_TASK, values).await?
        }
        TaskEnd::Lost => {
            let values = values![id, host, attempt, now, 1_i64];
            transaction.fetch(statements::LOSE_TASK, values).await?
        }
        TaskEnd::GivenBack => {
            let values = values![id, host, attempt, now, 0_i64];
            transaction.fetch(statements::LOSE_TASK, values).await?
        }
    };
    Ok(rows.into_iter().next().map(Taken::read).transpose()?)
}

/// The number of the attempt of a call that settles without one.
const NOT_BEGUN: u32 = 0;

/// Settles a call that nobody has begun in time.
async fn expire<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    taken: Taken,
    additions: &mut Additions<'_>,
) -> Result<(), Fault> {
    let message = format!("no host has begun step {} in time (schedule_timeout)", taken.step);
    let failure = Failure::new(kind::TIMED_OUT, message);
    let arrival = taken.settled(Err(failure), StepUsage::default(), NOT_BEGUN);
    // Where the execution has ended meanwhile, there is nobody left to tell.
    let _delivered = bring(transaction, taken.execution, &arrival, additions).await?;
    Ok(())
}
