//! Ending an execution without its guest: also where its module cannot be loaded, or its journal no longer fits it.

use tracing::{info, warn};

use super::super::crew::Crew;
use super::super::traces::Runs;
use super::Over;
use super::end::told;
use super::write::block_unreadable;
use crate::journal::{Arrival, Replay};
use crate::model::{ExecutionState, Failure, Promise, Run, StepUsage, kind};
use crate::store::{Append, ExecutionRow, Inbox, RowChange, StoreError, Write, Written};

/// The reason of a forced cancel, where one lies in the inbox.
pub(super) fn demanded(inbox: &Inbox) -> Option<String> {
    inbox.arrivals.iter().find_map(|(_, arrival)| match arrival {
        Arrival::Cancel { reason, force: true } => Some(reason.clone()),
        Arrival::Cancel { force: false, .. }
        | Arrival::Settled { .. }
        | Arrival::Fired { .. }
        | Arrival::Signal { .. }
        | Arrival::Expired => None,
    })
}

/// Writes the end, tells the parent, asks the children to end.
pub(super) async fn end(
    crew: &Crew,
    (row, runs): (&ExecutionRow, &Runs),
    (inbox, tasks): (&Inbox, &[(Run, Promise)]),
    mut replay: Replay,
    reason: String,
) -> Over {
    let now = crew.clock.now();
    let failure = Failure::new(kind::CANCELLED, reason);
    let ended = replay.end_as(ExecutionState::Cancelled, Err(failure), 0, now);
    let mut append = Append::new(row.id, crew.host, row.run);
    append.entries = replay.take_pending(now).entries;
    append.admitted = inbox.arrivals.iter().map(|(id, _)| *id).collect();
    append.dropped_tasks = tasks.to_vec();
    append.messages.extend(row.parent.map(|parent| {
        let outcome = told(&ended.outcome, &row.workflow, row.id);
        let (run, promise, usage) = (parent.run, parent.promise, StepUsage::default());
        (parent.execution, Arrival::Settled { run, promise, outcome, usage, attempt: 0 })
    }));
    let id = row.id;
    let children = match crew.ask(move |store| async move { store.execution(id).await }).await {
        Ok(view) => view.map(|view| view.children).unwrap_or_default(),
        Err(error) => {
            warn!(execution.id = %row.id, error = %error, "The children of {} could not be read; beginning again", row.id);
            return Over::Again;
        }
    };
    for child in children {
        let reason = format!("its parent {} was ended by force", row.id);
        append.messages.push((child, Arrival::Cancel { reason, force: false }));
    }
    let failure_kind = Some(kind::CANCELLED.to_owned());
    append.row = RowChange::End { state: ExecutionState::Cancelled, failure_kind };
    match crew.committer.submit(Write::Append(Box::new(append))).await {
        Ok(Written::Done(effects)) => {
            crew.tell(runs.ended(crew, row, &ended));
            effects.wakes.into_iter().for_each(|wake| crew.notifier.wake(wake));
            crew.wake_watchers(row.id);
            crew.count_end(row, &ended);
            info!(execution.id = %row.id, trace.id = %row.trace(), "Execution {} was ended by force", row.id);
            Over::Done
        }
        Ok(Written::NotOwner | Written::Exists { .. } | Written::Ended(_) | Written::Led(_))
        | Err(StoreError::Fenced { .. }) => Over::Done,
        Err(error @ StoreError::Corrupt { .. }) => block_unreadable(crew, row.id, &error).await,
        Err(error) => {
            warn!(execution.id = %row.id, error = %error, "A forced end could not be written; beginning again");
            tokio::time::sleep(crew.limits.poll_interval.0).await;
            Over::Again
        }
    }
}
