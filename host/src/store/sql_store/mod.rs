//! The one implementation of [`super::Store`]: what it means is here, how a database says it is in its [`Dialect`].

mod access;
mod additions;
mod arrivals;
mod births;
mod claims;
mod commit;
mod ends;
mod firing;
mod followers;
mod grants;
mod hosts;
mod letters;
mod limits;
mod listing;
mod locks;
mod modules;
mod pages;
mod places;
mod queues;
mod reading;
mod removal;
mod results;
mod revive;
mod rows;
mod schedules;
mod sorted;
mod standing;
mod stopping;
mod tasks;
mod transaction;
mod underway;
mod unreadable;
mod verbs;
mod waiting;

use std::path::Path;

use super::Result;
use super::dialect::Dialect;
use super::error::OpenError;
use super::postgres::{Postgres, PostgresOptions};
use super::sealing::{Keyring, Sealing};
use super::sqlite::{Sqlite, SqliteOptions};
use crate::model::Limits;
use underway::Underway;

/// A store in a database.
#[derive(Debug)]
pub struct SqlStore<D> {
    dialect: Sealing<D>,
    /// Signals that may lie in one inbox.
    signals_max: usize,
    /// Schedules that there may be.
    schedules_max: usize,
    /// Rows that one page of executions reads through.
    page_reads_max: u32,
    /// What its own commits still have under way.
    underway: Underway,
}

impl<D: Dialect> SqlStore<D> {
    async fn over(dialect: D, keys: &Keyring, limits: &Limits) -> Result<Self, OpenError> {
        let dialect = Sealing::of(dialect, keys);
        dialect.agree().await?;
        Ok(Self {
            dialect,
            signals_max: limits.unreceived_signals_max,
            schedules_max: limits.schedules_max,
            page_reads_max: limits.page_reads_max,
            underway: Underway::default(),
        })
    }
}

impl SqlStore<Sqlite> {
    /// Opens the file at `path`, or makes it. It is this store's alone until that is dropped.
    pub async fn open(
        path: &Path,
        options: &SqliteOptions,
        limits: &Limits,
    ) -> Result<Self, OpenError> {
        let dialect = Sqlite::open(path, options).await?;
        Self::over(dialect, &options.keys, limits).await
    }

    /// Waits until nothing is under way, and lets go of the file.
    pub async fn close(self) {
        self.dialect.into_inner().close().await;
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
        Self::over(dialect, &options.keys, limits).await
    }

    /// Brings the schema of the database at `url` up to date, without reading anything that may be sealed.
    pub async fn migrate(url: &str, options: &PostgresOptions) -> Result<(), OpenError> {
        Postgres::open(url, options).await?.close().await;
        Ok(())
    }

    /// Ends every session in good order.
    pub async fn disconnect(self) {
        self.dialect.into_inner().close().await;
    }
}
