//! Trying an execution again that ended badly: the next run of the same journal.

use super::{Dispatch, DispatchError, ModuleRef, Result};
use crate::journal::{Redrive, RunReason};
use crate::model::{ExecutionId, ModuleDigest, Run, Wake};
use crate::store::{Revival, Revived};

impl Dispatch {
    /// Begins the next run of an execution that has failed, timed out, was cancelled or is blocked: what completed stays
    /// completed, and it goes on from before what ended it. With another module, where one is named.
    pub async fn retry(&self, execution: ExecutionId, module: Option<&ModuleRef>) -> Result<Run> {
        self.revive(execution, RunReason::Retry, module).await
    }

    pub(super) async fn revive(
        &self,
        execution: ExecutionId,
        why: RunReason,
        module: Option<&ModuleRef>,
    ) -> Result<Run> {
        let module = match module {
            Some(module) => {
                let workflow = self.show(execution).await?.row.workflow;
                Some(self.choose(&workflow, Some(module)).await?.digest)
            }
            None => None,
        };
        self.go_back(execution, self.revival(why, None, module)).await
    }

    pub(super) fn revival(
        &self,
        why: RunReason,
        redrive: Option<Redrive>,
        module: Option<ModuleDigest>,
    ) -> Revival {
        let at = self.parts.clock.now();
        Revival { why, redrive, of_run: None, module, at, dry_run: false }
    }

    pub(super) async fn go_back(&self, execution: ExecutionId, revival: Revival) -> Result<Run> {
        let revived = self.store().revive(self.host(), execution, &revival).await;
        match self.heard(execution, revived).await? {
            Revived::Ready(run) if revival.dry_run => Ok(run),
            Revived::Ready(run) => {
                self.wake_for(execution, None).await?;
                self.parts.notifier.wake(Wake::Changed { execution });
                Ok(run)
            }
            Revived::NotInState(state) => Err(DispatchError::NotRevivable { execution, state }),
            Revived::WentOn => Err(DispatchError::WentOn { execution }),
            Revived::ParentTold(parent) => Err(DispatchError::ParentTold { execution, parent }),
            Revived::Missing => Err(DispatchError::UnknownExecution(execution)),
        }
    }
}
