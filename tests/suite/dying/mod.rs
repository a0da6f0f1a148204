//! A host that dies at a write: a real store, and a fault between it and the house.
//!
//! The fault counts what is written and strikes once, at the write of its number. Claims and promotions count where they took
//! something; what only keeps the host alive, or deploys a module, does not count. Nor do the audit log and when a key was used, which are
//! written now and then, also after all else has ended.

mod access;
mod store;
mod test_death;

pub(crate) use store::DyingStore;

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};

use stepwell::store::{Result, StoreError};
use tokio_util::sync::CancellationToken;

/// What happens to the write that the fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is not made, and the host is dead. A claim cannot be foreseen, so here the host dies right after it, which is
    /// dying before whatever would have come of it.
    Before,
    /// It is made, its reply is lost, and the host lives on.
    ReplyLost,
    /// It is made, and the host is dead before anybody hears of it.
    After,
}

impl Way {
    pub(crate) const ALL: [Self; 3] = [Self::Before, Self::ReplyLost, Self::After];
}

/// One fault in the life of one host.
#[derive(Debug)]
pub(crate) struct Fault {
    at: u64,
    way: Way,
    writes: AtomicU64,
    struck: CancellationToken,
    dead: CancellationToken,
}

impl Fault {
    /// Strikes at the write of that number, from 1.
    pub(crate) fn at(write: u64, way: Way) -> Self {
        let (struck, dead) = (CancellationToken::new(), CancellationToken::new());
        Self { at: write, way, writes: AtomicU64::new(0), struck, dead }
    }

    /// Counts, and never strikes.
    pub(crate) fn none() -> Self {
        Self::at(u64::MAX, Way::Before)
    }

    /// How much has been written.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Whether it has struck.
    pub(crate) fn has_struck(&self) -> bool {
        self.struck.is_cancelled()
    }

    /// Returns when the host is dead.
    pub(crate) async fn died(&self) {
        self.dead.cancelled().await;
    }

    /// Lets a verb through that writes nothing that counts. A dead host's never comes back.
    async fn read<T>(&self, perform: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.dead.cancelled() => std::future::pending().await,
            performed = perform => performed,
        }
    }

    /// Lets a write through, or strikes.
    async fn write<T>(&self, perform: impl Future<Output = Result<T>>) -> Result<T> {
        if self.dead.is_cancelled() {
            return std::future::pending().await;
        }
        if !self.count() {
            return self.read(perform).await;
        }
        match self.way {
            Way::Before => self.die().await,
            Way::ReplyLost | Way::After => {
                let performed = perform.await;
                self.after(performed).await
            }
        }
    }

    /// Lets a verb through that writes only where it finds something, and strikes where it did.
    async fn take<T>(
        &self,
        perform: impl Future<Output = Result<T>>,
        took: impl Fn(&T) -> bool,
    ) -> Result<T> {
        let performed = self.read(perform).await;
        let counts = performed.as_ref().is_ok_and(took);
        if counts && self.count() { self.after(performed).await } else { performed }
    }

    /// Counts one write, and says whether it is the one.
    fn count(&self) -> bool {
        let number = self.writes.fetch_add(1, Ordering::Relaxed) + 1;
        if number == self.at {
            self.struck.cancel();
        }
        number == self.at
    }

    async fn after<T>(&self, performed: Result<T>) -> Result<T> {
        match self.way {
            Way::Before | Way::After => self.die().await,
            Way::ReplyLost => {
                performed?;
                Err(StoreError::Unknown("the reply was lost".into()))
            }
        }
    }

    async fn die<T>(&self) -> T {
        self.dead.cancel();
        std::future::pending().await
    }
}
