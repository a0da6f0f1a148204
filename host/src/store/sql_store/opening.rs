//! The beginning and the end of a store, on each database.

use std::path::Path;

use super::SqlStore;
use crate::model::Limits;
use crate::store::error::OpenError;
use crate::store::postgres::{Postgres, PostgresOptions};
use crate::store::sqlite::{Sqlite, SqliteOptions};

impl SqlStore<Sqlite> {
    /// Opens the file at `path`, or makes it. It is this store's alone until that is dropped.
    pub async fn open(
        path: &Path,
        options: &SqliteOptions,
        limits: &Limits,
    ) -> Result<Self, OpenError> {
        let dialect = Sqlite::open(path, options).await?;
        Ok(Self::over(dialect, limits))
    }

    /// Waits until nothing is under way, and lets go of the file.
    pub async fn close(self) {
        self.dialect.close().await;
    }
}

impl SqlStore<Postgres> {
    /// Connects to the database at `url` (`postgres://...`), and brings its schema up to date where it may.
    pub async fn connect(
        url: &str,
        options: &PostgresOptions,
        limits: &Limits,
    ) -> Result<Self, OpenError> {
        let dialect = Postgres::open(url, options).await?;
        Ok(Self::over(dialect, limits))
    }

    /// Ends every session in good order.
    pub async fn disconnect(self) {
        self.dialect.close().await;
    }
}
