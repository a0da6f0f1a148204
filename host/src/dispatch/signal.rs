//! Named messages to executions.

use super::{Dispatch, DispatchError, Result, bounds};
use crate::journal::Arrival;
use crate::model::{ExecutionId, Name, Payload};
use crate::store::Delivered;

impl Dispatch {
    /// Sends a signal. It is kept in order until the workflow receives it; one whose `id` was sent before is dropped there.
    pub async fn signal(
        &self,
        execution: ExecutionId,
        signal: Name,
        payload: Payload,
        id: Option<String>,
    ) -> Result<()> {
        bounds::payload("the signal", &payload, self.parts.limits.payload_bytes_max)?;
        id.as_deref().map_or(Ok(()), |id| bounds::key("the signal's id", id))?;
        let arrival = Arrival::Signal { signal, payload, id };
        let delivered = self.store().deliver(self.host(), execution, &arrival).await;
        match self.heard(execution, delivered).await? {
            Delivered::To { owner } => self.wake_for(execution, owner).await,
            Delivered::Ended(state) => Err(DispatchError::Ended { execution, state }),
            Delivered::Missing => Err(DispatchError::UnknownExecution(execution)),
            Delivered::Full => {
                let max = self.parts.limits.unreceived_signals_max;
                Err(DispatchError::SignalsFull { execution, max })
            }
        }
    }
}
