//! The slots that step attempts run in.

use std::sync::Arc;
use std::time::Duration;

use metrics::{Gauge, gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::metric;

/// As many as may run at once on this host.
#[derive(Debug)]
pub(super) struct Slots {
    free: Arc<Semaphore>,
    busy: Gauge,
}

/// One attempt's place; dropping it frees the slot.
#[derive(Debug)]
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
    busy: Gauge,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.busy.decrement(1);
    }
}

impl Slots {
    pub(super) fn new(count: usize) -> Self {
        let busy = gauge!(metric::SLOTS_BUSY.name);
        Self { free: Arc::new(Semaphore::new(count)), busy }
    }

    /// Takes one if one is free now.
    pub(super) fn try_take(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(self.slot(permit))
    }

    /// Waits for one, in turn, but no longer than `patience`.
    pub(super) async fn take_within(&self, patience: Duration) -> Option<Slot> {
        if let Some(slot) = self.try_take() {
            return Some(slot);
        }
        let waited = tokio::time::timeout(patience, Arc::clone(&self.free).acquire_owned()).await;
        let permit = waited.ok()?.ok()?;
        Some(self.slot(permit))
    }

    fn slot(&self, permit: OwnedSemaphorePermit) -> Slot {
        self.busy.increment(1);
        Slot { _permit: permit, busy: self.busy.clone() }
    }
}
