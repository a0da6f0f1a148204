//! A transaction of a store, and the fence it begins with.

use super::SqlStore;
use crate::model::{HostId, Timestamp};
use crate::store::dialect::{Dialect, Fault};
use crate::store::error::StoreError;
use crate::store::row::{Reading, Row};
use crate::store::statements::{self, Statement};
use crate::store::value::{Rows, Value, values};

/// A transaction and the statements it is made of. Dropped without a commit it is rolled back.
pub(super) struct Transaction<'a, D: Dialect> {
    dialect: &'a D,
    inner: D::Transaction,
    /// The database's clock when a writer passed the fence.
    pub(super) now: Timestamp,
}

impl<D: Dialect> SqlStore<D> {
    /// Begins a transaction that writes on behalf of a host: its first statement is the fence.
    pub(super) async fn begin(&self, host: HostId) -> Result<Transaction<'_, D>, Fault> {
        let mut transaction = self.begin_unfenced().await?;
        let rows = transaction.fetch(statements::FENCE, values![host]).await?;
        let row = rows.into_iter().next().ok_or(StoreError::Fenced { host })?;
        transaction.now = Reading::of("hosts", row).time("now")?;
        Ok(transaction)
    }

    /// Only for a host that is not there yet, or that renews.
    pub(super) async fn begin_unfenced(&self) -> Result<Transaction<'_, D>, Fault> {
        let inner = self.dialect.begin().await?;
        Ok(Transaction { dialect: &self.dialect, inner, now: Timestamp::default() })
    }

    /// Begins to read one moment of the database.
    pub(super) async fn look(&self) -> Result<Transaction<'_, D>, Fault> {
        let inner = self.dialect.look().await?;
        Ok(Transaction { dialect: &self.dialect, inner, now: Timestamp::default() })
    }

    /// Reads with one statement.
    pub(super) async fn read(
        &self,
        statement: &'static Statement,
        values: impl Into<Vec<Value>>,
    ) -> Result<Vec<Row>, Fault> {
        self.dialect.read(statement, values.into()).await
    }
}

impl<D: Dialect> Transaction<'_, D> {
    /// Changes rows; says how many.
    pub(super) async fn execute(
        &mut self,
        statement: &'static Statement,
        values: impl Into<Vec<Value>>,
    ) -> Result<u64, Fault> {
        self.dialect.execute(&mut self.inner, statement, values.into()).await
    }

    /// Reads rows, or changes them and reads what came of it.
    pub(super) async fn fetch(
        &mut self,
        statement: &'static Statement,
        values: impl Into<Vec<Value>>,
    ) -> Result<Vec<Row>, Fault> {
        self.dialect.fetch(&mut self.inner, statement, values.into()).await
    }

    /// The same over many rows of values; none costs nothing.
    pub(super) async fn fetch_many(
        &mut self,
        statement: &'static Statement,
        rows: Rows,
    ) -> Result<Vec<Row>, Fault> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        self.dialect.fetch_many(&mut self.inner, statement, rows).await
    }

    /// Makes it durable.
    pub(super) async fn commit(self) -> Result<(), Fault> {
        self.dialect.commit(self.inner).await
    }
}
