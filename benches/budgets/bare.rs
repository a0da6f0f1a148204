//! The baseline: a bare commit.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Executor as _};
use stepwell::store::PostgresOptions;

use crate::Bench;
use crate::database::Database;
use crate::pgbench;
use crate::plot::{Plot, Soil};
use crate::report::{Budget, Row};
use crate::stopwatch::{Samples, time};

/// One BEGIN, one INSERT, one COMMIT, by the driver, the settings of the connection and the disk that the store has, into a
/// table that is made like the journal.
#[derive(Debug)]
pub(crate) struct Bare {
    pool: Pool,
    seq: i64,
}

#[derive(Debug)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

const SQLITE_TABLE: &str = "
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

pub(crate) const POSTGRES_TABLE: &str = "
    create table bare (
      execution_id bytea not null,
      seq bigint not null,
      run bigint not null,
      kind smallint not null,
      promise bigint,
      name text,
      head bytea not null,
      data bytea,
      recorded_at bigint not null,
      primary key (execution_id, seq)
    )";

const INSERT: &str = "insert into bare values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Bytes of the columns of a row that are not `data`, as [`crate::inspector`] counts them.
pub(crate) const ROW_BYTES: usize = 16 + 5 * 4 + 4 + 16;

/// What is inserted where the baseline is itself the measurement, and how often in one round.
const BYTES: usize = 300;
const COMMITS: usize = 200;
/// How long `pgbench` commits.
const PGBENCH_SECONDS: u32 = 5;

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let plot = bench.ground.plot(database, "bare").await?;
    let mut bare = Bare::open(&plot).await?;
    bare.commits(COMMITS, BYTES).await?;
    let (mut commits, mut alone) = (Samples::default(), Samples::default());
    for _ in 0..bench.settings.rounds {
        commits.extend(bare.commits(COMMITS, BYTES).await?);
        alone.extend(bare.inserts(COMMITS, BYTES).await?);
    }
    let baseline = commits.median();
    let mut rows = vec![
        Row::of("bare commit", &commits, "us")
            .within(Budget::Known)
            .note(format!("BEGIN, one INSERT of {BYTES} bytes, COMMIT: the baseline")),
        Row::of("bare insert, a transaction by itself", &alone, "us")
            .beside(baseline)
            .within(Budget::Known)
            .note("one statement without BEGIN, as the store's commonest commit on Postgres is"),
    ];
    if let Soil::Server(server, _) = plot.soil() {
        let watched = pgbench::commits(server, plot.folder(), BYTES, PGBENCH_SECONDS).await?;
        rows.push(
            Row::of("bare commit by pgbench", &watched, "us")
                .beside(baseline)
                .within(Budget::Known)
                .note(format!(
                    "the same three statements by `pgbench -n -M prepared -c 1 -T {PGBENCH_SECONDS}`, its average; the baseline is the driver's"
                )),
        );
    }
    Ok(rows.into_iter().map(|row| row.on(database.name())).collect())
}

impl Bare {
    /// Has a database of its own, beside that of the plot.
    pub(crate) async fn open(plot: &Plot) -> Result<Self> {
        let pool = match plot.soil() {
            Soil::Folder => Pool::Sqlite(sqlite(plot.folder()).await?),
            Soil::Server(server, _) => {
                Pool::Postgres(postgres(&server.url(&server.make_database().await)).await?)
            }
        };
        Ok(Self { pool, seq: 0 })
    }

    /// Commits so often, one after the other, so many bytes each. In microseconds.
    pub(crate) async fn commits(&mut self, count: usize, bytes: usize) -> Result<Samples> {
        let mut samples = Samples::default();
        for _ in 0..count {
            samples.push_micros(self.commit(bytes).await?);
        }
        Ok(samples)
    }

    /// The same by one statement each.
    async fn inserts(&mut self, count: usize, bytes: usize) -> Result<Samples> {
        let mut samples = Samples::default();
        for _ in 0..count {
            samples.push_micros(self.insert(bytes).await?);
        }
        Ok(samples)
    }

    async fn commit(&mut self, bytes: usize) -> Result<Duration> {
        let row = self.next_row(bytes);
        let commit = async {
            match &self.pool {
                Pool::Sqlite(pool) => {
                    let mut transaction = pool.begin_with("begin immediate").await?;
                    row.insert().execute(&mut *transaction).await?;
                    transaction.commit().await?;
                }
                Pool::Postgres(pool) => {
                    let mut transaction = pool.begin().await?;
                    row.insert().execute(&mut *transaction).await?;
                    transaction.commit().await?;
                }
            }
            Ok(())
        };
        Ok(time(commit).await?.0)
    }

    async fn insert(&mut self, bytes: usize) -> Result<Duration> {
        let row = self.next_row(bytes);
        let insert = async {
            match &self.pool {
                Pool::Sqlite(pool) => row.insert().execute(pool).await.map(|_done| ())?,
                Pool::Postgres(pool) => row.insert().execute(pool).await.map(|_done| ())?,
            }
            Ok(())
        };
        Ok(time(insert).await?.0)
    }

    fn next_row(&mut self, bytes: usize) -> BareRow {
        self.seq += 1;
        BareRow { seq: self.seq, data: vec![b'x'; bytes.saturating_sub(ROW_BYTES)] }
    }
}

struct BareRow {
    seq: i64,
    data: Vec<u8>,
}

impl BareRow {
    fn insert<'q, D>(self) -> sqlx::query::Query<'q, D, D::Arguments>
    where
        D: sqlx::Database,
        i64: sqlx::Encode<'q, D> + sqlx::Type<D>,
        i16: sqlx::Encode<'q, D> + sqlx::Type<D>,
        &'q str: sqlx::Encode<'q, D> + sqlx::Type<D>,
        Vec<u8>: sqlx::Encode<'q, D> + sqlx::Type<D>,
    {
        let Self { seq, data } = self;
        let query = sqlx::query(INSERT).bind(vec![7_u8; 16]).bind(seq).bind(0_i64).bind(4_i16);
        query.bind(seq).bind("echo").bind(vec![b'h'; 16]).bind(data).bind(seq)
    }
}

async fn sqlite(folder: &Path) -> Result<SqlitePool> {
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
    sqlx::query(SQLITE_TABLE).execute(&pool).await?;
    Ok(pool)
}

async fn postgres(url: &str) -> Result<PgPool> {
    let to: PgConnectOptions = url.parse()?;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(|connection, _of_the_pool| {
            Box::pin(async move {
                let millis = |span: Duration| span.as_millis().to_string();
                let options = PostgresOptions::default();
                // The store's own: a session with time-outs pays for them at each statement.
                let bounds =
                    sqlx::query(include_str!("../../host/src/store/postgres/bound_session.sql"))
                        .bind(millis(options.statement_within))
                        .bind(millis(options.lock_within))
                        .bind(millis(options.idle_within))
                        .bind("force_generic_plan");
                connection.execute(bounds).await.map(|_set| ())
            })
        })
        .connect_with(to.statement_cache_capacity(512).disable_statement_logging())
        .await?;
    sqlx::query(POSTGRES_TABLE).execute(&pool).await?;
    Ok(pool)
}
