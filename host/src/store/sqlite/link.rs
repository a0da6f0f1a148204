//! Transactions, begun and ended by statements of our own.
//!
//! SQLite ends a transaction by itself when the disk is full or cannot be read. The driver's own transactions do not notice:
//! they count one too many from then on, and the connection never writes again. So nothing is counted here: whoever begins
//! next takes back what the one before has left open.

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{Connection as _, Sqlite as Driver};
use tokio::sync::OwnedMutexGuard;

/// The one connection that writes.
#[derive(Debug)]
pub struct Writer {
    connection: SqliteConnection,
    /// Whether the last transaction was begun and not committed.
    left_open: bool,
}

impl Writer {
    pub(super) fn new(connection: SqliteConnection) -> Self {
        Self { connection, left_open: false }
    }

    /// The connection, outside of any transaction.
    pub(super) async fn idle(&mut self) -> &mut SqliteConnection {
        if self.left_open {
            // It fails where SQLite has rolled back already, which is as well.
            let _rolled_back = sqlx::query("rollback").execute(&mut self.connection).await;
            self.left_open = false;
        }
        &mut self.connection
    }

    pub(super) async fn close(mut self) -> Result<(), sqlx::Error> {
        self.idle().await;
        self.connection.close().await
    }
}

/// The writer's turn, given in the order of asking. Empty once the database is closed.
pub(super) type Turn = OwnedMutexGuard<Option<Writer>>;

/// A transaction that writes, or one that reads one moment.
#[derive(Debug)]
pub enum Transaction {
    /// Dropped before its commit it is taken back by the next one.
    Write(Turn),
    /// Dropped before its end it takes its connection with it.
    Read(Moment),
}

/// A reader's transaction.
#[derive(Debug)]
pub struct Moment {
    connection: PoolConnection<Driver>,
    ended: bool,
}

impl Moment {
    /// Whoever is given it begins the transaction, and ends it.
    pub(super) fn of(connection: PoolConnection<Driver>) -> Self {
        Self { connection, ended: false }
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Its transaction has ended: the connection may be used again.
    pub(super) fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for Moment {
    fn drop(&mut self) {
        if !self.ended {
            self.connection.close_on_drop();
        }
    }
}

fn open(turn: &mut Turn) -> Result<&mut Writer, sqlx::Error> {
    turn.as_mut().ok_or(sqlx::Error::PoolClosed)
}

pub(super) const BEGIN: &str = "begin immediate";

impl Transaction {
    pub(super) async fn write(turn: Turn) -> Result<Self, sqlx::Error> {
        let mut transaction = Self::begun(turn).await?;
        sqlx::query(BEGIN).execute(transaction.connection()?).await?;
        Ok(transaction)
    }

    /// A transaction whose [`BEGIN`] is sent by the caller.
    pub(super) async fn begun(mut turn: Turn) -> Result<Self, sqlx::Error> {
        let writer = open(&mut turn)?;
        writer.idle().await;
        // Said before it is sent: what nobody waits for any more may still take place.
        writer.left_open = true;
        Ok(Self::Write(turn))
    }

    pub(super) async fn read(readers: &SqlitePool) -> Result<Self, sqlx::Error> {
        let mut moment = Moment::of(readers.acquire().await?);
        sqlx::query("begin").execute(&mut *moment.connection).await?;
        Ok(Self::Read(moment))
    }

    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        match self {
            Self::Write(turn) => open(turn).map(|writer| &mut writer.connection),
            Self::Read(moment) => Ok(&mut moment.connection),
        }
    }

    /// Its commit was sent by the caller, and answered.
    pub(super) fn committed(mut self) -> Result<(), sqlx::Error> {
        match &mut self {
            Self::Write(turn) => open(turn)?.left_open = false,
            Self::Read(moment) => moment.ended = true,
        }
        Ok(())
    }
}
