//! What a database is asked to do. What differs between two of them is here and in pairs of statement files, nowhere else.

use std::fmt::Debug;

use super::PoolUse;
use super::error::{BoxError, StoreError};
use super::row::Row;
use super::statements::Statement;
use super::value::{Rows, Value};

/// A database, as the one implementation of the store uses it.
pub trait Dialect: Debug + Send + Sync + 'static {
    /// One transaction. Dropped without a commit it is rolled back.
    type Transaction: Send;

    /// Whether the one who has opened it is its only host, so that every earlier incarnation is dead.
    const ALONE: bool;

    /// How much of its pool is in use at the moment.
    fn pool(&self) -> PoolUse;

    /// Begins a transaction that may write.
    fn begin(&self) -> impl Future<Output = Result<Self::Transaction, Fault>> + Send;

    /// Begins a transaction that may write with its first statements, in as few round trips as the database allows.
    fn begin_with(
        &self,
        line: Line,
        script: Script,
    ) -> impl Future<Output = Result<(Self::Transaction, Vec<Vec<Row>>), Fault>> + Send;

    /// A whole transaction of the committer, of which nothing is asked but that it succeeds, in as few round trips as the
    /// database allows. Its statements write to different tables, but for the first, which only reads.
    fn write(&self, script: Script) -> impl Future<Output = Result<(), Fault>> + Send;

    /// One statement that is a transaction by itself.
    fn change(
        &self,
        line: Line,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Row>, Fault>> + Send;

    /// Begins a transaction that reads one moment of the database.
    fn look(&self) -> impl Future<Output = Result<Self::Transaction, Fault>> + Send;

    /// Runs a statement that changes rows and says how many.
    fn execute(
        &self,
        transaction: &mut Self::Transaction,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<u64, Fault>> + Send;

    /// Runs a statement that gives rows back.
    fn fetch(
        &self,
        transaction: &mut Self::Transaction,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Row>, Fault>> + Send;

    /// Runs statements one after the other, in as few round trips as the database allows; says what each has found.
    fn run(
        &self,
        transaction: &mut Self::Transaction,
        script: Script,
    ) -> impl Future<Output = Result<Vec<Vec<Row>>, Fault>> + Send;

    /// Reads one statement outside of any transaction.
    fn read(
        &self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Row>, Fault>> + Send;

    /// Reads what several statements find at one moment. All are given the same values; each takes those that it names.
    fn read_moment(
        &self,
        statements: &[&'static Statement],
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Vec<Row>>, Fault>> + Send;

    /// Runs the last statements of a transaction, of which nothing is asked but that they succeed, and makes it durable.
    fn commit(
        &self,
        transaction: Self::Transaction,
        script: Script,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Ends a transaction without a commit. Dropping it does the same, and may cost its connection.
    fn leave(
        &self,
        transaction: Self::Transaction,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// What has to be done to the database now and then, so that it stays short and quick.
    fn keep(&self) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Whose connection a transaction goes over, where a database has several: none of these may wait for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// The one of the committer.
    Commits,
    /// The one of the lease.
    Lease,
    /// One that nothing was ever asked of.
    Fresh,
    /// Those of everybody else.
    Work,
}

/// Statements that follow one another, each over its rows of values; over no rows it is left out.
pub(super) type Script = Vec<(&'static Statement, Rows)>;

/// Why a statement or a commit did not come about.
#[derive(Debug)]
pub enum Fault {
    /// It has a name already.
    Store(StoreError),
    /// A deadlock, a failed serialisation, a lock held for too long: the same again may succeed.
    Busy(BoxError),
    /// A key that exists, a value out of range: the same again fails again.
    Refused(BoxError),
}

impl Fault {
    pub(super) fn unavailable(source: impl Into<BoxError>) -> Self {
        Self::Store(StoreError::Unavailable(source.into()))
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(error) => error,
            Fault::Busy(source) | Fault::Refused(source) => Self::Unavailable(source),
        }
    }
}
