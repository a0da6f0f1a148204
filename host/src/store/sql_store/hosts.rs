//! Incarnations of hosts: who is alive, and what becomes of the work of those who are not.

use std::time::Duration;

use tracing::warn;

use super::SqlStore;
use super::commit::BUSY_RETRIES_MAX;
use super::limits::{self, Touched};
use super::rows;
use super::transaction::Transaction;
use crate::model::{ExecutionId, HostId, Lease, Promise, Run, Timestamp};
use crate::store::dialect::{Dialect, Fault, Line};
use crate::store::error::StoreError;
use crate::store::row::{Reading, Row};
use crate::store::statements;
use crate::store::value::values;
use crate::store::view::{HostRow, NewHost, Renewal, Streak};
use crate::store::{Result, TaskRef};

/// How long the row of a dead host is waited for before what holds it is ended.
const PATIENCE_WITH_THE_DEAD: Duration = Duration::from_millis(500);
/// Dead incarnations that are removed in one transaction.
const PRUNED_MAX: u32 = 1_000;
/// Hosts that are declared dead in one transaction.
const BURIALS_MAX: u32 = 16;

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn register_host(&self, host: &NewHost) -> Result<Timestamp> {
        let mut transaction = self.begin_unfenced().await?;
        let rows = transaction.fetch(statements::NOW, values![]).await?;
        let now = now_of(rows)?;
        let row = values![
            host.id,
            host.name.as_str(),
            host.lease.map(|lease| micros(lease.length())),
            host.version.as_str(),
            host.started_at,
            host.session.as_str(),
            micros(host.lease.unwrap_or_default().fresh()),
            rows::tags(&host.queues),
            rows::tags(&host.tags),
        ];
        transaction.execute(statements::REGISTER_HOST, row).await?;
        if D::ALONE {
            let living = transaction.fetch(statements::LIVING_HOSTS, values![host.id]).await?;
            let mut touched = Touched::default();
            for row in living {
                let dead = Reading::of("hosts", row).host("id")?;
                bury(&mut transaction, (dead, now), &mut touched).await?;
            }
            transaction.now = now;
            limits::open(&mut transaction, touched).await?;
        }
        transaction.commit().await?;
        Ok(now)
    }

    pub(super) async fn renew_lease(&self, host: HostId, streak: Streak) -> Result<Renewal> {
        let statement = match streak {
            Streak::Unbroken => statements::RENEW,
            Streak::Broken => statements::RENEW_BARE,
        };
        let rows = self.dialect.change(Line::Lease, statement, values![host].into()).await?;
        renewal(host, rows)
    }

    pub(super) async fn find_work(&self, host: HostId) -> Result<Renewal> {
        renewal(host, self.read(statements::LOOK_FOR_WORK, values![host]).await?)
    }

    pub(super) async fn bury_expired(&self, host: HostId, lease: Lease) -> Result<Vec<HostId>> {
        match self.try_bury(host, lease).await {
            Err(Fault::Busy(_)) => {
                let ended =
                    self.dialect.change(Line::Work, statements::END_SESSIONS, values![host].into());
                let ended = ended.await?.into_iter().next().unwrap_or_default();
                let sessions = Reading::of("pg_stat_activity", ended).i64("count")?;
                warn!(
                    sessions,
                    "A host whose lease has ended held on to its row: its sessions were ended"
                );
                Ok(self.try_bury(host, lease).await?)
            }
            buried => Ok(buried?),
        }
    }

    async fn try_bury(&self, host: HostId, lease: Lease) -> Result<Vec<HostId>, Fault> {
        let mut transaction = self.begin(host).await?;
        transaction
            .fetch(statements::BE_IMPATIENT, values![millis(PATIENCE_WITH_THE_DEAD)])
            .await?;
        let values = values![host, BURIALS_MAX, micros(lease.fresh())];
        let expired = transaction.fetch(statements::EXPIRED_HOSTS, values).await?;
        // Freeing what they had may take longer.
        let patience = values![millis(lease.length() / 2)];
        transaction.fetch(statements::BE_IMPATIENT, patience).await?;
        let now = transaction.now;
        let (mut buried, mut touched) = (Vec::with_capacity(expired.len()), Touched::default());
        for row in expired {
            let id = Reading::of("hosts", row).host("id")?;
            bury(&mut transaction, (id, now), &mut touched).await?;
            buried.push(id);
        }
        limits::open(&mut transaction, touched).await?;
        if buried.is_empty() {
            transaction.leave().await?;
        } else {
            transaction.commit().await?;
        }
        Ok(buried)
    }

    pub(super) async fn retire_host(&self, host: HostId) -> Result<()> {
        let mut tries = 0;
        loop {
            match self.try_retire(host).await {
                // Others bring messages to several of its executions at once.
                Err(Fault::Busy(_)) if tries < BUSY_RETRIES_MAX => tries += 1,
                retired => return Ok(retired?),
            }
        }
    }

    async fn try_retire(&self, host: HostId) -> Result<(), Fault> {
        let alone = self.underway.close().await;
        let nothing = (Vec::new(), None);
        let (mut transaction, _) = self.begin_past_gate(Line::Work, host, nothing).await?;
        let now = transaction.now;
        // What it still commits is wholly before this, or does not happen.
        transaction.fetch(statements::AWAIT_END, values![host]).await?;
        transaction.execute(statements::RETIRE_HOST, values![host]).await?;
        transaction.execute(statements::RETIRE_EXECUTIONS, values![host, now]).await?;
        let freed = transaction.fetch(statements::RETIRE_TASKS, values![host, now]).await?;
        let mut touched = Touched::by_rows(freed);
        let stopped = transaction.fetch(statements::FREE_STOPPING_TASKS, values![host]).await?;
        touched.merge(Touched::by_rows(stopped));
        limits::open(&mut transaction, touched).await?;
        // Where its end is not known, that is waited for with the gate open.
        drop(alone);
        transaction.commit().await
    }

    pub(super) async fn list_hosts(&self, limit: u32) -> Result<Vec<HostRow>> {
        let rows = self.read(statements::LIST_HOSTS, values![limit]).await?;
        rows.into_iter().map(host_row).collect()
    }

    pub(super) async fn read_owned(
        &self,
        host: HostId,
    ) -> Result<(Vec<ExecutionId>, Vec<TaskRef>)> {
        let (mut executions, mut tasks) = (Vec::new(), Vec::new());
        for row in self.read(statements::OWNED, values![host]).await? {
            let mut row = Reading::of("tasks", row);
            if row.flag("is_task")? {
                tasks.push(task_ref(row)?);
            } else {
                executions.push(row.execution("id")?);
            }
        }
        Ok((executions, tasks))
    }

    pub(super) async fn prune_dead_hosts(&self, host: HostId, before: Timestamp) -> Result<u64> {
        let mut transaction = self.begin(host).await?;
        let pruned =
            transaction.execute(statements::PRUNE_HOSTS, values![before, PRUNED_MAX]).await?;
        transaction.commit().await?;
        Ok(pruned)
    }

    pub(super) async fn read_now(&self) -> Result<Timestamp> {
        now_of(self.read(statements::NOW, values![]).await?)
    }
}

/// Declares a host dead, whose row is locked, and frees its work.
async fn bury<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    (host, now): (HostId, Timestamp),
    touched: &mut Touched,
) -> Result<(), Fault> {
    transaction.execute(statements::BURY_HOST, values![host]).await?;
    transaction.execute(statements::FREE_EXECUTIONS, values![host, now]).await?;
    let freed = transaction.fetch(statements::FREE_TASKS, values![host, now]).await?;
    touched.merge(Touched::by_rows(freed));
    let stopped = transaction.fetch(statements::FREE_STOPPING_TASKS, values![host]).await?;
    touched.merge(Touched::by_rows(stopped));
    Ok(())
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn renewal(host: HostId, rows: Vec<Row>) -> Result<Renewal> {
    let row = rows.into_iter().next().ok_or(StoreError::Fenced { host })?;
    let mut row = Reading::of("hosts", row);
    Ok(Renewal {
        now: row.time("now")?,
        work: row.flag("work")?,
        arrivals: row.flag("arrivals")?,
        next_due: row.opt_time("next_due")?,
        lost: row.flag("lost")?,
        hosts: row.number("hosts")?,
        next_lease_end: row.opt_time("next_lease_end")?,
        steady_since: row.opt_time("steady_since")?,
        queue_changes: row.i64("queue_changes")?,
        stopping: row.flag("stopping")?,
        followers: row.flag("followers")?,
        next_firing: row.opt_time("next_firing")?,
    })
}

fn now_of(rows: Vec<Row>) -> Result<Timestamp> {
    let row = rows.into_iter().next().unwrap_or_default();
    Reading::of("hosts", row).time("now")
}

fn task_ref(mut row: Reading) -> Result<TaskRef> {
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
