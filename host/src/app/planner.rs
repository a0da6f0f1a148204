//! How schedules start what they start: the worker asks, the room that takes orders knows.

use async_trait::async_trait;

use crate::dispatch::{Dispatch, DispatchError};
use crate::model::{Failure, ScheduleSpec, kind};
use crate::store::{StartPlan, StoreError};
use crate::worker::Planner;

#[async_trait]
impl Planner for Dispatch {
    async fn plan(&self, spec: &ScheduleSpec) -> Result<Result<StartPlan, Failure>, StoreError> {
        match self.start_plan(spec).await {
            Ok(plan) => Ok(Ok(plan)),
            // What cannot be read is that schedule's own failure, and no other's.
            Err(DispatchError::Store(error)) => error.as_corrupt().map(Err).ok_or(error),
            Err(refused) => Ok(Err(failure(&refused))),
        }
    }
}

/// The same words as those of a start that is refused.
fn failure(refused: &DispatchError) -> Failure {
    use DispatchError as E;
    let kind = match refused {
        E::UnknownWorkflow { .. } | E::NotInModule { .. } => kind::UNKNOWN_WORKFLOW,
        E::UnknownModule(_) => "unknown-module",
        E::Ambiguous { .. } => "ambiguous-workflow",
        E::InvalidInput { breaches, .. } => {
            let places: Vec<_> =
                breaches.iter().map(|at| format!("{}: {}", at.pointer, at.message)).collect();
            return Failure::new(kind::INVALID_INPUT, format!("{refused}: {}", places.join("; ")));
        }
        _other => "refused",
    };
    Failure::new(kind, refused.to_string())
}
