//! Declaring dead whose lease has ended, by whoever sees it first.
//!
//! After an outage of the database every lease has ended, and none of those hosts is dead. So a host buries others only while
//! the database is known to have answered without a gap for a whole lease: to this host, or to one that it joined.

use std::time::Duration;

use tracing::{info, warn};

use super::super::crew::Crew;
use super::{Rest, rest_until};
use crate::model::{Lease, Timestamp};
use crate::store::{Renewal, StoreError};

/// After the end of a lease: clocks are read before they are compared.
const A_LITTLE: Duration = Duration::from_millis(20);
/// How soon a burial that failed is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Buries until the worker stops.
pub(in crate::worker) async fn reap(crew: Crew) {
    let Some(lease) = crew.lease else { return };
    let mut renewals = crew.latest_renewal();
    let mut not_before = Timestamp::default();
    loop {
        let due = renewals.borrow_and_update().as_ref().and_then(|seen| due(seen, lease));
        let due = due.map(|due| due.max(not_before));
        match rest_until(&crew, &mut renewals, due).await {
            Rest::Due => {
                not_before = crew.clock.now() + RETRY_AFTER;
                bury(&crew, lease).await;
            }
            Rest::Renewed => {}
            Rest::Over => return,
        }
    }
}

/// When this host may bury whoever is next, as far as it knows.
fn due(renewal: &Renewal, lease: Lease) -> Option<Timestamp> {
    let steady_at = renewal.steady_since? + lease.length();
    renewal.next_lease_end.map(|end| end.max(steady_at) + A_LITTLE)
}

async fn bury(crew: &Crew, lease: Lease) {
    match crew.store.bury(crew.host, lease).await {
        Ok(buried) => {
            for host in &buried {
                warn!(host.id = %host, "Host {host} has not renewed its lease: it was declared dead and its work is free");
            }
            if !buried.is_empty() {
                crew.wake_claimers();
            }
        }
        // The lease's own keeper says so.
        Err(StoreError::Fenced { .. }) => return,
        Err(error) => {
            warn!(
                error = &error as &dyn std::error::Error,
                "A host whose lease has ended could not be declared dead; trying again"
            );
        }
    }
    match crew.store.look_for_work(crew.host).await {
        Ok(renewal) => crew.report(renewal),
        Err(error) => {
            info!(error = %error, "What is due next could not be read; the next renewal tells");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renewal(steady_since: i64, next_lease_end: i64) -> Renewal {
        Renewal {
            now: Timestamp::default(),
            work: false,
            arrivals: false,
            next_due: None,
            lost: false,
            hosts: 2,
            next_lease_end: Some(Timestamp::from_micros(next_lease_end)),
            queue_changes: 0,
            steady_since: Some(Timestamp::from_micros(steady_since)),
            followers: false,
            stopping: false,
            next_firing: None,
        }
    }

    #[test]
    fn nobody_is_buried_before_the_database_has_answered_for_a_whole_lease() {
        let lease = Lease::default();
        let length = i64::try_from(lease.length().as_micros()).unwrap();
        let at = |renewal| due(&renewal, lease).unwrap().as_micros();
        let little = i64::try_from(A_LITTLE.as_micros()).unwrap();

        assert_eq!(at(renewal(0, 2 * length)), 2 * length + little);
        assert_eq!(at(renewal(5, 1)), 5 + length + little);
    }
}
