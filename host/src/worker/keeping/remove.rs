//! Removing what has ended for long: every host does it, and leaves to the others what they are at.

use std::time::Duration;

use tracing::{info, warn};

use super::super::crew::Crew;
use crate::model::{ExecutionState, Period, SESSION_FOR, Timestamp};
use crate::store::{Old, StoreError};

/// Executions that one transaction removes at most.
const EXECUTIONS_AT_ONCE: u32 = 100;
/// Rows of everything else that one transaction removes at most.
const ROWS_AT_ONCE: u32 = 1_000;
/// Between two transactions, so that others have their turn.
const PAUSE: Duration = Duration::from_millis(5);
/// How often one round goes through all executions at most: children go after their parents.
const SWEEPS_MAX: u32 = 32;

/// Removes at every `cleanup_interval`, until the worker stops.
pub(in crate::worker) async fn remove(crew: Crew) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(crew.limits.retention.cleanup_interval) => {}
            () = crew.stop.soft.cancelled() => return,
        }
        round(&crew).await;
    }
}

/// Removes of each kind what is old; one that cannot be removed keeps no other from going.
async fn round(crew: &Crew) {
    let retention = &crew.limits.retention;
    let now = crew.clock.now();
    for state in ExecutionState::ALL.into_iter().filter(|state| state.is_terminal()) {
        if let Some(before) = before(retention.of(state), now) {
            tell("executions", executions(crew, state, before).await);
        }
    }
    let (store, host) = (&crew.store, crew.host);
    if let Some(before) = before(retention.dead_letters, now) {
        let batch = || store.remove_dead_letters(host, before, ROWS_AT_ONCE);
        tell("dead letters", batches(crew, batch).await);
    }
    if let Some(before) = before(retention.logs, now) {
        let batch = || store.remove_logs(host, before, ROWS_AT_ONCE);
        tell("lines of logs", batches(crew, batch).await);
    }
    if let Some(before) = before(retention.audit, now) {
        let batch = || store.remove_audit(host, before, ROWS_AT_ONCE);
        tell("entries of the audit log", batches(crew, batch).await);
    }
    tell("sessions", store.remove_sessions(host, now - SESSION_FOR).await);
    tell("kept results", batches(crew, || store.prune_results(host, now, ROWS_AT_ONCE)).await);
}

fn tell(what: &str, removed: Result<u64, StoreError>) {
    match removed {
        Ok(0) | Err(StoreError::Fenced { .. }) => {}
        Ok(count) => info!(count, "{count} old {what} were removed"),
        Err(error) => {
            warn!(error = %error, "Old {what} could not be removed; trying again at the next interval");
        }
    }
}

/// Removes batch after batch until none is left.
async fn batches<B>(crew: &Crew, batch: impl Fn() -> B) -> Result<u64, StoreError>
where
    B: Future<Output = Result<u64, StoreError>>,
{
    let mut count = 0;
    while !crew.stop.soft.is_cancelled() {
        match batch().await? {
            0 => break,
            removed => count += removed,
        }
        rest(crew).await;
    }
    Ok(count)
}

fn before(period: Period, now: Timestamp) -> Option<Timestamp> {
    match period {
        Period::Forever => None,
        Period::For(long) => Some(now - long),
    }
}

/// Sweeps until a sweep finds nothing.
async fn executions(
    crew: &Crew,
    state: ExecutionState,
    before: Timestamp,
) -> Result<u64, StoreError> {
    let mut count = 0;
    for _sweep in 0..SWEEPS_MAX {
        let removed = sweep(crew, state, before).await?;
        count += removed;
        if removed == 0 {
            break;
        }
    }
    Ok(count)
}

/// Goes through all that ended before then, once.
async fn sweep(crew: &Crew, state: ExecutionState, before: Timestamp) -> Result<u64, StoreError> {
    let (mut count, mut after) = (0, None);
    while !crew.stop.soft.is_cancelled() {
        let old = Old { state, before, after };
        let removed = crew.store.remove_executions(crew.host, &old, EXECUTIONS_AT_ONCE).await?;
        count += removed.count;
        match removed.next {
            Some(next) => after = Some(next),
            None => break,
        }
        rest(crew).await;
    }
    Ok(count)
}

async fn rest(crew: &Crew) {
    tokio::select! {
        () = tokio::time::sleep(PAUSE) => {}
        () = crew.stop.soft.cancelled() => {}
    }
}
