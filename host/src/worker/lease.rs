//! The lease of this incarnation: renewed on a loop that waits for no guest.

use std::time::Duration;

use tokio::sync::watch;
use tracing::{error, warn};

use super::WorkerState;
use super::crew::Crew;
use crate::store::StoreError;

/// How often a lease is renewed; when a host is idle, this is its poll.
const RENEW_EVERY: Duration = Duration::from_secs(5);

/// Renews until the worker stops.
pub(super) async fn keep(crew: Crew, state: watch::Sender<WorkerState>) {
    loop {
        match crew.store.renew(crew.host).await {
            Ok(renewal) => {
                crew.clock.follow(renewal.now);
                crew.report(renewal);
            }
            Err(StoreError::Fenced { host }) => {
                error!(host.id = %host, "This host was declared dead: it stops all guests and writes nothing more");
                state.send_replace(WorkerState::Fenced);
                crew.stop.hard.cancel();
                crew.stop.soft.cancel();
                return;
            }
            Err(error) => warn!(error = %error, "The lease could not be renewed; trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(RENEW_EVERY) => {}
            () = crew.stop.soft.cancelled() => return,
        }
    }
}
