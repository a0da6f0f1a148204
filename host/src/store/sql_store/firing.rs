//! Firings: what schedules start, in the transaction that moves them on.

use std::collections::HashSet;

use sha2::{Digest, Sha256};
use tracing::error;

use super::additions::Additions;
use super::commit::BUSY_RETRIES_MAX;
use super::transaction::Transaction;
use super::{SqlStore, arrivals, births, schedules};
use crate::journal::Arrival;
use crate::model::{Due, ExecutionId, ExecutionState, Firing, HostId, Timestamp, Wake, turn};
use crate::store::Result;
use crate::store::dialect::{Dialect, Fault, Line};
use crate::store::row::Reading;
use crate::store::schedule::{Fired, Planned, ScheduleRow, StartPlan, Trigger, Triggered, told};
use crate::store::statements;
use crate::store::value::{Rows, values};
use crate::store::write::NewExecution;

/// Starts of one transaction beyond which no further schedule is taken into it.
const STARTS_ENOUGH: usize = 256;

impl<D: Dialect> SqlStore<D> {
    /// One that cannot be read is left to a host that can.
    pub(super) async fn read_due_schedules(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<ScheduleRow>> {
        let rows = self.read(statements::DUE_SCHEDULES, values![now, limit]).await?;
        let readable = |row| match schedules::read(row) {
            Ok(row) => Some(row),
            Err(unreadable) => {
                let cause: &dyn std::error::Error = &unreadable;
                error!(error = cause, "A schedule is due and cannot be read by this host");
                None
            }
        };
        Ok(rows.into_iter().filter_map(readable).collect())
    }

    pub(super) async fn fire_schedules(
        &self,
        host: HostId,
        planned: &[Planned],
    ) -> Result<Vec<Fired>> {
        let mut tries = 0;
        loop {
            match self.try_fire(host, planned).await {
                Err(Fault::Busy(_)) if tries < BUSY_RETRIES_MAX => tries += 1,
                fired => return Ok(fired?),
            }
        }
    }

    async fn try_fire(&self, host: HostId, planned: &[Planned]) -> Result<Vec<Fired>, Fault> {
        let names: Rows = planned.iter().map(|plan| values![&plan.name]).collect();
        let taking = vec![(statements::TAKE_SCHEDULES, names)];
        let (mut transaction, found) = self.begin_with(Line::Work, host, taking).await?;
        let mut rows = Vec::new();
        for row in found.into_iter().flatten() {
            let row = schedules::read(row)?;
            let planned = planned.iter().find(|planned| planned.name == row.name);
            let planned = planned.filter(|planned| planned.version == row.version);
            let is_due = row.due_at.is_some_and(|due| due <= transaction.now);
            rows.extend(
                planned.filter(|_| is_due && row.paused_at.is_none()).map(|plan| (row, plan)),
            );
        }
        if rows.is_empty() {
            transaction.leave().await?;
            return Ok(Vec::new());
        }
        let over = over(&mut transaction, &rows).await?;
        let mut round = Round::default();
        for (row, planned) in rows {
            if round.births.len() < STARTS_ENOUGH {
                round.take(row, planned, (&over, transaction.now));
            }
        }
        round.write(transaction).await
    }

    pub(super) async fn trigger_schedule(
        &self,
        host: HostId,
        trigger: &Trigger,
    ) -> Result<Triggered> {
        let mut transaction = self.begin(host).await?;
        let now = transaction.now;
        let Some(mut row) = schedules::lock(&mut transaction, &trigger.name).await? else {
            transaction.leave().await?;
            return Ok(Triggered::Missing);
        };
        if row.version != trigger.version {
            transaction.leave().await?;
            return Ok(Triggered::Changed);
        }
        let id = trigger.execution;
        let birth = birth(&row, &trigger.plan, (id, trigger.seed), now);
        let born = Rows::from_iter([births::row(&birth)]);
        if transaction.fetch_many(statements::INSERT_EXECUTIONS, born).await?.is_empty() {
            let rows = transaction.fetch(statements::READ_INPUT_HASH, values![id]).await?;
            let found = rows.into_iter().next().unwrap_or_default();
            let input_hash = Reading::of("executions", found).hash("input_hash")?;
            transaction.leave().await?;
            return Ok(Triggered::Exists { input_hash });
        }
        row.progress.started(Firing { at: now, started_at: now, execution: id });
        schedules::keep(&mut transaction, [&row]).await?;
        let mut additions = Additions::new(now);
        additions.born(&birth);
        transaction.commit_with(additions.into_script()).await?;
        Ok(Triggered::Started)
    }
}

/// Which of those that schedules have started have ended. What is no longer there has, too.
async fn over<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    rows: &[(ScheduleRow, &Planned)],
) -> Result<HashSet<ExecutionId>, Fault> {
    let started = rows.iter().flat_map(|(row, _)| row.progress.running.iter().copied());
    let mut over: HashSet<ExecutionId> = started.collect();
    let ids = over.iter().map(|id| values![*id]).collect();
    for row in transaction.fetch_many(statements::READ_STATES, ids).await? {
        let mut row = Reading::of("executions", row);
        let id = row.execution("id")?;
        if !row.word::<ExecutionState>("state")?.is_terminal() {
            over.remove(&id);
        }
    }
    Ok(over)
}

/// What one transaction does for the schedules it has taken.
#[derive(Default)]
struct Round {
    rows: Vec<ScheduleRow>,
    fired: Vec<Fired>,
    births: Vec<NewExecution>,
    cancels: Vec<ExecutionId>,
}

impl Round {
    fn take(
        &mut self,
        mut row: ScheduleRow,
        planned: &Planned,
        (over, now): (&HashSet<ExecutionId>, Timestamp),
    ) {
        let (skipped, missed) = (row.progress.skipped, row.progress.last_missed);
        let due = Due { name: &row.name, spec: &row.spec, next_at: row.next_at, now, over };
        let turn = turn(&due, &mut row.progress);
        (row.next_at, row.due_at) = (turn.next_at, turn.due_at);
        let mut fired = Fired {
            name: row.name.clone(),
            started: Vec::new(),
            failure: None,
            wakes: Vec::new(),
            skipped: row.progress.skipped - skipped,
            missed: row.progress.last_missed != missed,
        };
        match &planned.plan {
            Ok(plan) => {
                self.cancels.extend(turn.cancels);
                for at in turn.starts {
                    let execution = ExecutionId::of_firing(&row.name, at);
                    let firing = Firing { at, started_at: now, execution };
                    self.births.push(birth(&row, plan, (execution, planned.seed), now));
                    row.progress.started(firing);
                    fired.started.push(firing);
                }
                if !fired.started.is_empty() {
                    fired.wakes.push(Wake::Work { queue: plan.routing.queue.clone() });
                }
            }
            Err(failure) => {
                turn.starts.into_iter().for_each(|at| row.progress.could_not(at, failure.clone()));
                fired.failure = Some(failure.clone());
                // What was to make room for it goes on.
                turn.cancels.into_iter().for_each(|running| row.progress.runs(running));
            }
        }
        self.rows.push(row);
        self.fired.push(fired);
    }

    async fn write<D: Dialect>(
        mut self,
        mut transaction: Transaction<'_, D>,
    ) -> Result<Vec<Fired>, Fault> {
        self.births.sort_by_key(|birth| birth.id);
        let born = self.births.iter().map(births::row).collect();
        let inserted = transaction.fetch_many(statements::INSERT_EXECUTIONS, born).await?;
        let ids = inserted.into_iter().map(|row| Reading::of("executions", row).execution("id"));
        let inserted: HashSet<_> = ids.collect::<Result<_, _>>()?;
        let mut additions = Additions::new(transaction.now);
        for birth in self.births.iter().filter(|birth| inserted.contains(&birth.id)) {
            additions.born(birth);
        }
        self.cancels.sort();
        let reason = "its schedule fired again".to_owned();
        let cancel = Arrival::Cancel { reason, force: false };
        let mut wakes = Vec::new();
        for execution in self.cancels {
            let bringing = arrivals::bring(&mut transaction, execution, &cancel, &mut additions);
            wakes.extend(told(execution, bringing.await?));
        }
        if let Some(fired) = self.fired.first_mut() {
            fired.wakes.extend(wakes);
        }
        schedules::keep(&mut transaction, &self.rows).await?;
        transaction.commit_with(additions.into_script()).await?;
        Ok(self.fired)
    }
}

/// What a schedule starts, to be claimed by any host that may.
fn birth(
    row: &ScheduleRow,
    plan: &StartPlan,
    (id, seed): (ExecutionId, [u8; 32]),
    now: Timestamp,
) -> NewExecution {
    NewExecution {
        id,
        workflow: row.spec.workflow.clone(),
        module: plan.module,
        routing: plan.routing.clone(),
        parent: None,
        input: row.spec.input.clone(),
        // One seed serves several firings: each has randomness of its own.
        seed: Sha256::new().chain_update(seed).chain_update(id.as_bytes()).finalize().into(),
        created_at: now,
        start_at: now,
        expires_at: plan.max_duration.map(|most| now + most),
        owner: None,
        traceparent: None,
    }
}
