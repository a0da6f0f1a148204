//! The baseline: a bare commit.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::database::Database;
use crate::stopwatch::{Samples, time};

/// One BEGIN, one INSERT, one COMMIT, by the driver, the settings of the pool and the disk that the store has, into a table
/// that is made like the journal.
#[derive(Debug)]
pub(crate) struct Bare {
    pool: SqlitePool,
    seq: i64,
}

const TABLE: &str = "
    create table bare (
      execution_id blob not null,
      seq integer not null,
      run integer not null,
      kind integer not null,
      promise integer,
      name text,
      head blob not null,
      data blob,
      recorded_at integer not null,
      primary key (execution_id, seq)
    ) strict";

const INSERT: &str = "insert into bare values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Bytes of the columns of a row that are not `data`.
const ROW_BYTES: usize = 16 + 5 * 4 + 4 + 16;

impl Bare {
    pub(crate) async fn open(database: Database, folder: &Path) -> Result<Self> {
        match database {
            Database::Sqlite => {
                let options = SqliteConnectOptions::new()
                    .filename(folder.join("bare.db"))
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(false)
                    .pragma("wal_autocheckpoint", "8192")
                    .pragma("journal_size_limit", (64 << 20).to_string())
                    .pragma("cache_size", "-16384")
                    .pragma("temp_store", "memory")
                    .statement_cache_capacity(512)
                    .row_buffer_size(1_024);
                let pool = SqlitePoolOptions::new()
                    .max_connections(1)
                    .min_connections(1)
                    .idle_timeout(None)
                    .max_lifetime(None)
                    .test_before_acquire(false)
                    .connect_with(options)
                    .await?;
                sqlx::query(TABLE).execute(&pool).await?;
                Ok(Self { pool, seq: 0 })
            }
        }
    }

    /// Commits so often, one after the other, so many bytes each. In microseconds.
    pub(crate) async fn commits(&mut self, count: usize, bytes: usize) -> Result<Samples> {
        let mut samples = Samples::default();
        for _ in 0..count {
            samples.push_micros(self.commit(bytes).await?);
        }
        Ok(samples)
    }

    async fn commit(&mut self, bytes: usize) -> Result<Duration> {
        self.seq += 1;
        let seq = self.seq;
        let data = vec![b'x'; bytes.saturating_sub(ROW_BYTES)];
        let commit = async {
            let mut transaction = self.pool.begin_with("begin immediate").await?;
            let query = sqlx::query(INSERT).bind(vec![7_u8; 16]).bind(seq).bind(0_i64).bind(4_i64);
            let query = query.bind(seq).bind("echo").bind(vec![b'h'; 16]).bind(data).bind(seq);
            query.execute(&mut *transaction).await?;
            Ok(transaction.commit().await?)
        };
        Ok(time(commit).await?.0)
    }
}
