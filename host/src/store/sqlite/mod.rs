//! SQLite: one file, one writer, no other host.
//!
//! Everything is written through one connection in WAL mode with `synchronous = FULL`; a few others read. The lock on the file
//! beside the database is the lease: it is held as long as the store lives.

mod cells;
mod examine;
mod link;
mod message;
mod open;
mod row_groups;

use std::fmt;
use std::sync::Arc;

use futures::TryStreamExt as _;
use futures::stream::BoxStream;
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use tokio::sync::Mutex;

pub(super) use examine::examine;
pub use open::SqliteOptions;

use super::PoolUse;
use super::dialect::{Dialect, Fault, Line, Script};
use super::error::StoreError;
use super::row::Row;
use super::statements::Statement;
use super::value::Value;
use link::{Moment, Transaction, Writer};
use message::Messages;
use row_groups::RowGroups;

/// An open SQLite database.
pub struct Sqlite {
    writer: Arc<Mutex<Option<Writer>>>,
    readers: SqlitePool,
    groups: RowGroups,
    /// Held for its lock only: dropped last, so that nobody else opens the file while this one still writes.
    _lock: open::FileLock,
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").finish_non_exhaustive()
    }
}

impl Sqlite {
    /// Waits until nothing is under way and lets go of the file.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        if let Some(writer) = self.writer.lock().await.take()
            && let Err(error) = writer.close().await
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "The database was not closed in order; it is checked when it is opened next"
            );
        }
    }
}

impl Sqlite {
    fn messages<'a>(&'a self, transaction: &'a mut Transaction) -> Result<Messages<'a>, Fault> {
        Ok(Messages::new(transaction.connection().map_err(fault)?, &self.groups))
    }
}

fn arguments(values: Vec<Value>) -> Result<SqliteArguments, Fault> {
    let mut arguments = SqliteArguments::default();
    bind(&mut arguments, values)?;
    Ok(arguments)
}

fn bind(
    arguments: &mut SqliteArguments,
    values: impl IntoIterator<Item = Value>,
) -> Result<(), Fault> {
    use sqlx::Arguments;

    for value in values {
        let added = match value {
            Value::I64(number) => arguments.add(number),
            Value::Text(text) | Value::SecretText(_, text) => arguments.add(text),
            Value::Bytes(bytes) | Value::SecretBytes(_, bytes) => arguments.add(bytes),
        };
        added.map_err(Fault::Refused)?;
    }
    Ok(())
}

/// Reads rows while the driver's thread finds the next.
async fn rows(mut found: BoxStream<'_, Result<SqliteRow, sqlx::Error>>) -> Result<Vec<Row>, Fault> {
    let mut rows = Vec::new();
    while let Some(row) = found.try_next().await.map_err(fault)? {
        rows.push(cells::row(&row)?);
    }
    Ok(rows)
}

impl Dialect for Sqlite {
    type Transaction = Transaction;

    const ALONE: bool = true;

    fn pool(&self) -> PoolUse {
        PoolUse::of(self.readers.size(), self.readers.num_idle())
    }

    async fn begin(&self) -> Result<Self::Transaction, Fault> {
        Transaction::write(Arc::clone(&self.writer).lock_owned().await).await.map_err(fault)
    }

    /// There is one connection that writes, whatever the line.
    async fn begin_with(
        &self,
        _line: Line,
        script: Script,
    ) -> Result<(Self::Transaction, Vec<Vec<Row>>), Fault> {
        let turn = Arc::clone(&self.writer).lock_owned().await;
        let mut transaction = Transaction::begun(turn).await.map_err(fault)?;
        let mut messages = self.messages(&mut transaction)?;
        messages.add(link::BEGIN);
        messages.add_script(script).await?;
        let found = messages.end().await?;
        Ok((transaction, found))
    }

    async fn write(&self, script: Script) -> Result<(), Fault> {
        let turn = Arc::clone(&self.writer).lock_owned().await;
        let mut transaction = Transaction::begun(turn).await.map_err(fault)?;
        let mut messages = self.messages(&mut transaction)?;
        messages.add(link::BEGIN);
        messages.add_script(script).await?;
        messages.commit().await?;
        transaction.committed().map_err(fault)
    }

    async fn change(
        &self,
        _line: Line,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Fault> {
        let mut transaction = self.begin().await?;
        let found = self.fetch(&mut transaction, statement, values).await?;
        self.commit(transaction, Script::new()).await?;
        Ok(found)
    }

    async fn look(&self) -> Result<Self::Transaction, Fault> {
        Transaction::read(&self.readers).await.map_err(fault)
    }

    async fn execute(
        &self,
        transaction: &mut Self::Transaction,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<u64, Fault> {
        let query = sqlx::query_with(statement.sqlite, arguments(values)?);
        let done = query.execute(transaction.connection().map_err(fault)?).await.map_err(fault)?;
        Ok(done.rows_affected())
    }

    async fn fetch(
        &self,
        transaction: &mut Self::Transaction,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Fault> {
        let query = sqlx::query_with(statement.sqlite, arguments(values)?);
        rows(query.fetch(transaction.connection().map_err(fault)?)).await
    }

    async fn run(
        &self,
        transaction: &mut Self::Transaction,
        script: Script,
    ) -> Result<Vec<Vec<Row>>, Fault> {
        let mut messages = self.messages(transaction)?;
        messages.add_script(script).await?;
        messages.end().await
    }

    async fn read(
        &self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Fault> {
        let query = sqlx::query_with(statement.sqlite, arguments(values)?);
        rows(query.fetch(&self.readers)).await
    }

    async fn read_moment(
        &self,
        statements: &[&'static Statement],
        values: Vec<Value>,
    ) -> Result<Vec<Vec<Row>>, Fault> {
        let mut moment = Moment::of(self.readers.acquire().await.map_err(fault)?);
        let mut messages = Messages::new(moment.connection(), &self.groups);
        messages.add("begin");
        messages.add_sharing(statements, values)?;
        messages.add("commit");
        let found = messages.end().await?;
        moment.end();
        Ok(found)
    }

    async fn commit(
        &self,
        mut transaction: Self::Transaction,
        script: Script,
    ) -> Result<(), Fault> {
        let mut messages = self.messages(&mut transaction)?;
        messages.add_script(script).await?;
        messages.commit().await?;
        transaction.committed().map_err(fault)
    }

    /// Whoever writes next takes it back.
    async fn leave(&self, transaction: Self::Transaction) -> Result<(), Fault> {
        drop(transaction);
        Ok(())
    }

    /// Moves what is in the write-ahead log into the database and empties it. Readers are short, so it waits for none: what
    /// one of them still needs is moved next time.
    async fn keep(&self) -> Result<(), Fault> {
        let mut turn = self.writer.lock().await;
        let writer = turn.as_mut().ok_or_else(|| fault(sqlx::Error::PoolClosed))?;
        let query = sqlx::query("pragma wal_checkpoint(truncate)");
        query.fetch_all(writer.idle().await).await.map(|_moved| ()).map_err(fault)
    }
}

/// The primary result codes of SQLite (<https://sqlite.org/rescode.html>) that say something to the caller.
mod code {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const IOERR: i32 = 10;
    pub(super) const ERROR: i32 = 1;
    pub(super) const TOOBIG: i32 = 18;
    pub(super) const CONSTRAINT: i32 = 19;
    pub(super) const MISMATCH: i32 = 20;
    pub(super) const RANGE: i32 = 25;
}

/// The primary code of an error of the database itself.
fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let extended = error.as_database_error()?.code()?.parse::<i32>().ok()?;
    Some(extended & 0xff)
}

fn fault(error: sqlx::Error) -> Fault {
    match primary_code(&error) {
        Some(code::BUSY | code::LOCKED) => Fault::Busy(error.into()),
        Some(code::ERROR | code::TOOBIG | code::CONSTRAINT | code::MISMATCH | code::RANGE) => {
            Fault::Refused(error.into())
        }
        Some(_) | None => Fault::unavailable(error),
    }
}

/// A commit whose write to the disk went wrong may be found whole in the log after a crash; one whose thread is gone may have
/// ended either way.
fn commit_fault(error: sqlx::Error) -> Fault {
    match (&error, primary_code(&error)) {
        (_, Some(code::IOERR)) | (sqlx::Error::WorkerCrashed, _) => {
            StoreError::Unknown(error.into()).into()
        }
        _ => fault(error),
    }
}
