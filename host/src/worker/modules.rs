//! Modules that this host has at hand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use crate::model::{Manifest, ModuleDigest};
use crate::sandbox::{Module, Sandbox, SandboxError};
use crate::store::{Store, StoreError};

/// A module that can run, and what it declares.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub(super) module: Module,
    pub(super) manifest: Arc<Manifest>,
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

/// Loads each module once.
#[derive(Debug)]
pub(super) struct Modules {
    sources: Sources,
    /// Where there is I/O: whoever asks may be on a guest's thread.
    io: Handle,
    cells: Mutex<HashMap<ModuleDigest, Cell>>,
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
        let cell = {
            let mut cells = self.cells.lock().expect("nobody panics while holding it");
            Arc::clone(cells.entry(digest).or_default())
        };
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
        let manifest = Arc::new(row.manifest);
        if let Some(module) = self.sandbox.loaded(digest) {
            return Ok(Loaded { module, manifest });
        }
        let wasm = self.store.wasm(digest).await?.ok_or(LoadError::Missing(digest))?;
        let loaded = self.sandbox.load(digest, &wasm).await;
        let module = loaded.map_err(|source| LoadError::Unloadable { digest, source })?;
        Ok(Loaded { module, manifest })
    }
}
