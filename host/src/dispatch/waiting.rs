//! Queues and tasks: what waits, why, and having a queue stand still.

use super::wait::Wait;
use super::why::{why_execution, why_task};
use super::{Dispatch, DispatchError, ExecutionView, Result};
use crate::model::{ExecutionId, Name, TaskId, Wake};
use crate::store::{Holders, QueueRow, TaskFilter, TaskRow};

/// A task, and why it waits; none where it runs.
#[derive(Debug, Clone)]
pub struct TaskView {
    /// Its row.
    pub row: TaskRow,
    /// Why it waits.
    pub waits: Option<Wait>,
}

impl Dispatch {
    /// Queues by name, at most `page_max`.
    pub async fn queues(&self, limit: u32) -> Result<Vec<QueueRow>> {
        Ok(self.store().queues(self.page(limit)?).await?)
    }

    /// Pauses a queue, also one that does not exist yet: what runs goes on, and nothing of it begins.
    pub async fn pause_queue(&self, queue: &Name) -> Result<()> {
        let paused = Some(self.parts.clock.now());
        self.store().pause_queue(self.host(), queue, paused).await?;
        self.heed_queues().await
    }

    /// Has a queue go on.
    pub async fn resume_queue(&self, queue: &Name) -> Result<()> {
        self.store().pause_queue(self.host(), queue, None).await?;
        self.heed_queues().await?;
        self.parts.notifier.wake(Wake::Work { queue: queue.clone() });
        Ok(())
    }

    /// This host begins nothing of a paused queue from now on; the others hear of it with the next renewal of their leases.
    async fn heed_queues(&self) -> Result<()> {
        let paused = self.store().paused_queues().await?;
        self.identity().committer.set_paused(paused.into_iter().map(|(queue, _)| queue).collect());
        Ok(())
    }

    /// Tasks, the oldest first, at most `page_max`. Who holds a limit is told of one task alone.
    pub async fn tasks(&self, mut filter: TaskFilter) -> Result<Vec<TaskView>> {
        filter.limit = self.page(filter.limit)?;
        let rows = self.store().tasks(&filter).await?;
        self.explain(rows, Holders::Counted).await
    }

    /// One task.
    pub async fn task(&self, id: TaskId) -> Result<TaskView> {
        let row = self.store().task(id).await?;
        let found = self.explain(row.into_iter().collect(), Holders::Named).await?;
        found.into_iter().next().ok_or(DispatchError::UnknownTask(id))
    }

    async fn explain(&self, rows: Vec<TaskRow>, holders: Holders) -> Result<Vec<TaskView>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut limits: Vec<_> = rows.iter().filter_map(|row| row.blocked_on.clone()).collect();
        limits.sort();
        limits.dedup();
        let around = self.store().surroundings(&limits, holders).await?;
        let explained =
            rows.into_iter().map(|row| TaskView { waits: why_task(&row, &around), row });
        Ok(explained.collect())
    }

    /// One execution, and why it waits to be begun or to go on; none where it runs, is parked or has ended.
    pub async fn show_waiting(
        &self,
        execution: ExecutionId,
    ) -> Result<(ExecutionView, Option<Wait>)> {
        let view = self.show(execution).await?;
        if view.owner.is_some() || view.row.state.is_terminal() {
            return Ok((view, None));
        }
        let around = self.store().surroundings(&[], Holders::Counted).await?;
        let waits = why_execution(&view, &around);
        Ok((view, waits))
    }
}
