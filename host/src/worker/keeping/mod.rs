//! Duties: what no single order asks for and what would pile up without them.

mod reap;
mod reconcile;

pub(super) use reap::reap;
pub(super) use reconcile::{Unknown, reconcile};

use std::time::Duration;

use tracing::warn;

use super::crew::Crew;

/// How often the rows are compared with what this host knows, and the store tidies itself.
const EVERY: Duration = Duration::from_secs(60);

/// Does its rounds until the worker stops.
pub(super) async fn run(crew: Crew) {
    let mut known = Unknown::default();
    loop {
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
    }
}
