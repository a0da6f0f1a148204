//! Local steps whose execution was parked: their ends go the way of a task's.

use std::collections::HashMap;

use tokio::sync::mpsc;

use super::crew::Crew;
use super::local::LocalEnd;
use super::task::{self, Ended};
use crate::model::Promise;

/// Listens to local steps until each has ended, and ends the task rows that stand for them now.
pub(super) async fn forward(
    crew: Crew,
    mut ends: mpsc::UnboundedReceiver<LocalEnd>,
    mut tasks: HashMap<Promise, Ended>,
) {
    while !tasks.is_empty() {
        let end = tokio::select! {
            end = ends.recv() => end,
            () = crew.stop.hard.cancelled() => return,
        };
        let Some(LocalEnd { promise, attempted }) = end else { return };
        let Some(ended) = tasks.remove(&promise) else { continue };
        let attempted = attempted.unwrap_or_else(super::attempt::Attempted::lost);
        task::end(&crew, &ended, attempted).await;
        crew.leave_task(ended.task.id);
    }
}
