//! Removing by hand what has ended for long, or counting what that would be.

use std::time::Duration;

use super::{Dispatch, DispatchError, Result};
use crate::model::{ExecutionState, Timestamp};
use crate::store::{Old, Removable};

/// Transactions that one order takes at most for each kind of row.
const BATCHES_MAX: u32 = 20;
/// Executions that one transaction removes at most.
const EXECUTIONS_AT_ONCE: u32 = 100;
/// Rows of everything else that one transaction removes at most.
const ROWS_AT_ONCE: u32 = 1_000;

/// What is to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanupOrder {
    /// What ended, or was made, longer ago than this.
    pub older_than: Duration,
    /// Executions that ended in these states.
    pub states: Vec<ExecutionState>,
    /// Whether dead letters go, beside those of executions that go.
    pub dead_letters: bool,
    /// The same of lines of logs.
    pub logs: bool,
}

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CleanedUp {
    /// How much of what.
    pub removed: Removable,
    /// Whether there may be more: order it again.
    pub more: bool,
}

impl CleanupOrder {
    fn check(&self) -> Result<()> {
        match self.states.iter().find(|state| !state.is_terminal()) {
            Some(state) => Err(DispatchError::OutOfBounds {
                what: "states",
                value: state.to_string(),
                bounds: "completed, failed, timed_out or cancelled: what has not ended stays"
                    .to_owned(),
            }),
            None => Ok(()),
        }
    }
}

impl Dispatch {
    /// Counts what such an order would remove.
    pub async fn count_cleanup(&self, order: &CleanupOrder) -> Result<Removable> {
        order.check()?;
        let now = self.store().now().await?;
        let before = now - order.older_than;
        let mut found = self.store().removable(&order.states, before, now).await?;
        if !order.dead_letters {
            found.dead_letters = 0;
        }
        if !order.logs {
            found.logs = 0;
        }
        Ok(found)
    }

    /// Removes as much of it as one order may.
    pub async fn clean_up(&self, order: &CleanupOrder) -> Result<CleanedUp> {
        order.check()?;
        let (store, host) = (self.store(), self.host());
        let now = store.now().await?;
        let before = now - order.older_than;
        let mut cleaned = CleanedUp::default();
        for state in &order.states {
            let (count, more) = self.remove_executions(*state, before).await?;
            cleaned.removed.executions.push((*state, count));
            cleaned.more |= more;
        }
        if order.dead_letters {
            let batch = || store.remove_dead_letters(host, before, ROWS_AT_ONCE);
            cleaned.more |= batches(&mut cleaned.removed.dead_letters, batch).await?;
        }
        if order.logs {
            let batch = || store.remove_logs(host, before, ROWS_AT_ONCE);
            cleaned.more |= batches(&mut cleaned.removed.logs, batch).await?;
        }
        let batch = || store.prune_results(host, now, ROWS_AT_ONCE);
        cleaned.more |= batches(&mut cleaned.removed.results, batch).await?;
        Ok(cleaned)
    }

    /// How many are gone, and whether there may be more. Children go after their parents, so a sweep that found some is
    /// followed by another one.
    async fn remove_executions(
        &self,
        state: ExecutionState,
        before: Timestamp,
    ) -> Result<(u64, bool)> {
        let (mut count, mut in_sweep, mut after) = (0, 0, None);
        for _batch in 0..BATCHES_MAX {
            let old = Old { state, before, after };
            let removed =
                self.store().remove_executions(self.host(), &old, EXECUTIONS_AT_ONCE).await?;
            count += removed.count;
            in_sweep += removed.count;
            match removed.next {
                Some(next) => after = Some(next),
                None if in_sweep == 0 => return Ok((count, false)),
                None => (in_sweep, after) = (0, None),
            }
        }
        Ok((count, true))
    }
}

/// Removes batch after batch, as many as one order may; whether there may be more.
async fn batches<B>(count: &mut u64, batch: impl Fn() -> B) -> Result<bool>
where
    B: Future<Output = crate::store::Result<u64>>,
{
    for _batch in 0..BATCHES_MAX {
        let removed = batch().await?;
        *count += removed;
        if removed == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}
