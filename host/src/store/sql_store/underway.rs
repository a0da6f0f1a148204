//! What this process has under way in the database, and waiting for its end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedRwLockReadGuard, RwLock, RwLockWriteGuard};

use super::SqlStore;
use crate::model::HostId;
use crate::store::dialect::{Dialect, Fault, Line};
use crate::store::error::StoreError;
use crate::store::row::Reading;
use crate::store::statements;
use crate::store::value::values;

/// How long to wait before the database is asked again whether a transaction of unknown end has ended.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Transactions of this process hold it for reading. Whoever waits for a lost one holds it for writing: new ones lock the same
/// row in a way that lets them pass by whoever waits for it, who would wait for ever.
#[derive(Debug, Default)]
pub(super) struct Underway {
    gate: Arc<RwLock<()>>,
    /// As the rows of hosts have them; 0 for one that is not here.
    epochs: Mutex<HashMap<HostId, i64>>,
}

/// Held by a transaction from its beginning to its end.
pub(super) type Passage = OwnedRwLockReadGuard<()>;

impl Underway {
    /// Waits while somebody waits for the end of a lost transaction.
    pub(super) async fn enter(&self) -> Passage {
        Arc::clone(&self.gate).read_owned().await
    }

    /// Waits until nobody of this process is under way, and keeps all others from it.
    pub(super) async fn close(&self) -> RwLockWriteGuard<'_, ()> {
        self.gate.write().await
    }

    /// What a transaction that is sent in one piece must find.
    pub(super) fn epoch(&self, host: HostId) -> i64 {
        let epochs = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        epochs.get(&host).copied().unwrap_or_default()
    }

    fn set_epoch(&self, host: HostId, epoch: i64) {
        self.epochs.lock().unwrap_or_else(PoisonError::into_inner).insert(host, epoch);
    }

    fn forget(&self, host: HostId) {
        self.epochs.lock().unwrap_or_else(PoisonError::into_inner).remove(&host);
    }
}

impl<D: Dialect> SqlStore<D> {
    /// Where nobody knows whether a commit was made, waits until the database has no more to do with it: from then on, reading
    /// what is there tells. However long that takes: until then nothing that depends on it may go on. That a host is dead by
    /// then changes nothing: what it was told of this commit is still nothing.
    pub(super) async fn settled<T>(
        &self,
        host: HostId,
        committed: Result<T, Fault>,
    ) -> Result<T, Fault> {
        if let Err(Fault::Store(StoreError::Unknown(_))) = &committed {
            let _dead_or_ended = self.await_end_of(host).await;
        }
        committed
    }

    /// Waits until whatever this host had under way in the database has ended, or can no longer happen.
    pub(super) async fn await_end_of(&self, host: HostId) -> Result<(), StoreError> {
        loop {
            match self.try_await_end(host).await {
                Ok(ended) => return ended,
                Err(fault) => {
                    let error = StoreError::from(fault);
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "The end of a commit is waited for"
                    );
                    tokio::time::sleep(ASK_AGAIN_AFTER).await;
                }
            }
        }
    }

    async fn try_await_end(&self, host: HostId) -> Result<Result<(), StoreError>, Fault> {
        let _nobody_else = self.underway.close().await;
        let found = self.dialect.change(Line::Fresh, statements::AWAIT_END, values![host].into());
        let Some(row) = found.await?.into_iter().next() else {
            self.underway.forget(host);
            return Ok(Err(StoreError::Fenced { host }));
        };
        self.underway.set_epoch(host, Reading::of("hosts", row).i64("epoch")?);
        Ok(Ok(()))
    }
}
