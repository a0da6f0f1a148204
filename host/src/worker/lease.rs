//! The lease of this incarnation: renewed on a thread that runs nothing else, over a connection of its own.
//!
//! A lease that could not be renewed in time is held to have ended a margin before others can see it end. Guests stop then,
//! whatever the database says later; whether the incarnation is still alive is for its next life to find out.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

use super::WorkerState;
use super::crew::Crew;
use crate::model::Lease;
use crate::store::{Renewal, StoreError, Streak};

/// How soon a renewal that failed is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// What this host knows of its lease.
struct Keeper {
    crew: Crew,
    lease: Lease,
    /// When the renewal was asked for that was answered last, by the host's own monotonic clock.
    last_asked: Duration,
    streak: Streak,
}

/// Renews until the worker has ended, or until the lease is lost; says which.
pub(super) async fn keep(crew: Crew) -> Option<WorkerState> {
    let last_asked = crew.clock.monotonic();
    let lease = crew.lease.unwrap_or_default();
    let mut keeper = Keeper { crew, lease, last_asked, streak: Streak::Unbroken };
    loop {
        let pause = match keeper.renew().await {
            Ok(pause) => pause,
            Err(lost) => return Some(lost),
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = keeper.crew.stop.lease.cancelled() => return None,
        }
    }
}

impl Keeper {
    /// Renews once. Says when to renew next, or how the lease was lost.
    async fn renew(&mut self) -> Result<Duration, WorkerState> {
        let asked = self.crew.clock.monotonic();
        let within =
            self.left().map_or(self.lease.attempt(), |left| left.min(self.lease.attempt()));
        let asking = self.crew.store.renew(self.crew.host, self.streak);
        let asked_for = timeout(within, asking).await;
        let took = self.crew.clock.monotonic().saturating_sub(asked);
        let meters = &self.crew.meters.lease;
        meters.duration.record(took.as_secs_f64());
        match &asked_for {
            Ok(Ok(_)) => meters.renewed.increment(1),
            Ok(Err(_)) | Err(_) => meters.failures.increment(1),
        }
        let pause = match asked_for {
            Ok(Ok(renewal)) => {
                self.last_asked = asked;
                self.heed(renewal);
                self.lease.renew_every()
            }
            Ok(Err(StoreError::Fenced { host })) => {
                error!(host.id = %host, "This host was declared dead: it stops all guests and writes nothing more");
                return Err(WorkerState::Fenced);
            }
            Ok(Err(error)) => {
                self.complain(&error);
                RETRY_AFTER
            }
            Err(_elapsed) => {
                let late = format!("no answer within {within:?}");
                self.complain(&StoreError::Unavailable(late.into()));
                RETRY_AFTER
            }
        };
        match self.left() {
            Some(left) if left.is_zero() => {
                error!(
                    "The lease was not renewed in time: all guests are stopped until the database answers"
                );
                Err(WorkerState::Lapsed)
            }
            Some(left) => Ok(pause.min(left)),
            None => Ok(pause),
        }
    }

    /// Says so once, until it is renewed again.
    fn complain(&mut self, error: &StoreError) {
        if self.streak == Streak::Unbroken {
            warn!(
                error = error as &dyn std::error::Error,
                "The lease could not be renewed; trying again"
            );
        }
        self.streak = Streak::Broken;
    }

    fn heed(&mut self, renewal: Renewal) {
        if self.streak == Streak::Broken {
            info!("The lease is renewed again");
        }
        self.streak = Streak::Unbroken;
        let answered_in = self.crew.clock.monotonic().saturating_sub(self.last_asked);
        self.crew.clock.follow_within(renewal.now, answered_in);
        self.crew.report(renewal);
    }

    /// How long guests may go on if nothing is renewed any more; none where the lease does not end.
    fn left(&self) -> Option<Duration> {
        let lease = self.crew.lease?;
        let since = self.crew.clock.monotonic().saturating_sub(self.last_asked);
        Some(lease.length().saturating_sub(lease.margin() + since))
    }
}
