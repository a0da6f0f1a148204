//! Asking an execution to end.

use super::{Dispatch, DispatchError, Result};
use crate::journal::Arrival;
use crate::model::{ExecutionId, ExecutionState, Failure, Wake};
use crate::store::Delivered;

/// Whether the workflow is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// Its promises settle as cancelled and it may compensate.
    No,
    /// It is ended without asking.
    Yes,
}

impl Dispatch {
    /// Cancels an execution, and answers the state it has ended in where it has ended already: cancelling twice is no error.
    pub async fn cancel(
        &self,
        execution: ExecutionId,
        mut reason: String,
        force: Force,
    ) -> Result<Option<ExecutionState>> {
        reason.truncate(reason.floor_char_boundary(Failure::MESSAGE_BYTES_MAX));
        let arrival = Arrival::Cancel { reason, force: force == Force::Yes };
        let delivered = self.store().deliver(self.host(), execution, &arrival).await;
        match self.heard(execution, delivered).await? {
            Delivered::To { owner } => {
                self.wake_for(execution, owner).await?;
                self.parts.notifier.wake(Wake::Changed { execution });
                Ok(None)
            }
            Delivered::Ended(state) => Ok(Some(state)),
            Delivered::Missing => Err(DispatchError::UnknownExecution(execution)),
            // Only signals are counted against a limit.
            Delivered::Full => {
                let max = self.parts.limits.unreceived_signals_max;
                Err(DispatchError::SignalsFull { execution, max })
            }
        }
    }
}
