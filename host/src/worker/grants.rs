//! What the steps of a module have of the world, kept for a moment: a grant that was changed, on whatever host, holds for the
//! next attempts without a restart.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;

use super::modules::Loaded;
use crate::model::{Clock, ModuleDigest, Reach};
use crate::sandbox::{Module, Sandbox};
use crate::store::{Store, StoreError};

/// After this long a grant is read again. Whoever begins meanwhile has what was granted before.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// Modules whose equipment is kept; beyond that all of it is made anew.
const KEPT_MAX: usize = 256;

/// Equips modules.
#[derive(Debug)]
pub(super) struct Grants {
    store: Arc<dyn Store>,
    sandbox: Sandbox,
    /// Where there is I/O: whoever asks may be on a guest's thread.
    io: Handle,
    kept: Mutex<HashMap<ModuleDigest, Kept>>,
}

#[derive(Debug)]
struct Kept {
    /// By the monotonic clock.
    read_at: Duration,
    module: Module,
}

impl Grants {
    pub(super) fn new(store: Arc<dyn Store>, sandbox: Sandbox) -> Self {
        Self { store, sandbox, io: Handle::current(), kept: Mutex::default() }
    }

    /// The module with what its steps have. One that wants nothing is as it was.
    pub(super) async fn equip(
        &self,
        loaded: &Loaded,
        clock: &dyn Clock,
    ) -> Result<Module, StoreError> {
        if loaded.wants.is_empty() {
            return Ok(loaded.module.clone());
        }
        let now = clock.monotonic();
        if let Some(module) = self.fresh(loaded.module.digest(), now) {
            return Ok(module);
        }
        let (store, sandbox, loaded) =
            (Arc::clone(&self.store), self.sandbox.clone(), loaded.clone());
        let reading = self.io.spawn(async move {
            // One component may go by several names: it has what any of them was granted.
            let (mut names, mut by_people) = (Vec::new(), Reach::default());
            for (name, grant) in store.grants_of(loaded.module.digest()).await? {
                let granted = grant.map(|grant| Reach::read_kept(&grant.granted));
                by_people = by_people.with(&granted.unwrap_or_default());
                names.push(name);
            }
            let equipment = sandbox.equip(&names, &loaded.wants, &by_people);
            Ok(loaded.module.equipped(Arc::new(equipment)))
        });
        let module: Result<Module, StoreError> =
            reading.await.unwrap_or_else(|gone| Err(StoreError::Unavailable(gone.into())));
        let module = module?;
        self.keep(now, &module);
        Ok(module)
    }

    /// What is kept, if it is fresh. One who finds it stale reads it again, and the others need not.
    fn fresh(&self, digest: ModuleDigest, now: Duration) -> Option<Module> {
        let mut kept = self.kept.lock().expect("nobody panics while holding it");
        let one = kept.get_mut(&digest)?;
        if now.saturating_sub(one.read_at) < FRESH_FOR {
            return Some(one.module.clone());
        }
        one.read_at = now;
        None
    }

    fn keep(&self, read_at: Duration, module: &Module) {
        let mut kept = self.kept.lock().expect("nobody panics while holding it");
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(module.digest(), Kept { read_at, module: module.clone() });
    }
}
