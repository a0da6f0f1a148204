//! Following a journal as it grows.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::changes::Changes;
use super::{Dispatch, DispatchError, Entry, Result};
use crate::model::{ExecutionId, ExecutionState, Seq};

/// Entries that are read at once, and so held for each that follows.
const ENTRIES_AT_ONCE: u32 = 16;

/// Reads a journal from some entry on, at the pace at which it is asked and written.
#[derive(Debug)]
pub struct Follower {
    dispatch: Dispatch,
    execution: ExecutionId,
    after: Seq,
    changes: Changes,
    /// Given back at its end.
    _permit: OwnedSemaphorePermit,
}

/// What comes next.
#[derive(Debug, Clone)]
pub enum Followed {
    /// These entries, at least one.
    Entries(Vec<Entry>),
    /// Nothing: every entry was given, and the execution has ended so.
    Ended(ExecutionState),
}

impl Dispatch {
    /// Follows the journal of an execution behind the entry `after`.
    pub async fn follow(&self, execution: ExecutionId, after: Seq) -> Result<Follower> {
        let permit = self.follower()?;
        // Listen before you look.
        let changes = self.changes(execution);
        self.show(execution).await?;
        Ok(Follower { dispatch: self.clone(), execution, after, changes, _permit: permit })
    }
}

impl Dispatch {
    /// A place among those that follow on this host.
    pub(super) fn follower(&self) -> Result<OwnedSemaphorePermit> {
        let max = self.parts.limits.followers_max;
        let permit = Arc::clone(&self.followers).try_acquire_owned();
        permit.map_err(|_none_left| DispatchError::FollowersFull { max })
    }
}

impl Follower {
    /// What comes next, waited for. Dropping the future loses nothing. One that is blocked or paused is waited for as well: a
    /// person may let it go on.
    pub async fn next(&mut self) -> Result<Followed> {
        loop {
            if let Some(followed) = self.look().await? {
                self.changes.found();
                return Ok(followed);
            }
            self.changes.next().await;
        }
    }

    async fn look(&mut self) -> Result<Option<Followed>> {
        let entries = self.read().await?;
        if entries.is_some() {
            return Ok(entries);
        }
        let state = self.dispatch.show(self.execution).await?.row.state;
        if !state.is_terminal() {
            return Ok(None);
        }
        // Its last entries may have come between the two looks.
        let last = self.read().await?;
        Ok(Some(last.unwrap_or(Followed::Ended(state))))
    }

    async fn read(&mut self) -> Result<Option<Followed>> {
        let store = self.dispatch.store();
        let entries = store.journal(self.execution, self.after, ENTRIES_AT_ONCE).await?.entries;
        let Some(last) = entries.last() else { return Ok(None) };
        self.after = last.seq;
        Ok(Some(Followed::Entries(entries)))
    }
}
