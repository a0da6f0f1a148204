//! Queues: paused, resumed, and what is in them.

use super::SqlStore;
use super::limits::{self, Touched};
use crate::model::{HostId, Name, Timestamp};
use crate::store::Result;
use crate::store::dialect::Dialect;
use crate::store::row::{Reading, Row};
use crate::store::statements;
use crate::store::value::values;
use crate::store::waiting::QueueRow;

/// Queues that may be paused at once and are heeded.
pub(super) const PAUSED_MAX: u32 = 1_000;

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn set_queue_paused(
        &self,
        host: HostId,
        queue: &Name,
        paused: Option<Timestamp>,
    ) -> Result<()> {
        let mut transaction = self.begin(host).await?;
        let values = values![queue, paused];
        transaction.execute(statements::PAUSE_QUEUE, values).await?;
        // What has gone past a limit counts against it only while it can be claimed.
        let values = values![queue, limits::OPENED_MAX];
        let named = transaction.fetch(statements::LIMITS_IN_QUEUE, values).await?;
        limits::open(&mut transaction, Touched::by_rows(named)).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn list_queues(&self, limit: u32) -> Result<Vec<QueueRow>> {
        let rows = self.read(statements::LIST_QUEUES, values![limit]).await?;
        rows.into_iter().map(queue).collect()
    }

    pub(super) async fn read_paused_queues(&self) -> Result<Vec<(Name, Timestamp)>> {
        let rows = self.read(statements::PAUSED_QUEUES, values![PAUSED_MAX]).await?;
        rows.into_iter().map(paused).collect()
    }
}

fn queue(row: Row) -> Result<QueueRow> {
    let mut row = Reading::of("queues", row);
    Ok(QueueRow {
        name: row.name("name")?,
        paused_at: row.opt_time("paused_at")?,
        waiting: row.number("waiting")?,
        running: row.number("running")?,
        blocked: row.number("blocked")?,
        oldest_at: row.opt_time("oldest")?,
        executions: row.number("executions")?,
        oldest_execution_at: row.opt_time("oldest_execution")?,
    })
}

pub(super) fn paused(row: Row) -> Result<(Name, Timestamp)> {
    let mut row = Reading::of("queues", row);
    Ok((row.name("name")?, row.time("paused_at")?))
}
