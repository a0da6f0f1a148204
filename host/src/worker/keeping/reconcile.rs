//! Once a minute: what the rows say is this host's, against what it knows.

use std::collections::HashSet;

use tracing::{info, warn};

use super::super::activation;
use super::super::crew::Crew;
use crate::model::{ExecutionId, TaskId};
use crate::store::{StoppingTask, TaskEnd, TaskRef};

/// What the rows gave to this host at the last round and it did not know: an execution that is still unknown is adopted, a
/// task is given back. (A birth, a claim or an end that is just under way is unknown for a moment.)
#[derive(Debug, Default)]
pub(in crate::worker) struct Unknown {
    executions: HashSet<ExecutionId>,
    tasks: HashSet<TaskId>,
}

impl Unknown {
    pub(in crate::worker) fn is_empty(&self) -> bool {
        self.executions.is_empty() && self.tasks.is_empty()
    }
}

/// Stops what this host runs for calls that were dropped, and returns what it does not run.
pub(in crate::worker) async fn stop_dropped(crew: &Crew) -> Vec<StoppingTask> {
    match crew.store.stopping(crew.host).await {
        Ok(mut dropped) => {
            dropped.retain(|one| !crew.stop_attempt(one.task, one.attempt));
            dropped
        }
        Err(error) => {
            warn!(error = %error, "Which calls were dropped could not be read; the next renewal looks again");
            Vec::new()
        }
    }
}

/// Stops what was dropped whenever a renewal, or a look for work, says that there is such; also while the host drains.
pub(in crate::worker) async fn stop_as_told(crew: Crew) {
    let mut renewals = crew.latest_renewal();
    loop {
        tokio::select! {
            changed = renewals.changed() => if changed.is_err() { return },
            () = crew.stop.lease.cancelled() => return,
        }
        let stopping = renewals.borrow_and_update().is_some_and(|renewal| renewal.stopping);
        if stopping {
            stop_dropped(&crew).await;
        }
    }
}

/// Compares, takes up what was unknown twice, and returns what is unknown now; none where the rows could not be read.
pub(in crate::worker) async fn reconcile(crew: &Crew, before: &Unknown) -> Option<Unknown> {
    let (mut executions, mut tasks) = match crew.store.owned(crew.host).await {
        Ok(owned) => owned,
        Err(error) => {
            warn!(error = %error, "The rows of this host could not be read; comparing again in a minute");
            return None;
        }
    };
    executions.retain(|id| !crew.hot.has(*id));
    tasks.retain(|task| !crew.knows(task.id, task.attempt));
    let dropped = stop_dropped(crew).await;
    for stopped in dropped.iter().filter(|one| before.tasks.contains(&one.task)) {
        // Its end was never said. Where that fails, the next round says it.
        if crew.store.stopped(crew.host, *stopped).await.is_ok() {
            crew.wake_claimers();
        }
    }
    for execution in executions.iter().filter(|id| before.executions.contains(*id)) {
        adopt(crew, *execution).await;
    }
    for task in tasks.iter().filter(|task| before.tasks.contains(&task.id)) {
        give_back(crew, task).await;
    }
    Some(Unknown {
        executions: executions.into_iter().collect(),
        // A task that waits or runs and one that was dropped never have the same id.
        tasks: tasks.iter().map(|task| task.id).chain(dropped.iter().map(|one| one.task)).collect(),
    })
}

async fn adopt(crew: &Crew, execution: ExecutionId) {
    match crew.store.snapshot(crew.host, execution).await {
        Ok(Some(snapshot)) => {
            info!(execution.id = %execution, "Execution {execution} belongs to this host and was not active: adopted");
            activation::spawn(crew, snapshot);
        }
        Ok(None) => {}
        // Where it is the weather, the next round finds it again.
        Err(error) => {
            let _over = activation::block_unreadable(crew, execution, &error).await;
        }
    }
}

/// What became of the attempt is not known, so another one is made. The host lives, so nothing has killed it.
async fn give_back(crew: &Crew, task: &TaskRef) {
    let lost = crew.store.end_task(crew.host, task, TaskEnd::GivenBack, Vec::new()).await;
    if let Ok(Some(_)) = lost {
        info!(execution.id = %task.execution, "A task of {} belongs to this host and did not run: given back", task.execution);
        crew.wake_claimers();
    }
}
