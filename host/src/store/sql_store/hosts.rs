//! Incarnations of hosts: who is alive, and what becomes of the work of those who are not.

use super::SqlStore;
use crate::model::{ExecutionId, HostId, Promise, Run, Timestamp};
use crate::store::dialect::Dialect;
use crate::store::error::StoreError;
use crate::store::row::{Reading, Row};
use crate::store::statements;
use crate::store::value::values;
use crate::store::view::{HostRow, Renewal};
use crate::store::{Result, TaskRef};

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn register_host(&self, host: &HostRow) -> Result<Timestamp> {
        let mut transaction = self.begin_unfenced().await?;
        let rows = transaction.fetch(statements::NOW, values![]).await?;
        let now = now_of(rows)?;
        let lease = host.lease_ends.map(|ends| ends.as_micros() - host.started_at.as_micros());
        let row = values![
            host.id,
            host.name.as_str(),
            host.lease_ends,
            lease,
            host.version.as_str(),
            host.started_at
        ];
        transaction.execute(statements::REGISTER_HOST, row).await?;
        if D::ALONE {
            transaction.execute(statements::BURY_HOSTS, values![host.id]).await?;
            transaction.execute(statements::FREE_DEAD_EXECUTIONS, values![now]).await?;
            transaction.execute(statements::FREE_DEAD_TASKS, values![now]).await?;
        }
        transaction.commit().await?;
        Ok(now)
    }

    pub(super) async fn renew_lease(&self, host: HostId) -> Result<Renewal> {
        let mut transaction = self.begin_unfenced().await?;
        let rows = transaction.fetch(statements::RENEW, values![host]).await?;
        let row = rows.into_iter().next().ok_or(StoreError::Fenced { host })?;
        transaction.commit().await?;
        let mut row = Reading::of("hosts", row);
        Ok(Renewal {
            now: row.time("now")?,
            work: row.flag("work")?,
            arrivals: row.flag("arrivals")?,
            next_due: row.opt_time("next_due")?,
            lost: row.flag("lost")?,
        })
    }

    pub(super) async fn retire_host(&self, host: HostId) -> Result<()> {
        let mut transaction = self.begin(host).await?;
        let now = transaction.now;
        transaction.execute(statements::RETIRE_HOST, values![host]).await?;
        transaction.execute(statements::RETIRE_EXECUTIONS, values![host, now]).await?;
        transaction.execute(statements::RETIRE_TASKS, values![host, now]).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn list_hosts(&self, limit: u32) -> Result<Vec<HostRow>> {
        let rows = self.read(statements::LIST_HOSTS, values![limit]).await?;
        rows.into_iter().map(host_row).collect()
    }

    pub(super) async fn read_owned(
        &self,
        host: HostId,
    ) -> Result<(Vec<ExecutionId>, Vec<TaskRef>)> {
        let mut moment = self.look().await?;
        let executions = moment.fetch(statements::OWNED_EXECUTIONS, values![host]).await?;
        let tasks = moment.fetch(statements::OWNED_TASKS, values![host]).await?;
        moment.commit().await?;
        let executions = executions.into_iter();
        let executions = executions.map(|row| Reading::of("executions", row).execution("id"));
        let tasks = tasks.into_iter().map(task_ref);
        Ok((executions.collect::<Result<_>>()?, tasks.collect::<Result<_>>()?))
    }

    pub(super) async fn read_now(&self) -> Result<Timestamp> {
        now_of(self.read(statements::NOW, values![]).await?)
    }
}

fn now_of(rows: Vec<Row>) -> Result<Timestamp> {
    let row = rows.into_iter().next().unwrap_or_default();
    Reading::of("hosts", row).time("now")
}

fn task_ref(row: Row) -> Result<TaskRef> {
    let mut row = Reading::of("tasks", row);
    Ok(TaskRef {
        id: row.task("id")?,
        execution: row.execution("execution_id")?,
        run: Run(row.number("run")?),
        promise: Promise(row.number("promise")?),
        attempt: row.number("attempt")?,
    })
}

fn host_row(row: Row) -> Result<HostRow> {
    let mut row = Reading::of("hosts", row);
    Ok(HostRow {
        id: row.host("id")?,
        name: row.text("name")?,
        alive: row.flag("alive")?,
        lease_ends: row.opt_time("lease_ends")?,
        version: row.text("version")?,
        started_at: row.time("started_at")?,
    })
}
