//! The Postgres of the benchmark: a server of its own, as durable as one in production, with its data on the repository's disk.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use stepwell_test_servers::postgres::Postgres;

use crate::processes;

/// The one setting of a server that is changed while it is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Autovacuum {
    /// As it is by default.
    On,
    /// Where each transaction is counted.
    Off,
}

/// A running server. It ends with this.
#[derive(Debug)]
pub(crate) struct Server {
    postgres: Postgres,
    /// The process that begins all others of the server.
    postmaster: String,
    databases: AtomicU32,
}

/// The one that measures from beside those that are measured.
const BESIDE: &str = "postgres";

impl Server {
    /// Starts one with the default settings, below a folder.
    pub(crate) async fn start(folder: &Path) -> Result<Self> {
        let postgres = Postgres::below(folder).await;
        let path = postgres.folder().join("data/postmaster.pid");
        let file = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let postmaster = file.lines().next().context("postmaster.pid is empty")?.to_owned();
        Ok(Self { postgres, postmaster, databases: AtomicU32::new(0) })
    }

    /// Makes an empty database that nobody else knows; its name.
    pub(crate) async fn make_database(&self) -> String {
        let name = name(self.databases.fetch_add(1, Ordering::Relaxed));
        self.postgres.create_database(&name).await;
        name
    }

    /// Drops every database that was made, whoever is connected, so that the server does not go on tidying them.
    pub(crate) async fn drop_databases(&self) -> Result<()> {
        for number in 0..self.databases.load(Ordering::Relaxed) {
            self.tell(format!("drop database if exists {} with (force)", name(number))).await?;
        }
        Ok(())
    }

    pub(crate) fn url(&self, database: &str) -> String {
        self.postgres.url(database)
    }

    /// The time that processors have spent on all processes of the server so far.
    pub(crate) fn processor_micros(&self) -> Result<f64> {
        processes::micros_below(&self.postmaster)
    }

    /// The folder of its programs.
    pub(crate) fn programs(&self) -> Result<PathBuf> {
        let program = processes::program(&self.postmaster)?;
        Ok(program.parent().context("postgres lies in a folder")?.to_owned())
    }

    /// How many transactions have ended in a database so far, counted without taking part in it.
    pub(crate) async fn transactions(&self, database: &str) -> Result<i64> {
        let mut connection = self.connect_to(BESIDE).await?;
        let query = sqlx::query_scalar(
            "select xact_commit + xact_rollback from pg_stat_database where datname = $1",
        );
        let ended = query.bind(database).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(ended)
    }

    /// What Postgres does by itself in a database is a transaction of it too.
    pub(crate) async fn set_autovacuum(&self, wanted: Autovacuum) -> Result<()> {
        let setting = match wanted {
            Autovacuum::On => "alter system reset autovacuum",
            Autovacuum::Off => "alter system set autovacuum = off",
        };
        self.tell(setting.to_owned()).await?;
        self.tell("select pg_reload_conf()".to_owned()).await
    }

    /// A connection to one of its databases.
    pub(crate) async fn connect_to(&self, database: &str) -> Result<PgConnection> {
        let options: PgConnectOptions = self.url(database).parse()?;
        Ok(options.connect().await?)
    }

    async fn tell(&self, statement: String) -> Result<()> {
        let mut connection = self.connect_to(BESIDE).await?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }
}

fn name(number: u32) -> String {
    format!("plot_{number}")
}
