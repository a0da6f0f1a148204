//! Telling those who wait for the result of another call, as soon as it is there.

use tracing::warn;

use super::super::crew::Crew;
use crate::store::StoreError;

/// Calls that one transaction tells at most.
const FOLLOWERS_AT_ONCE: u32 = 256;

/// Tells them, whenever a leader has ended here or a look at the rows has found some, until the worker stops.
pub(in crate::worker) async fn answer(crew: Crew) {
    loop {
        tokio::select! {
            () = crew.followers.notified() => {}
            () = crew.stop.soft.cancelled() => return,
        }
        answer_all(&crew).await;
    }
}

/// What one host leaves, because it stops or the store does not answer, another finds with the next renewal of its lease.
pub(in crate::worker) async fn answer_all(crew: &Crew) {
    loop {
        match crew.store.answer_followers(crew.host, FOLLOWERS_AT_ONCE).await {
            Ok(followed) if followed.count == 0 => return,
            Ok(followed) => followed.wakes.into_iter().for_each(|wake| crew.notifier.wake(wake)),
            Err(StoreError::Fenced { .. }) => return,
            Err(error) => {
                warn!(error = %error, "Calls that wait for a result could not be told of it; trying again with the next renewal");
                return;
            }
        }
    }
}
