//! Opening the file: whose it is, whether it is one of ours, and bringing it to the schema of this binary.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use tokio::sync::Mutex;

use super::link::Writer;
use super::row_groups::RowGroups;
use super::{Sqlite, primary_code};
use crate::store::error::{BoxError, OpenError};
use crate::store::migrations::{self, MIGRATIONS, NEWEST};
use crate::store::sealing::Keyring;

/// The first bytes of every SQLite file (<https://sqlite.org/fileformat.html#the_database_header>).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// What SQLite says of a file that is none of its own.
const NOT_A_DATABASE: i32 = 26;

/// How a file is opened.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// Connections that read beside the one that writes.
    pub readers: u32,
    /// Memory for pages of the connection that writes, in KiB; each reader has an eighth of it.
    pub cache_kib: u32,
    /// How long a statement waits for another before it gives up.
    pub busy_timeout: Duration,
    /// A bound for the size of the database, in pages of 4 KiB; none leaves it to the disk.
    pub pages_max: Option<u32>,
    /// What payloads are sealed with.
    pub keys: Keyring,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            cache_kib: 16 * 1024,
            busy_timeout: Duration::from_secs(5),
            pages_max: None,
            keys: Keyring::default(),
        }
    }
}

/// The lock of the operating system that says whose the database is; it goes with the process, however that ends.
#[derive(Debug)]
pub(super) struct FileLock(#[expect(dead_code, reason = "held open, never read")] File);

impl FileLock {
    fn take(database: &Path) -> Result<Self, OpenError> {
        let path = beside(database, ".lock");
        let open = File::options().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(|error| unavailable(database, error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                Err(OpenError::Held { path: database.display().to_string() })
            }
            Err(error) => Err(unavailable(database, error)),
        }
    }
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

impl Sqlite {
    /// Opens the database at `path`, or makes one where there is none.
    pub(in crate::store) async fn open(
        path: &Path,
        options: &SqliteOptions,
    ) -> Result<Self, OpenError> {
        let lock = FileLock::take(path)?;
        check_header(path)?;
        if path.exists() {
            // With nothing but the defaults: a foreign database is looked at, not turned into one of ours.
            let connection = SqliteConnectOptions::new().filename(path).connect().await;
            let mut connection = connection.map_err(|error| refuse(path, error))?;
            let version = schema(&mut connection, path).await;
            connection.close().await.map_err(|error| refuse(path, error))?;
            version?;
        }
        let connect = connect_options(path, options, options.cache_kib);
        let mut writer = connect.connect().await.map_err(|error| refuse(path, error))?;
        migrate(&mut writer, path).await?;
        let writer = Arc::new(Mutex::new(Some(Writer::new(writer))));
        let connect =
            connect_options(path, options, options.cache_kib / 8).create_if_missing(false);
        let readers = SqlitePoolOptions::new()
            .max_connections(options.readers)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(connect.pragma("query_only", "on"))
            .await
            .map_err(|error| refuse(path, error))?;
        Ok(Self { writer, readers, groups: RowGroups::new(), _lock: lock })
    }
}

fn connect_options(path: &Path, options: &SqliteOptions, cache_kib: u32) -> SqliteConnectOptions {
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(false)
        .busy_timeout(options.busy_timeout)
        // Pages of busy journals are written again and again: the longer the log, the fewer of them are copied in vain.
        .pragma("wal_autocheckpoint", "8192")
        // A log that grew under a long read is cut back to this by the next checkpoint.
        .pragma("journal_size_limit", (64 << 20).to_string())
        .pragma("cache_size", format!("-{cache_kib}"))
        .pragma("temp_store", "memory")
        .statement_cache_capacity(512)
        .row_buffer_size(1_024)
        .disable_statement_logging();
    match options.pages_max {
        Some(pages) => connect.pragma("max_page_count", pages.to_string()),
        None => connect,
    }
}

/// A file that does not begin as SQLite's do is not even opened.
pub(super) fn check_header(path: &Path) -> Result<(), OpenError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unavailable(path, error)),
    };
    let mut header = Vec::with_capacity(MAGIC.len());
    let read = file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut header);
    read.map_err(|error| unavailable(path, error))?;
    if header.is_empty() || header == MAGIC {
        return Ok(());
    }
    Err(foreign(path, "it does not begin as SQLite databases do"))
}

/// The schema a database has: 0 for an empty one. What has tables and none of ours is foreign.
pub(super) async fn schema(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<i64, OpenError> {
    let query = sqlx::query(
        "select count(*), coalesce(sum(name = 'stepwell_schema'), 0) from sqlite_schema",
    );
    let row = query.fetch_one(&mut *connection).await.map_err(|error| refuse(path, error))?;
    let (tables, ours): (i64, i64) = (row.get(0), row.get(1));
    if tables == 0 {
        return Ok(0);
    }
    if ours == 0 {
        return Err(foreign(path, "it is the database of another program"));
    }
    let query = sqlx::query("select coalesce(max(version), 0) from stepwell_schema");
    let row = query.fetch_one(connection).await.map_err(|error| refuse(path, error))?;
    let found: i64 = row.get(0);
    if migrations::is_served(found) {
        Ok(found)
    } else {
        Err(OpenError::Newer { found, known: NEWEST })
    }
}

/// Brings the schema to this binary's, all or nothing.
async fn migrate(writer: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    let refuse = |error| refuse(path, error);
    let mut transaction = writer.begin_with("begin immediate").await.map_err(refuse)?;
    let found = schema(&mut transaction, path).await?;
    if found >= NEWEST {
        return Ok(());
    }
    let table = "create table if not exists stepwell_schema (
        version integer not null primary key,
        name text not null,
        applied_at integer not null
    ) strict";
    sqlx::raw_sql(table).execute(&mut *transaction).await.map_err(refuse)?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > found) {
        sqlx::raw_sql(migration.sqlite).execute(&mut *transaction).await.map_err(refuse)?;
        let query = sqlx::query(
            "insert into stepwell_schema values ($1, $2, cast(unixepoch('subsec') * 1000000 as integer))",
        );
        let query = query.bind(migration.version).bind(migration.name);
        query.execute(&mut *transaction).await.map_err(refuse)?;
    }
    transaction.commit().await.map_err(refuse)
}

pub(super) fn refuse(path: &Path, error: sqlx::Error) -> OpenError {
    if primary_code(&error) == Some(NOT_A_DATABASE) {
        return foreign(path, error);
    }
    unavailable(path, error)
}

fn foreign(path: &Path, source: impl Into<BoxError>) -> OpenError {
    OpenError::Foreign { path: path.display().to_string(), source: source.into() }
}

fn unavailable(path: &Path, source: impl Into<BoxError>) -> OpenError {
    OpenError::Unavailable { place: path.display().to_string(), source: source.into() }
}
