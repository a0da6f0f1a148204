//! Modules that this host has at hand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use crate::model::{Manifest, ModuleDigest, Name, Reach};
use crate::sandbox::{Module, Sandbox, SandboxError};
use crate::store::{Store, StoreError};

/// A module that can run, and what it declares.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub(super) module: Module,
    pub(super) manifest: Arc<Manifest>,
    /// The name that all its versions share.
    pub(super) name: Name,
    /// What its steps want of the world.
    pub(super) wants: Arc<Reach>,
}

/// Why a module is not at hand.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    /// The weather: try again later.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody has it any more. The execution cannot go on.
    #[error("module {0} is not in the store")]
    Missing(ModuleDigest),
    /// This host cannot run it.
    #[error("module {digest} cannot be loaded")]
    Unloadable {
        digest: ModuleDigest,
        #[source]
        source: SandboxError,
    },
}

type Cell = Arc<OnceCell<Loaded>>;

/// Modules that are kept at hand; of more, those not asked for the longest go.
const CELLS_MAX: usize = 128;

/// A cell for each module, and when it was asked for last.
#[derive(Debug, Default)]
struct Cells {
    by_digest: HashMap<ModuleDigest, (Cell, u64)>,
    asked: u64,
}

impl Cells {
    fn of(&mut self, digest: ModuleDigest) -> Cell {
        self.asked += 1;
        let (cell, last) = self.by_digest.entry(digest).or_default();
        *last = self.asked;
        let cell = Arc::clone(cell);
        if self.by_digest.len() > CELLS_MAX {
            let oldest = self.by_digest.iter().min_by_key(|(_, (_, last))| *last);
            let oldest = oldest.map(|(digest, _)| *digest);
            oldest.and_then(|digest| self.by_digest.remove(&digest));
        }
        cell
    }
}

/// Loads each module once.
#[derive(Debug)]
pub(super) struct Modules {
    sources: Sources,
    /// Where there is I/O: whoever asks may be on a guest's thread.
    io: Handle,
    cells: Mutex<Cells>,
}

/// Where modules come from.
#[derive(Debug, Clone)]
struct Sources {
    store: Arc<dyn Store>,
    sandbox: Sandbox,
}

impl Modules {
    pub(super) fn new(store: Arc<dyn Store>, sandbox: Sandbox) -> Self {
        let sources = Sources { store, sandbox };
        Self { sources, io: Handle::current(), cells: Mutex::default() }
    }

    /// From memory, from the cache on disk, or from the store.
    pub(super) async fn load(&self, digest: ModuleDigest) -> Result<Loaded, LoadError> {
        let cell = self.cells.lock().expect("nobody panics while holding it").of(digest);
        let fetched = cell.get_or_try_init(|| async {
            let fetching = self.io.spawn(self.sources.clone().fetch(digest));
            let fetched = fetching.await;
            fetched.unwrap_or_else(|gone| Err(StoreError::Unavailable(gone.into()).into()))
        });
        fetched.await.cloned()
    }
}

impl Sources {
    async fn fetch(self, digest: ModuleDigest) -> Result<Loaded, LoadError> {
        let row = self.store.module(digest).await?.ok_or(LoadError::Missing(digest))?;
        let wants = Arc::new(Reach::read_kept(&row.manifest.capabilities));
        let (manifest, name) = (Arc::new(row.manifest), row.name);
        if let Some(module) = self.sandbox.loaded(digest) {
            return Ok(Loaded { module, manifest, name, wants });
        }
        let wasm = self.store.wasm(digest).await?.ok_or(LoadError::Missing(digest))?;
        let loaded = self.sandbox.load(digest, &wasm).await;
        let module = loaded.map_err(|source| LoadError::Unloadable { digest, source })?;
        Ok(Loaded { module, manifest, name, wants })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: usize) -> ModuleDigest {
        ModuleDigest::of(&number.to_be_bytes())
    }

    #[test]
    fn of_too_many_modules_the_one_not_asked_for_the_longest_goes() {
        let mut cells = Cells::default();
        let (first, second) = (cells.of(digest(0)), cells.of(digest(1)));
        (2..CELLS_MAX).for_each(|number| drop(cells.of(digest(number))));

        cells.of(digest(0));
        cells.of(digest(CELLS_MAX));

        assert_eq!(cells.by_digest.len(), CELLS_MAX);
        assert!(Arc::ptr_eq(&cells.of(digest(0)), &first));
        assert!(!Arc::ptr_eq(&cells.of(digest(1)), &second));
    }
}
