//! One connection in use, and the transaction on it.
//!
//! A connection is given back only when the server has answered everything that it was asked. One that was left in the
//! middle of an answer, did not answer in time or broke is dropped, and the server ends what it still did for it.

use std::time::Duration;

use futures::TryStreamExt as _;
use sqlx::Connection as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnection;
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::open::{COMMITS_REST, Kept, Plans};
use super::{Asked, Postgres, cells, fault};
use crate::store::dialect::{Fault, Line};
use crate::store::error::StoreError;
use crate::store::row::Row;

pub(super) const WRITES: &str = "begin";
pub(super) const READS_ONE_MOMENT: &str = "begin isolation level repeatable read read only";

/// As many connections in a row may turn out to be of a server that is gone, before one is at fault.
pub(super) const STALE_MAX: u32 = 16;

/// A connection in use.
#[derive(Debug)]
pub struct Link {
    held: Held,
    answer_within: Duration,
    /// Connections on their way back to the pool.
    returns: TaskTracker,
    /// Whether a transaction has begun and not ended.
    in_transaction: bool,
    /// Whether the server still owes an answer, or nobody knows what it owes.
    owed: bool,
    /// Whether it broke before anything was asked of it in vain: then asking another one costs nothing but the asking.
    was_stale: bool,
}

#[derive(Debug)]
enum Held {
    Pooled(Option<PoolConnection<sqlx::Postgres>>),
    Own(OwnedMutexGuard<Option<Kept>>),
    Fresh(PgConnection),
}

impl Postgres {
    /// A connection of that line, outside of any transaction.
    pub(super) async fn link(&self, line: Line) -> Result<Link, Fault> {
        let held = match line {
            Line::Work => {
                let pooled = self.work.acquire().await;
                Held::Pooled(Some(pooled.map_err(Fault::unavailable)?))
            }
            Line::Commits => Held::Own(self.connect.keep(&self.commits, COMMITS_REST).await?),
            // A renewal that fails is tried again; asking first would double what an idle host asks.
            Line::Lease => Held::Own(self.connect.keep(&self.lease, Duration::MAX).await?),
            Line::Fresh => {
                Held::Fresh(self.connect.bounded(Plans::Auto).await.map_err(Fault::unavailable)?)
            }
        };
        let answer_within = self.connect.answer_within();
        let returns = self.returns.clone();
        let (in_transaction, owed, was_stale) = (false, false, false);
        Ok(Link { held, answer_within, returns, in_transaction, owed, was_stale })
    }

    /// The same in a transaction. A server that was started again has left stale connections behind, which nothing was
    /// asked of yet: the next one is tried.
    pub(super) async fn link_in_transaction(
        &self,
        line: Line,
        begin: &'static str,
    ) -> Result<Link, Fault> {
        let mut tries = STALE_MAX;
        loop {
            let mut link = self.link(line).await?;
            match link.begin(begin).await {
                Err(_) if link.was_stale() && tries > 0 => tries -= 1,
                begun => return begun.map(|()| link),
            }
        }
    }
}

impl Link {
    /// Whether its connection had broken before anything was asked of it.
    pub(super) fn was_stale(&self) -> bool {
        self.was_stale
    }

    fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        let connection = match &mut self.held {
            Held::Pooled(pooled) => pooled.as_deref_mut(),
            Held::Own(own) => own.as_mut().map(|kept| &mut kept.connection),
            Held::Fresh(connection) => Some(connection),
        };
        connection.ok_or(sqlx::Error::PoolClosed)
    }

    /// Waits for an answer, but not for ever; the error is as the driver has it.
    async fn answer<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let within = self.answer_within;
        self.owed = true;
        let is_first = !self.in_transaction;
        let connection = self.connection()?;
        let answered = match timeout(within, ask(connection)).await {
            Ok(answered) => {
                let broke = |error| !fault::leaves_it_whole(error);
                self.was_stale = is_first && answered.as_ref().is_err_and(broke);
                answered
            }
            Err(_elapsed) => {
                let late = format!("no answer within {within:?}");
                Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, late)))
            }
        };
        self.owed = answered.as_ref().is_err_and(|error| !fault::leaves_it_whole(error));
        answered
    }

    async fn begin(&mut self, begin: &'static str) -> Result<(), Fault> {
        let begun = self.say(begin).await;
        self.in_transaction = begun.is_ok();
        begun.map_err(fault::of_statement)
    }

    /// Runs a statement; says what it has found.
    pub(super) async fn fetch(&mut self, asked: Asked<'static>) -> Result<Vec<Row>, Fault> {
        let found = self.answer(async |connection| collect(connection, asked).await).await;
        found.map_err(fault::of_statement)?
    }

    /// Runs a statement; says how many rows it has changed.
    pub(super) async fn execute(&mut self, asked: Asked<'static>) -> Result<u64, Fault> {
        let done = self.answer(async |connection| asked.execute(connection).await);
        Ok(done.await.map_err(fault::of_statement)?.rows_affected())
    }

    /// Runs a statement that is a transaction by itself: where the server has not answered, nobody knows whether it was made.
    pub(super) async fn commit_by(&mut self, asked: Asked<'static>) -> Result<Vec<Row>, Fault> {
        let found = self.answer(async |connection| collect(connection, asked).await).await;
        found.map_err(fault::of_commit)?
    }

    /// Makes the transaction durable.
    pub(super) async fn commit(mut self) -> Result<(), Fault> {
        let committed = self.say("commit").await;
        self.in_transaction = false;
        committed.map_err(fault::of_commit)
    }

    /// Ends the transaction as if it had never begun.
    pub(super) async fn roll_back(mut self) -> Result<(), Fault> {
        let ended = self.say("rollback").await;
        self.in_transaction = false;
        ended.map_err(|error| StoreError::Unavailable(error.into()).into())
    }

    /// Says a word of which nothing comes back but that it was heard.
    async fn say(&mut self, word: &'static str) -> Result<(), sqlx::Error> {
        let said = self.answer(async |connection| sqlx::raw_sql(word).execute(connection).await);
        said.await.map(|_done| ())
    }
}

/// All rows, read up to the server's last word on the statement: it may still refuse after the first of them.
async fn collect(
    connection: &mut PgConnection,
    asked: Asked<'static>,
) -> Result<Result<Vec<Row>, Fault>, sqlx::Error> {
    let mut rows = Vec::new();
    let mut found = asked.fetch(connection);
    while let Some(row) = found.try_next().await? {
        rows.push(cells::row(&row));
    }
    Ok(rows.into_iter().collect())
}

impl Drop for Link {
    fn drop(&mut self) {
        match &mut self.held {
            Held::Pooled(pooled) => {
                let Some(connection) = pooled.take() else { return };
                if self.owed || self.in_transaction {
                    // Out of the pool, and closed without another word: the server takes back what was not committed.
                    drop(connection.detach());
                } else {
                    give_back(connection, self.answer_within, &self.returns);
                }
            }
            // Its next user may be long in coming, and an open transaction holds locks.
            Held::Own(own) if self.owed || self.in_transaction => **own = None,
            Held::Own(_) | Held::Fresh(_) => {}
        }
    }
}

/// The pool asks a connection whether it still answers, and would wait for that as long as the network likes.
fn give_back(
    mut connection: PoolConnection<sqlx::Postgres>,
    within: Duration,
    returns: &TaskTracker,
) {
    let Ok(runtime) = Handle::try_current() else { return };
    let back = timeout(within, connection.return_to_pool());
    returns.spawn_on(async move { drop(back.await) }, &runtime);
}

/// Whether a connection that has rested still answers.
pub(super) async fn still_answers(connection: &mut PgConnection, within: Duration) -> bool {
    matches!(timeout(within, connection.ping()).await, Ok(Ok(())))
}
