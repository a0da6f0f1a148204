//! Calls that were dropped while a host ran them. Nobody wants what they bring, but each keeps the slots of its limits until its
//! guest is gone: its host is told, stops it, and says so as it says any end.

use std::collections::HashMap;

use super::SqlStore;
use super::limits::{self, Touched};
use super::transaction::Transaction;
use crate::model::{ExecutionId, HostId, Wake};
use crate::store::dialect::{Dialect, Fault};
use crate::store::row::{Reading, Row};
use crate::store::statements;
use crate::store::value::{Rows, values};
use crate::store::{Result, StoppingTask};

/// What follows from dropping tasks.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    /// The limits that those had gone past who did not run yet.
    pub(super) touched: Touched,
    /// The hosts that run one, by the execution that it is of.
    hosts: HashMap<ExecutionId, Vec<HostId>>,
}

impl Dropped {
    /// Tells the hosts that run tasks of an execution that these were dropped.
    pub(super) fn wakes(&mut self, execution: ExecutionId) -> impl Iterator<Item = Wake> {
        let hosts = self.hosts.remove(&execution).unwrap_or_default();
        hosts.into_iter().map(move |owner| Wake::Arrival { owner, execution })
    }
}

/// Takes down which of the tasks that a statement has dropped still run.
pub(super) async fn let_go<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    rows: Vec<Row>,
) -> Result<Dropped, Fault> {
    let (mut dropped, mut running) = (Dropped::default(), Rows::default());
    for row in rows {
        let mut row = Reading::of("tasks", row);
        let (id, owner) = (row.task("id")?, row.opt_host("owner")?);
        let attempt = row.i64("attempt")?;
        let (execution, step) = (row.execution("execution_id")?, row.text("step")?);
        let started_at = row.opt_time("started_at")?;
        let limits = [row.opt_text("step_limit")?, row.opt_text("key_limit")?];
        let Some(owner) = owner else {
            dropped.touched.extend(limits.into_iter().flatten());
            continue;
        };
        let hosts = dropped.hosts.entry(execution).or_default();
        if !hosts.contains(&owner) {
            hosts.push(owner);
        }
        let [step_limit, key_limit] = limits;
        running
            .push(values![id, owner, attempt, execution, step, started_at, step_limit, key_limit]);
    }
    transaction.fetch_many(statements::STOP_TASKS, running).await?;
    dropped.touched = dropped.touched.at_once();
    Ok(dropped)
}

/// Attempts of a host that have ended and whose rows are gone: those that were dropped free their slots now.
pub(super) async fn take_stopped<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    host: HostId,
    attempts: impl IntoIterator<Item = StoppingTask>,
) -> Result<Touched, Fault> {
    let attempts = attempts.into_iter();
    let rows =
        attempts.map(|StoppingTask { task, attempt }| values![task, host, attempt]).collect();
    let stopped = transaction.fetch_many(statements::TAKE_STOPPED_TASKS, rows).await?;
    Ok(Touched::by_rows(stopped))
}

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn read_stopping(&self, host: HostId) -> Result<Vec<StoppingTask>> {
        let rows = self.read(statements::STOPPING_TASKS, values![host]).await?;
        let read = rows.into_iter().map(|row| {
            let mut row = Reading::of("stopping_tasks", row);
            Ok(StoppingTask { task: row.task("id")?, attempt: row.number("attempt")? })
        });
        read.collect()
    }

    pub(super) async fn free_stopped(&self, host: HostId, stopped: StoppingTask) -> Result<()> {
        let mut transaction = self.begin(host).await?;
        let freed = take_stopped(&mut transaction, host, [stopped]).await?;
        limits::open(&mut transaction, freed).await?;
        Ok(transaction.commit().await?)
    }
}
