//! Local steps whose execution was parked: their ends go the way of a task's.

use std::collections::HashMap;

use tokio::sync::mpsc;

use super::attempt::Attempted;
use super::crew::{Crew, Entered};
use super::local::LocalEnd;
use super::task::{self, Ended};
use crate::model::Promise;

/// A local step that has become a task's row, which is known to run.
#[derive(Debug)]
pub(super) struct Handed {
    pub(super) ended: Ended,
    pub(super) entered: Entered,
}

/// Listens to local steps until each has ended, and ends the task rows that stand for them now.
pub(super) async fn forward(
    crew: Crew,
    mut ends: mpsc::UnboundedReceiver<LocalEnd>,
    mut tasks: HashMap<Promise, Handed>,
) {
    while !tasks.is_empty() {
        let end = tokio::select! {
            end = ends.recv() => end,
            () = crew.stop.hard.cancelled() => return,
        };
        let Some(LocalEnd { promise, attempted }) = end else {
            // Whoever ran them has ended without a word.
            for (_, Handed { ended, entered }) in tasks.drain() {
                task::end(&crew, &ended, Attempted::lost()).await;
                drop(entered);
            }
            return;
        };
        let Some(Handed { ended, entered }) = tasks.remove(&promise) else { continue };
        task::end(&crew, &ended, attempted.unwrap_or_else(Attempted::lost)).await;
        drop(entered);
    }
}
