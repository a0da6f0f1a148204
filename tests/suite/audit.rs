//! The ledger of a host that is gone, from the folder that it leaves.

use std::path::Path;
use std::sync::Arc;

use stepwell::model::Limits;
use stepwell::store::{SqlStore, SqliteOptions, Store};

use crate::ledger::{Faults, Ledger};
use crate::test_host::{artefacts, database};

/// Holds everything in the folder to the ledger.
pub(crate) async fn audit(folder: &Path, limits: &Limits, accepted: &[String], faults: Faults) {
    let store = SqlStore::open(&database(folder), &SqliteOptions::default(), limits).await.unwrap();
    let store = Arc::new(store);
    let compiler = env!("CARGO_BIN_EXE_stepwell").as_ref();
    let seen: Arc<dyn Store> = Arc::<SqlStore<_>>::clone(&store);
    Ledger::open(seen, &artefacts(folder), compiler, limits).audit(accepted, faults).await;
    Arc::into_inner(store).expect("the ledger is closed").close().await;
}
