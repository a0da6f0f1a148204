//! Rows of executions: locked, read, and written back once each.

use std::collections::{BTreeMap, BTreeSet};

use super::standing::Standing;
use super::transaction::Transaction;
use crate::model::ExecutionId;
use crate::store::dialect::{Dialect, Fault};
use crate::store::error::StoreError;
use crate::store::row::Row;
use crate::store::statements;
use crate::store::value::{Rows, values};

/// Executions by id, in the order in which their rows are locked.
pub(super) type Standings = BTreeMap<ExecutionId, Standing>;

/// Locks rows in the order of their ids, and reads them.
pub(super) async fn lock<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    ids: BTreeSet<ExecutionId>,
) -> Result<Standings, Fault> {
    let rows = transaction.fetch_many(statements::LOCK_EXECUTIONS, self::ids(ids)).await?;
    Ok(read_standings(rows)?)
}

pub(super) fn ids(ids: BTreeSet<ExecutionId>) -> Rows {
    ids.into_iter().map(|id| values![id]).collect()
}

pub(super) fn read_standings(rows: impl IntoIterator<Item = Row>) -> Result<Standings, StoreError> {
    let read = |row| Standing::read(row).map(|standing| (standing.id, standing));
    rows.into_iter().map(read).collect()
}

/// Locks one row and reads it.
pub(super) async fn lock_one<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    id: ExecutionId,
) -> Result<Option<Standing>, Fault> {
    Ok(lock(transaction, BTreeSet::from([id])).await?.into_values().next())
}

/// Writes back what was changed, each row once.
pub(super) async fn write_back<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    standings: impl IntoIterator<Item = &Standing>,
) -> Result<(), Fault> {
    let rows = changed_rows(standings);
    let expected = rows.len();
    check_changes(
        expected,
        transaction.fetch_many(statements::CHANGE_EXECUTIONS, rows).await?.len(),
    )
}

pub(super) fn changed_rows<'a>(standings: impl IntoIterator<Item = &'a Standing>) -> Rows {
    standings.into_iter().filter(|row| row.changed).map(Standing::row).collect()
}

pub(super) fn check_changes(expected: usize, changed: usize) -> Result<(), Fault> {
    if changed == expected {
        return Ok(());
    }
    let source = format!("{changed} of {expected} locked rows were there to be changed");
    Err(Fault::Refused(source.into()))
}
