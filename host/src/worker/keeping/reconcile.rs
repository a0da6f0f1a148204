//! Once a minute: what the rows say is this host's, against what it knows.

use std::collections::HashSet;

use tracing::{info, warn};

use super::super::activation;
use super::super::crew::Crew;
use crate::model::ExecutionId;

/// Executions that the rows gave to this host at the last round and that it did not know: one that is still unknown is
/// adopted. (A birth or claim that is just under way is unknown for a moment.)
#[derive(Debug, Default)]
pub(super) struct Suspects(HashSet<ExecutionId>);

/// Compares, adopts what was unknown twice, and returns what is unknown now.
pub(super) async fn reconcile(crew: &Crew, before: Suspects) -> Suspects {
    let owned = match crew.store.owned(crew.host).await {
        Ok((executions, _tasks)) => executions,
        Err(error) => {
            warn!(error = %error, "The rows of this host could not be read; comparing again in a minute");
            return before;
        }
    };
    let unknown: HashSet<_> = owned.into_iter().filter(|id| !crew.hot.has(*id)).collect();
    for execution in unknown.intersection(&before.0) {
        if let Ok(Some(snapshot)) = crew.store.snapshot(crew.host, *execution).await {
            info!(execution.id = %execution, "Execution {execution} belongs to this host and was not active: adopted");
            activation::spawn(crew, snapshot);
        }
    }
    Suspects(unknown)
}
