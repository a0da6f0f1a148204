//! Postgres: one database, many hosts.
//!
//! A host has one connection for its committer, one for its lease, and a pool for everything else, so that none of these
//! waits for another. Each wait has an end, on the server's side ([`PostgresOptions`] sets it for each session) and on this
//! one: a connection that did not answer in time is dropped, since nobody knows what it still carries.

mod bind;
mod cells;
mod compose;
mod examine;
mod fault;
mod link;
mod migrate;
mod open;

use std::fmt;
use std::sync::Arc;

use sqlx::postgres::{PgArguments, PgPool};
use sqlx::query::Query;
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;

pub(super) use examine::examine;
pub use open::{Migrating, PostgresOptions};

use super::PoolUse;
use super::dialect::{Dialect, Fault, Line, Script};
use super::error::StoreError;
use super::row::Row;
use super::statements::{Statement, Takes};
use super::value::{Rows, Value};
use compose::Composer;
use link::Link;
use open::Kept;

/// A Postgres database, connected.
pub struct Postgres {
    commits: Arc<Mutex<Option<Kept>>>,
    lease: Arc<Mutex<Option<Kept>>>,
    work: PgPool,
    /// Connections on their way back to the pool.
    returns: TaskTracker,
    connect: open::Connect,
    composer: Composer,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("at", &self.connect.place()).finish_non_exhaustive()
    }
}

type Asked<'q> = Query<'q, sqlx::Postgres, PgArguments>;

fn asked(statement: &'static Statement, values: Vec<Value>) -> Result<Asked<'static>, Fault> {
    Ok(sqlx::query_with(statement.postgres, bind::values(values)?))
}

/// Runs a statement over its rows of values: once over all of them, or once for each.
async fn run_one(
    link: &mut Link,
    statement: &'static Statement,
    rows: Rows,
) -> Result<Vec<Row>, Fault> {
    match statement.takes {
        Takes::Rows => {
            let mut arguments = PgArguments::default();
            bind::columns(&mut arguments, rows)?;
            link.fetch(sqlx::query_with(statement.postgres, arguments)).await
        }
        Takes::Values => {
            let width = rows.width();
            let mut values = rows.into_values();
            let mut found = Vec::new();
            while !values.is_empty() {
                let rest = values.split_off(width);
                found.extend(link.fetch(asked(statement, values)?).await?);
                values = rest;
            }
            Ok(found)
        }
    }
}

impl Postgres {
    /// Runs statements in their order: those that can go together do.
    async fn run_all(&self, link: &mut Link, script: Script) -> Result<Vec<Vec<Row>>, Fault> {
        let mut found = vec![Vec::new(); script.len()];
        for piece in compose::pieces(script) {
            let place = piece.last_place();
            let mut parts = piece.statements;
            let Some((last, rows)) = parts.pop() else { continue };
            found[place] = if parts.is_empty() {
                run_one(link, last, rows).await?
            } else {
                let (text, arguments) = self.composer.compose(parts, (last, rows))?;
                link.fetch(compose::query(text, arguments)).await?
            };
        }
        Ok(found)
    }
}

impl Dialect for Postgres {
    type Transaction = Link;

    const ALONE: bool = false;

    fn pool(&self) -> PoolUse {
        PoolUse::of(self.work.size(), self.work.num_idle())
    }

    async fn begin(&self) -> Result<Self::Transaction, Fault> {
        self.link_in_transaction(Line::Work, link::WRITES).await
    }

    async fn begin_with(
        &self,
        line: Line,
        script: Script,
    ) -> Result<(Self::Transaction, Vec<Vec<Row>>), Fault> {
        let mut link = self.link_in_transaction(line, link::WRITES).await?;
        let found = self.run_all(&mut link, script).await?;
        Ok((link, found))
    }

    async fn write(&self, script: Script) -> Result<(), Fault> {
        let mut statements: Script =
            script.into_iter().filter(|(_, rows)| !rows.is_empty()).collect();
        let first = statements.remove(0);
        let (text, arguments) = self.composer.compose(statements, first)?;
        let mut link = self.link(Line::Commits).await?;
        link.commit_by(compose::query(text, arguments)).await.map(|_asked_nothing| ())
    }

    async fn change(
        &self,
        line: Line,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Fault> {
        let mut link = self.link(line).await?;
        link.commit_by(asked(statement, values)?).await
    }

    async fn look(&self) -> Result<Self::Transaction, Fault> {
        self.link_in_transaction(Line::Work, link::READS_ONE_MOMENT).await
    }

    async fn execute(
        &self,
        transaction: &mut Self::Transaction,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<u64, Fault> {
        transaction.execute(asked(statement, values)?).await
    }

    async fn fetch(
        &self,
        transaction: &mut Self::Transaction,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Fault> {
        transaction.fetch(asked(statement, values)?).await
    }

    async fn run(
        &self,
        transaction: &mut Self::Transaction,
        script: Script,
    ) -> Result<Vec<Vec<Row>>, Fault> {
        self.run_all(transaction, script).await
    }

    async fn read(
        &self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Fault> {
        let mut tries = link::STALE_MAX;
        loop {
            let mut link = self.link(Line::Work).await?;
            match link.fetch(asked(statement, values.clone())?).await {
                // What only reads may be asked again, and a restart of the database leaves stale connections behind.
                Err(Fault::Store(StoreError::Unavailable(_))) if link.was_stale() && tries > 0 => {
                    tries -= 1;
                }
                found => return found,
            }
        }
    }

    async fn read_moment(
        &self,
        statements: &[&'static Statement],
        values: Vec<Value>,
    ) -> Result<Vec<Vec<Row>>, Fault> {
        let mut link = self.look().await?;
        let mut found = Vec::with_capacity(statements.len());
        for statement in statements {
            let given = bind::named_by(statement.postgres, &values);
            found.push(link.fetch(asked(statement, given)?).await?);
        }
        link.commit().await?;
        Ok(found)
    }

    async fn commit(
        &self,
        mut transaction: Self::Transaction,
        script: Script,
    ) -> Result<(), Fault> {
        self.run_all(&mut transaction, script).await?;
        transaction.commit().await
    }

    async fn leave(&self, transaction: Self::Transaction) -> Result<(), Fault> {
        transaction.roll_back().await
    }

    /// Postgres tidies itself: its autovacuum does, more eagerly for the tables that need it (migration 0003).
    async fn keep(&self) -> Result<(), Fault> {
        Ok(())
    }
}
