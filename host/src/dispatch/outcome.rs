//! Waiting for the end of an execution.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::{Dispatch, DispatchError, Ended, Result};
use crate::model::{ExecutionId, ExecutionState};

/// The shortest and the longest pause between two looks at an execution that nobody hints at.
const POLL: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

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
        let changes = self.parts.notifier.watch(execution);
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

    async fn end_of(
        &self,
        execution: ExecutionId,
        mut changes: watch::Receiver<u64>,
    ) -> Result<Progress> {
        let ((mut pause, longest), mut hints) = (POLL, true);
        loop {
            let hinted = tokio::select! {
                changed = changes.changed(), if hints => Some(changed.is_ok()),
                () = sleep(pause) => None,
            };
            // Nobody hints any more: the poll alone finds it.
            hints = hinted.unwrap_or(hints);
            if hinted.is_some() {
                // One look, and no more: hints come with every commit of a busy execution.
                if let Some(ended) = self.store().result(execution).await? {
                    return Ok(Progress::Ended(ended));
                }
                continue;
            }
            let progress = self.progress(execution).await?;
            if !is_open(&progress) {
                return Ok(progress);
            }
            pause = (2 * pause).min(longest);
        }
    }

    async fn progress(&self, execution: ExecutionId) -> Result<Progress> {
        if let Some(ended) = self.store().result(execution).await? {
            return Ok(Progress::Ended(ended));
        }
        match self.store().execution(execution).await? {
            Some(view) => Ok(Progress::In(view.row.state)),
            None => Err(DispatchError::UnknownExecution(execution)),
        }
    }
}

/// Whether waiting may bring something.
fn is_open(progress: &Progress) -> bool {
    match progress {
        Progress::Ended(_) => false,
        Progress::In(state) => *state != ExecutionState::Blocked,
    }
}
