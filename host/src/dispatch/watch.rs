//! Following all executions as they come and go.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use super::{Change, Dispatch, Result};
use crate::model::{ExecutionId, ExecutionState, Timestamp};

/// How often the database is asked while nothing happens.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A commit may come so long after the time that it bears: what is that recent is read again, and told once.
const LATE_FOR: Duration = Duration::from_secs(5);
/// Changes that are read at once.
const CHANGES_AT_ONCE: u32 = 500;

/// A change, by what tells it from others.
type Which = (Timestamp, ExecutionId, &'static str);

/// Reads what is accepted and what ends, at the pace at which it is asked and happens.
#[derive(Debug)]
pub struct Watcher {
    dispatch: Dispatch,
    /// Everything up to here was told.
    after: (Timestamp, ExecutionId),
    /// Everything up to here was read on the way to now.
    reading: (Timestamp, ExecutionId),
    /// Whether it has come to now, and may wait before it looks again.
    is_through: bool,
    /// What was told that may be read again.
    told: BTreeSet<Which>,
    /// Given back at its end.
    _permit: OwnedSemaphorePermit,
}

impl Dispatch {
    /// Watches all executions from a change on, or from now on.
    pub fn watch(&self, after: Option<(Timestamp, ExecutionId)>) -> Result<Watcher> {
        let permit = self.follower()?;
        let after = match after {
            Some((at, id)) => (at - LATE_FOR, id),
            None => (self.now(), ExecutionId::LAST),
        };
        let dispatch = self.clone();
        let (reading, told) = (after, BTreeSet::new());
        Ok(Watcher { dispatch, after, reading, is_through: false, told, _permit: permit })
    }
}

impl Watcher {
    /// What has happened, at least one change, waited for. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Vec<Change>> {
        loop {
            if self.is_through {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            let fresh = self.look().await?;
            if !fresh.is_empty() {
                return Ok(fresh);
            }
        }
    }

    /// Reads on: a page at a time up to now, and then again from where something may still have come late.
    async fn look(&mut self) -> Result<Vec<Change>> {
        let settled = (self.dispatch.now() - LATE_FOR, ExecutionId::from_bytes([0; 16]));
        let page = self.dispatch.store().changes(self.reading, CHANGES_AT_ONCE).await?;
        let is_full = u32::try_from(page.len()).is_ok_and(|read| read >= CHANGES_AT_ONCE);
        if let Some(last) = page.last() {
            self.reading = (last.at, last.execution);
            self.after = self.after.max(self.reading.min(settled));
        }
        self.is_through = !is_full;
        if self.is_through {
            self.reading = self.after;
        }
        let fresh = page.into_iter().filter(|change| self.told.insert(which(change))).collect();
        // What is older than that is not read again.
        let (at, id) = self.after;
        self.told = self.told.split_off(&(at, id, ""));
        Ok(fresh)
    }
}

fn which(change: &Change) -> Which {
    let kind = if change.state == ExecutionState::Pending { "accepted" } else { "ended" };
    (change.at, change.execution, kind)
}
