//! A transaction of a store, and the fence it begins with.

use super::SqlStore;
use super::underway::Passage;
use crate::model::{HostId, Timestamp};
use crate::store::dialect::{Dialect, Fault, Line, Script};
use crate::store::error::StoreError;
use crate::store::row::{Reading, Row};
use crate::store::statements::{self, Statement};
use crate::store::value::{Rows, Value, values};

/// A transaction and the statements it is made of. Dropped without a commit it is rolled back.
pub(super) struct Transaction<'a, D: Dialect> {
    store: &'a SqlStore<D>,
    inner: D::Transaction,
    _passage: Option<Passage>,
    /// In whose name it writes; none only reads, or registers.
    pub(super) host: Option<HostId>,
    /// The database's clock when a writer passed the fence.
    pub(super) now: Timestamp,
}

impl<D: Dialect> SqlStore<D> {
    /// Begins a transaction that writes on behalf of a host: its first statement is the fence.
    pub(super) async fn begin(&self, host: HostId) -> Result<Transaction<'_, D>, Fault> {
        Ok(self.begin_with(Line::Work, host, Vec::new()).await?.0)
    }

    /// The same with the statements that follow the fence; says what each has found.
    pub(super) async fn begin_with(
        &self,
        line: Line,
        host: HostId,
        script: Script,
    ) -> Result<(Transaction<'_, D>, Vec<Vec<Row>>), Fault> {
        let passage = Some(self.underway.enter().await);
        self.begin_past_gate(line, host, (script, passage)).await
    }

    /// The same for whoever has gone through the gate, or keeps all others from it.
    pub(super) async fn begin_past_gate(
        &self,
        line: Line,
        host: HostId,
        (script, passage): (Script, Option<Passage>),
    ) -> Result<(Transaction<'_, D>, Vec<Vec<Row>>), Fault> {
        let fence = (statements::FENCE, Rows::from_iter([values![host]]));
        let script = std::iter::once(fence).chain(script).collect();
        let (inner, found) = self.dialect.begin_with(line, script).await?;
        let mut found = found.into_iter();
        let row = found.next().into_iter().flatten().next().ok_or(StoreError::Fenced { host })?;
        let now = Reading::of("hosts", row).time("now")?;
        let transaction =
            Transaction { store: self, inner, _passage: passage, host: Some(host), now };
        Ok((transaction, found.collect()))
    }

    /// Only for a host that is not there yet.
    pub(super) async fn begin_unfenced(&self) -> Result<Transaction<'_, D>, Fault> {
        let inner = self.dialect.begin().await?;
        Ok(self.unfenced(inner))
    }

    fn unfenced(&self, inner: D::Transaction) -> Transaction<'_, D> {
        let now = Timestamp::default();
        Transaction { store: self, inner, _passage: None, host: None, now }
    }

    /// Begins to read one moment of the database.
    pub(super) async fn look(&self) -> Result<Transaction<'_, D>, Fault> {
        let inner = self.dialect.look().await?;
        Ok(self.unfenced(inner))
    }

    /// Reads what several statements find at one moment, each given those of the values that it names.
    pub(super) async fn read_moment<const N: usize>(
        &self,
        statements: [&'static Statement; N],
        values: impl Into<Vec<Value>>,
    ) -> Result<[Vec<Row>; N], Fault> {
        let found = self.dialect.read_moment(&statements, values.into()).await?;
        let mut found = found.into_iter();
        Ok(std::array::from_fn(|_| found.next().unwrap_or_default()))
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
        self.store.dialect.execute(&mut self.inner, statement, values.into()).await
    }

    /// Reads rows, or changes them and reads what came of it.
    pub(super) async fn fetch(
        &mut self,
        statement: &'static Statement,
        values: impl Into<Vec<Value>>,
    ) -> Result<Vec<Row>, Fault> {
        self.store.dialect.fetch(&mut self.inner, statement, values.into()).await
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
        let found = self.run(vec![(statement, rows)]).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Runs statements one after the other; says what each has found.
    pub(super) async fn run(&mut self, script: Script) -> Result<Vec<Vec<Row>>, Fault> {
        self.store.dialect.run(&mut self.inner, script).await
    }

    /// Makes it durable.
    pub(super) async fn commit(self) -> Result<(), Fault> {
        self.commit_with(Vec::new()).await
    }

    /// Runs the last statements, of which nothing is asked but that they succeed, and makes it durable.
    pub(super) async fn commit_with(self, script: Script) -> Result<(), Fault> {
        let Self { store, inner, _passage: passage, host, .. } = self;
        let committed = store.dialect.commit(inner, script).await;
        drop(passage);
        match host {
            Some(host) => store.settled(host, committed).await,
            None => committed,
        }
    }

    /// Ends it as if it had never begun.
    pub(super) async fn leave(self) -> Result<(), Fault> {
        self.store.dialect.leave(self.inner).await
    }
}
