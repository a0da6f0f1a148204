//! Removing what has ended for long: every host does it, and leaves to the others what they are at.

use std::time::Duration;

use tracing::{info, warn};

use super::super::crew::Crew;
use crate::model::{ExecutionState, Period, Timestamp};
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
        match round(&crew).await {
            Ok(0) | Err(StoreError::Fenced { .. }) => {}
            Ok(count) => info!(count, "{count} executions were removed that had ended for long"),
            Err(error) => {
                warn!(error = %error, "What has ended for long could not be removed; trying again at the next interval");
            }
        }
    }
}

/// How many executions are gone.
async fn round(crew: &Crew) -> Result<u64, StoreError> {
    let retention = &crew.limits.retention;
    let (host, now) = (crew.host, crew.clock.now());
    let mut count = 0;
    for state in ExecutionState::ALL.into_iter().filter(|state| state.is_terminal()) {
        if let Some(before) = before(retention.of(state), now) {
            count += executions(crew, state, before).await?;
        }
    }
    if let Some(before) = before(retention.dead_letters, now) {
        while crew.store.remove_dead_letters(host, before, ROWS_AT_ONCE).await? > 0 {
            rest(crew).await;
        }
    }
    if let Some(before) = before(retention.logs, now) {
        while crew.store.remove_logs(host, before, ROWS_AT_ONCE).await? > 0 {
            rest(crew).await;
        }
    }
    while crew.store.prune_results(host, now, ROWS_AT_ONCE).await? > 0 {
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
    let (mut count, mut from) = (0, Timestamp::from_micros(i64::MIN));
    while !crew.stop.soft.is_cancelled() {
        let old = Old { state, before, from };
        let removed = crew.store.remove_executions(crew.host, &old, EXECUTIONS_AT_ONCE).await?;
        count += removed.count;
        match removed.next {
            Some(next) => from = next,
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
