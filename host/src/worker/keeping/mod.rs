//! Duties: what no single order asks for and what would pile up without them.

mod reconcile;

use std::time::Duration;

use tracing::warn;

use super::crew::Crew;

/// How often the rows are compared with what this host knows, and the store tidies itself.
const EVERY: Duration = Duration::from_secs(60);

/// Takes up at once what the rows give to this host and it does not know: claims whose reply was lost. False: the rows
/// could not be read.
pub(super) async fn take_up(crew: &Crew) -> bool {
    let Some(unknown) = reconcile::reconcile(crew, &reconcile::Suspects::default()).await else {
        return false;
    };
    reconcile::reconcile(crew, &unknown).await.is_some()
}

/// Does its rounds until the worker stops.
pub(super) async fn run(crew: Crew) {
    let mut known = reconcile::Suspects::default();
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = crew.stop.soft.cancelled() => return,
        }
        if let Some(compared) = reconcile::reconcile(&crew, &known).await {
            known = compared;
        }
        if let Err(error) = crew.store.keep().await {
            warn!(error = %error, "The store could not tidy itself; trying again in a minute");
        }
    }
}
