//! Waiting for the end of an execution.

use std::time::Duration;

use tokio::time::timeout;

use super::changes::{Cause, Changes};
use super::{Dispatch, DispatchError, Ended, Result};
use crate::model::{ExecutionId, ExecutionState};

/// How far an execution has come.
#[derive(Debug, Clone)]
pub enum Progress {
    /// It has ended.
    Ended(Ended),
    /// It has not, and stands so.
    In(ExecutionState),
}

impl Dispatch {
    /// The end of an execution, waited for up to `wait` and never longer than `wait_max`. One that is blocked is answered at
    /// once: it does not go on by itself.
    pub async fn result(&self, execution: ExecutionId, wait: Duration) -> Result<Progress> {
        // Listen before you look.
        let changes = self.changes(execution);
        let wait = wait.min(self.parts.limits.wait_max);
        let first = self.progress(execution).await?;
        if wait.is_zero() || !is_open(&first) {
            return Ok(first);
        }
        match timeout(wait, self.end_of(execution, changes)).await {
            Ok(progress) => progress,
            Err(_elapsed) => self.progress(execution).await,
        }
    }

    async fn end_of(&self, execution: ExecutionId, mut changes: Changes) -> Result<Progress> {
        loop {
            // Hints come with every commit of a busy execution, so each is worth one look at its end and no more.
            let found = match changes.next().await {
                Cause::Hint => self.store().result(execution).await?.map(Progress::Ended),
                Cause::Poll => {
                    Some(self.progress(execution).await?).filter(|found| !is_open(found))
                }
            };
            if let Some(found) = found {
                return Ok(found);
            }
        }
    }

    async fn progress(&self, execution: ExecutionId) -> Result<Progress> {
        if let Some(ended) = self.store().result(execution).await? {
            return Ok(Progress::Ended(ended));
        }
        let Some(state) = self.store().state(execution).await? else {
            return Err(DispatchError::UnknownExecution(execution));
        };
        // It has ended between the two looks, or it is no end any more and nothing stands in its place.
        let ended = if state.is_terminal() { self.store().result(execution).await? } else { None };
        Ok(ended.map_or(Progress::In(state), Progress::Ended))
    }
}

/// Whether waiting may bring something.
fn is_open(progress: &Progress) -> bool {
    match progress {
        Progress::Ended(_) => false,
        Progress::In(state) => *state != ExecutionState::Blocked,
    }
}
