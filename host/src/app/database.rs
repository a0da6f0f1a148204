//! Which database a host works on, and opening it.

use std::sync::Arc;

use anyhow::{Context, Result};

use crate::config::Config;
use crate::model::{Ids, Lease};
use crate::store::{Migrating, NEWEST, PostgresOptions, SqlStore, SqliteOptions, Store};

/// An open database, and what a host is in it.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) store: Arc<dyn Store>,
    /// None where the database is this host's alone.
    pub(super) lease: Option<Lease>,
    /// What the connections of this process are called.
    pub(super) session: String,
}

/// Opens the database that is configured: a Postgres that others share, or a file in the data folder.
pub(super) async fn open(config: &Config, ids: &dyn Ids) -> Result<Opened> {
    let data = &config.data;
    tokio::fs::create_dir_all(data).await.with_context(|| {
        format!("the folder {} cannot be made; give another --data", data.display())
    })?;
    let session = session(ids);
    let keys = config.keys.clone().context("STEPWELL_ENCRYPTION_KEYS cannot be read")?;
    let Some(url) = &config.database else {
        let path = data.join("stepwell.db");
        let options = SqliteOptions { keys, ..SqliteOptions::default() };
        let store = SqlStore::open(&path, &options, &config.limits).await?;
        return Ok(Opened { store: Arc::new(store), lease: None, session });
    };
    let lease = config.limits.lease;
    let options = PostgresOptions {
        connections_max: config.database_connections,
        migrating: config.migrating,
        session_name: session.clone(),
        keys,
        ..PostgresOptions::for_lease(lease)
    };
    let store = SqlStore::connect(url, &options, &config.limits).await?;
    Ok(Opened { store: Arc::new(store), lease: Some(lease), session })
}

/// Brings the schema of a Postgres up to date. Says which it has now.
pub async fn migrate(url: &str) -> Result<String> {
    let options = PostgresOptions { migrating: Migrating::Auto, ..PostgresOptions::default() };
    SqlStore::migrate(url, &options).await?;
    Ok(format!("the schema is up to date: version {NEWEST}"))
}

/// A name that no other process has.
fn session(ids: &dyn Ids) -> String {
    let id = ids.host().to_string();
    format!("stepwell {id}")
}
