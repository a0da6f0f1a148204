//! Local steps: run on the owner's own host, without a row of their own.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::activation::Call;
use super::attempt::{Attempt, Attempted};
use super::crew::Crew;
use super::modules::Loaded;
use crate::model::Promise;

/// A local step that runs, or waits for a slot.
#[derive(Debug)]
pub(super) struct LocalStep {
    pub(super) attempt: Attempt,
    /// What was called.
    pub(super) call: Call,
    /// Stops it.
    pub(super) stop: CancellationToken,
}

/// What a local step says at its end.
#[derive(Debug)]
pub(super) struct LocalEnd {
    pub(super) promise: Promise,
    /// None: no slot became free within `local_wait`, and nothing was run.
    pub(super) attempted: Option<Attempted>,
}

/// Runs a local step as a task of its own; its end goes into `ends`.
pub(super) fn spawn(
    crew: &Crew,
    loaded: &Loaded,
    step: &LocalStep,
    ends: mpsc::UnboundedSender<LocalEnd>,
) {
    let (crew, loaded) = (crew.clone(), loaded.clone());
    let (attempt, stop) = (step.attempt.clone(), step.stop.clone());
    crew.clone().drive(async move {
        let slot = tokio::select! {
            slot = crew.slots.take_within(crew.limits.local_wait) => slot,
            () = stop.cancelled() => None,
        };
        let attempted = match slot {
            Some(_slot) => Some(attempt.run(&crew, &loaded, stop).await),
            None => None,
        };
        crew.capacity.notify_one();
        // Nobody listens any more where the activation was dropped: then the step is lost, and called again.
        let _dropped = ends.send(LocalEnd { promise: attempt.promise, attempted });
    });
}
