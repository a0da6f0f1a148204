//! The databases that are measured, and what the benchmark does to one behind the store's back.
//!
//! Another database is another variant: each match says what it has to bring.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use stepwell::model::{ExecutionId, Limits};
use stepwell::store::{SqlStore, SqliteOptions, Store};

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
}

impl Database {
    /// Every one that is measured.
    pub(crate) const ALL: [Self; 1] = [Self::Sqlite];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
        }
    }

    /// Opens the store in a folder of its own, as a host would.
    pub(crate) async fn open(self, folder: &Path, limits: &Limits) -> Result<Arc<dyn Store>> {
        match self {
            Self::Sqlite => {
                let path = self.path(folder);
                let store = SqlStore::open(&path, &SqliteOptions::default(), limits).await;
                Ok(Arc::new(store.with_context(|| path.display().to_string())?))
            }
        }
    }

    fn path(self, folder: &Path) -> PathBuf {
        match self {
            Self::Sqlite => folder.join("stepwell.db"),
        }
    }

    /// A way in beside the store.
    pub(crate) async fn inspect(self, folder: &Path) -> Result<Inspector> {
        match self {
            Self::Sqlite => {
                let options = SqliteConnectOptions::new()
                    .filename(self.path(folder))
                    .journal_mode(SqliteJournalMode::Wal)
                    // What the benchmark puts there itself may be lost with the machine.
                    .synchronous(SqliteSynchronous::Off)
                    .pragma("cache_size", "-262144")
                    .pragma("temp_store", "memory");
                let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
                Ok(Inspector { pool: pool? })
            }
        }
    }
}

/// Reads and writes rows past the store.
#[derive(Debug)]
pub(crate) struct Inspector {
    pool: SqlitePool,
}

impl Inspector {
    /// How many entries there are in all journals.
    pub(crate) async fn journal_entries(&self) -> Result<i64> {
        let query = sqlx::query_scalar("select count(*) from journal");
        Ok(query.fetch_one(&self.pool).await?)
    }

    /// Bytes in the columns of an execution's journal.
    pub(crate) async fn journal_bytes(&self, execution: ExecutionId) -> Result<i64> {
        let query = sqlx::query_scalar(
            "select coalesce(sum(16 + 5 * 4 + coalesce(length(name), 0) + length(head) + coalesce(length(data), 0)), 0)
             from journal where execution_id = $1",
        );
        Ok(query.bind(execution.as_bytes().to_vec()).fetch_one(&self.pool).await?)
    }

    /// Bytes of all pages of all tables and indexes but the journal, each with its name.
    pub(crate) async fn bytes_beside_journals(&self) -> Result<Vec<(String, i64)>> {
        let query = sqlx::query_as(
            "select name, sum(pgsize) from dbstat
             where name in (select name from sqlite_schema where tbl_name <> 'journal')
             group by name order by name",
        );
        Ok(query.fetch_all(&self.pool).await?)
    }

    /// Puts so many executions there that wait for nothing and have nothing to do: every second one is parked with a timer
    /// far ahead, the others have completed. They have no journals, which claims do not look at.
    pub(crate) async fn crowd(&self, count: u32) -> Result<()> {
        let insert = "
            with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < $1)
            insert into executions
              (id, run, module_digest, workflow, state, queue, priority, ready, visible_at, rank, inbox_seq, base, losses,
               lost_at_seq, journal_version, created_at, started_at, completed_at, input_hash)
            select
              cast(printf('%016d', n) as blob), 0, zeroblob(32), 'noop', iif(n % 2, 'waiting', 'completed'), 'default', 0, 0,
              iif(n % 2, 4000000000000000 + n, null), n, 0, 0, 0, 0, 1, n, n, iif(n % 2, null, n), zeroblob(16)
            from numbers";
        let mut transaction = self.pool.begin_with("begin immediate").await?;
        sqlx::query(insert).bind(count).execute(&mut *transaction).await?;
        transaction.commit().await?;
        sqlx::query("pragma wal_checkpoint(truncate)").fetch_all(&self.pool).await?;
        Ok(())
    }
}
