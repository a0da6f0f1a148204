//! A plot: where one measurement has its database, and nothing else has.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use stepwell::model::Limits;
use stepwell::store::{PostgresOptions, SqlStore, SqliteOptions, Store};

use crate::database::Database;
use crate::inspector::Inspector;
use crate::processes::processor_micros;
use crate::server::Server;

/// An empty folder, and an empty database in it or on the server.
#[derive(Debug, Clone)]
pub(crate) struct Plot {
    folder: PathBuf,
    soil: Soil,
}

/// What holds the database.
#[derive(Debug, Clone)]
pub(crate) enum Soil {
    /// The folder does.
    Folder,
    /// A database of that name on the server.
    Server(Arc<Server>, String),
}

impl Plot {
    pub(crate) fn new(folder: PathBuf, soil: Soil) -> Self {
        Self { folder, soil }
    }

    pub(crate) fn database(&self) -> Database {
        match &self.soil {
            Soil::Folder => Database::Sqlite,
            Soil::Server(..) => Database::Postgres,
        }
    }

    pub(crate) fn soil(&self) -> &Soil {
        &self.soil
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where hosts find the database, if not in their folder.
    pub(crate) fn url(&self) -> Option<String> {
        match &self.soil {
            Soil::Folder => None,
            Soil::Server(server, name) => Some(server.url(name)),
        }
    }

    /// Opens the store as a host would.
    pub(crate) async fn open(&self, limits: &Limits) -> Result<Arc<dyn Store>> {
        match &self.soil {
            Soil::Folder => {
                let path = self.file();
                let store = SqlStore::open(&path, &SqliteOptions::default(), limits).await;
                Ok(Arc::new(store.with_context(|| path.display().to_string())?))
            }
            Soil::Server(server, name) => {
                let options = PostgresOptions::for_lease(limits.lease);
                let store = SqlStore::connect(&server.url(name), &options, limits).await;
                Ok(Arc::new(store.with_context(|| name.clone())?))
            }
        }
    }

    /// A way in beside the store.
    pub(crate) async fn inspect(&self) -> Result<Inspector> {
        match &self.soil {
            Soil::Folder => {
                let options = SqliteConnectOptions::new()
                    .filename(self.file())
                    .journal_mode(SqliteJournalMode::Wal)
                    // What the benchmark puts there itself may be lost with the machine.
                    .synchronous(SqliteSynchronous::Off)
                    .pragma("cache_size", "-262144")
                    .pragma("temp_store", "memory");
                let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
                Ok(Inspector::Sqlite(pool?))
            }
            Soil::Server(server, name) => {
                let pool = PgPoolOptions::new().max_connections(1).connect(&server.url(name)).await;
                Ok(Inspector::Postgres(pool?))
            }
        }
    }

    /// The time that processors have spent on this process and on its database, in microseconds.
    pub(crate) fn processor_micros(&self) -> Result<f64> {
        let own = processor_micros()?;
        match &self.soil {
            Soil::Folder => Ok(own),
            Soil::Server(server, _) => Ok(own + server.processor_micros()?),
        }
    }

    /// What that adds up.
    pub(crate) fn processor_note(&self) -> &'static str {
        match &self.soil {
            Soil::Folder => "all threads of the host, the database's included",
            Soil::Server(..) => {
                "all threads of the host, and the database's processes: by /proc, the postmaster with those it has waited for, and each that it has begun and that runs"
            }
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("stepwell.db")
    }
}
