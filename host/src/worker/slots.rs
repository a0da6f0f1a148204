//! The slots that step attempts run in.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// As many as may run at once on this host.
#[derive(Debug)]
pub(super) struct Slots {
    free: Arc<Semaphore>,
    count: usize,
}

/// One attempt's place; dropping it frees the slot.
#[derive(Debug)]
pub(super) struct Slot(#[expect(dead_code, reason = "it is held")] OwnedSemaphorePermit);

impl Slots {
    pub(super) fn new(count: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), count }
    }

    /// Takes one if one is free now.
    pub(super) fn try_take(&self) -> Option<Slot> {
        Arc::clone(&self.free).try_acquire_owned().ok().map(Slot)
    }

    /// Waits for one, in turn, but no longer than `patience`.
    pub(super) async fn take_within(&self, patience: Duration) -> Option<Slot> {
        if let Some(slot) = self.try_take() {
            return Some(slot);
        }
        let waited = tokio::time::timeout(patience, Arc::clone(&self.free).acquire_owned()).await;
        waited.ok()?.ok().map(Slot)
    }

    /// How many there are, and how many of them are taken.
    pub(super) fn taken(&self) -> (usize, usize) {
        (self.count, self.count.saturating_sub(self.free.available_permits()))
    }
}
