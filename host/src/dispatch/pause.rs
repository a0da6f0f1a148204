//! Having an execution stand still, and go on.

use super::{Dispatch, DispatchError, ModuleRef, Result};
use crate::journal::RunReason;
use crate::model::{ExecutionId, ExecutionState, Wake};
use crate::store::Delivered;

impl Dispatch {
    /// Pauses an execution: steps that run go on to their end, and nothing new begins.
    pub async fn pause(&self, execution: ExecutionId) -> Result<()> {
        let paused = Some(self.parts.clock.now());
        let delivered = self.store().pause(self.host(), execution, paused).await;
        let delivered = self.heard(execution, delivered).await?;
        self.tell(execution, delivered).await
    }

    /// Has an execution that is paused, or blocked, go on from where it stands; a blocked one with another module, where
    /// one is named.
    pub async fn resume(&self, execution: ExecutionId, module: Option<&ModuleRef>) -> Result<()> {
        if module.is_some() {
            let state = self.show(execution).await?.row.state;
            if state != ExecutionState::Blocked {
                return Err(DispatchError::NotBlocked { execution, state });
            }
            self.revive(execution, RunReason::Upgrade, module).await?;
        }
        let delivered = self.store().pause(self.host(), execution, None).await;
        let delivered = self.heard(execution, delivered).await?;
        self.tell(execution, delivered).await
    }

    async fn tell(&self, execution: ExecutionId, delivered: Delivered) -> Result<()> {
        match delivered {
            Delivered::To { owner } => {
                self.wake_for(execution, owner).await?;
                self.parts.notifier.wake(Wake::Changed { execution });
                Ok(())
            }
            Delivered::Ended(state) => Err(DispatchError::Ended { execution, state }),
            Delivered::Missing => Err(DispatchError::UnknownExecution(execution)),
            Delivered::Full => {
                let max = self.parts.limits.unreceived_signals_max;
                Err(DispatchError::SignalsFull { execution, max })
            }
        }
    }
}
