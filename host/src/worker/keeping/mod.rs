//! Duties: what no single order asks for and what would pile up without them.

mod followers;
mod reap;
mod reconcile;
mod remove;
mod schedules;

pub(super) use followers::answer;
pub(super) use reap::reap;
pub(super) use reconcile::{Unknown, reconcile, stop_as_told, stop_dropped};
pub(super) use remove::remove;
pub use schedules::Planner;
pub(super) use schedules::fire_schedules;

use std::time::Duration;

use tokio::sync::watch;
use tracing::warn;

use super::crew::Crew;
use crate::model::Timestamp;
use crate::store::{Renewal, StoreError};

/// How often the rows are compared with what this host knows, and the store tidies itself.
const EVERY: Duration = Duration::from_secs(60);

/// How often dead incarnations are removed, in rounds.
const PRUNE_EVERY: u32 = 60;
/// Batches of unused limits that one round removes.
const LIMIT_BATCHES_MAX: u32 = 20;
/// How long they are kept for people to see.
const DEAD_KEPT_FOR: Duration = Duration::from_hours(7 * 24);

/// Does its rounds until the worker stops.
pub(super) async fn run(crew: Crew) {
    let mut known = Unknown::default();
    for round in 0_u32.. {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = crew.stop.soft.cancelled() => return,
        }
        if let Some(compared) = reconcile(&crew, &known).await {
            known = compared;
        }
        if let Err(error) = crew.store.keep().await {
            warn!(error = %error, "The store could not tidy itself; trying again in a minute");
        }
        forget_limits(&crew).await;
        if round % PRUNE_EVERY == 0 {
            prune(&crew).await;
        }
    }
}

/// Why a duty that sleeps until something is due, as renewals tell it, has woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// It is due.
    Due,
    /// A renewal has told anew what is due.
    Renewed,
    /// The worker stops.
    Over,
}

/// Only waits.
async fn rest_until(
    crew: &Crew,
    renewals: &mut watch::Receiver<Option<Renewal>>,
    due: Option<Timestamp>,
) -> Rest {
    let due = async {
        match due {
            Some(due) => crew.clock.sleep_until(due).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        changed = renewals.changed() => changed.map_or(Rest::Over, |()| Rest::Renewed),
        () = due => Rest::Due,
        () = crew.stop.soft.cancelled() => Rest::Over,
    }
}

/// Limits of keys come and go with the keys.
async fn forget_limits(crew: &Crew) {
    for _batch in 0..LIMIT_BATCHES_MAX {
        match crew.store.prune_limits(crew.host).await {
            Ok(0) | Err(StoreError::Fenced { .. }) => return,
            Ok(_some) => {}
            Err(error) => {
                warn!(error = %error, "Limits that nothing refers to could not be removed; trying again in a minute");
                return;
            }
        }
    }
}

async fn prune(crew: &Crew) {
    let before = crew.clock.now() - DEAD_KEPT_FOR;
    match crew.store.prune_hosts(crew.host, before).await {
        Ok(_) | Err(StoreError::Fenced { .. }) => {}
        Err(error) => {
            warn!(error = %error, "Dead hosts could not be removed from the list; trying again in an hour");
        }
    }
}
