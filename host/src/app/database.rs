//! Which database a host works on, and opening it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::config::{Config, MigrateFlags};
use crate::model::{Ids, Lease, Limits};
use crate::store::{
    Migrating, NEWEST, PostgresOptions, SqlStore, SqliteOptions, Step, Store, all_pending,
    examine_file, examine_postgres,
};

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
    make_folder(data).await.with_context(|| {
        format!("the folder {} cannot be made; give another --data", data.display())
    })?;
    let session = session(ids);
    let keys = config.keys.clone().context("STEPWELL_ENCRYPTION_KEYS cannot be read")?;
    let Some(url) = &config.database else {
        let options = SqliteOptions { keys, ..SqliteOptions::default() };
        let store = SqlStore::open(&file(data), &options, &config.limits).await?;
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

/// Makes the data folder where there is none, for this user alone: whoever reads what lies in it needs no key.
async fn make_folder(data: &Path) -> io::Result<()> {
    if let Some(parent) = data.parent() {
        tokio::fs::create_dir_all(parent).await?;
    }
    match tokio::fs::DirBuilder::new().mode(0o700).create(data).await {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && data.is_dir() => Ok(()),
        made => made,
    }
}

/// Where the database lies that is a file.
pub(super) fn file(data: &Path) -> PathBuf {
    data.join("stepwell.db")
}

/// What there is to say of the migrations of a database.
#[derive(Debug)]
pub struct Migrated {
    /// For whoever asked.
    pub text: String,
    /// Whether any is still to be done.
    pub pending: bool,
}

/// Brings the schema of a database up to date, or only says which migrations it has.
pub async fn migrate(flags: &MigrateFlags) -> Result<Migrated> {
    let limits = Limits::for_cores(1);
    if flags.status {
        let steps = steps(flags).await?;
        let pending = steps.iter().any(|step| step.applied_at.is_none());
        return Ok(Migrated { text: listed(&steps, flags)?, pending });
    }
    if let Some(url) = &flags.database {
        let options = PostgresOptions { migrating: Migrating::Auto, ..PostgresOptions::default() };
        SqlStore::migrate(url, &options).await?;
    } else {
        let path = file(&flags.data);
        if !path.exists() {
            let path = path.display();
            bail!(
                "{path} is not there: a host makes it when it starts; give another --data, or --database"
            );
        }
        SqlStore::open(&path, &SqliteOptions::default(), &limits).await?.close().await;
    }
    let text = format!("the schema is up to date: version {NEWEST}");
    Ok(Migrated { text, pending: false })
}

async fn steps(flags: &MigrateFlags) -> Result<Vec<Step>> {
    Ok(match &flags.database {
        Some(url) => examine_postgres(url).await?.steps,
        None => examine_file(&file(&flags.data)).await?.map_or_else(all_pending, |seen| seen.steps),
    })
}

fn listed(steps: &[Step], flags: &MigrateFlags) -> Result<String> {
    if flags.json {
        let step = |step: &Step| {
            let Step { version, name, applied_at } = step;
            json!({ "version": version, "name": name, "applied_at": applied_at })
        };
        let steps: Vec<_> = steps.iter().map(step).collect();
        return Ok(serde_json::to_string_pretty(&json!({ "migrations": steps }))?);
    }
    let line = |step: &Step| match step.applied_at {
        Some(at) => format!("applied  {}  {at}", step.name),
        None => format!("pending  {}", step.name),
    };
    Ok(steps.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// A name that no other process has.
fn session(ids: &dyn Ids) -> String {
    let id = ids.host().to_string();
    format!("stepwell {id}")
}
