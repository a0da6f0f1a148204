//! Removing what has ended for long, in transactions that are short whatever there is.

use super::SqlStore;
use super::transaction::Transaction;
use crate::model::{ExecutionId, ExecutionState, HostId, Timestamp};
use crate::store::Result;
use crate::store::dialect::{Dialect, Fault};
use crate::store::row::{Reading, Row};
use crate::store::statements::{self, Statement};
use crate::store::value::{Rows, Value, values};
use crate::store::view::{EndedAt, Old, Removable, Removed};

/// Entries of journals and lines of logs that one transaction removes at most.
const REMOVED_ROWS_MAX: u64 = 10_000;
/// Where a removal begins.
const BEFORE_ALL: EndedAt = (Timestamp::from_micros(i64::MIN), ExecutionId::from_bytes([0; 16]));

impl<D: Dialect> SqlStore<D> {
    /// The execution's own row goes last, so that nobody begins another one of this id while a part of it is there.
    pub(super) async fn remove_old_executions(
        &self,
        host: HostId,
        old: &Old,
        limit: u32,
    ) -> Result<Removed> {
        let mut transaction = self.begin(host).await?;
        let (ended_at, id) = old.after.unwrap_or(BEFORE_ALL);
        let asked = values![old.state.as_str(), old.before, ended_at, id, limit];
        let rows = transaction.fetch(statements::REMOVABLE_EXECUTIONS, asked).await?;
        let found = rows.into_iter().map(Candidate::read).collect::<Result<Vec<_>>>()?;
        let is_full = u32::try_from(found.len()).is_ok_and(|count| count >= limit);
        let mut next = found.last().map(|last| last.ended_at).filter(|_| is_full);
        let (mut left, mut emptied, mut before) = (REMOVED_ROWS_MAX, Rows::default(), old.after);
        for Candidate { ended_at, is_removable } in found {
            let (_, id) = ended_at;
            if !is_removable {
                before = Some(ended_at);
                continue;
            }
            left -= transaction.execute(statements::REMOVE_JOURNAL, values![id, left]).await?;
            left -= transaction.execute(statements::REMOVE_LOGS_OF, values![id, left]).await?;
            if left == 0 {
                let now = transaction.now;
                transaction.execute(statements::MARK_REMOVED, values![id, now]).await?;
                next = Some(before.unwrap_or(BEFORE_ALL));
                break;
            }
            emptied.push(values![id]);
            before = Some(ended_at);
        }
        let count = emptied.len() as u64;
        if count == 0 && left == REMOVED_ROWS_MAX {
            transaction.leave().await?;
            return Ok(Removed { count, next });
        }
        remove_rows(&mut transaction, emptied).await?;
        transaction.commit().await?;
        Ok(Removed { count, next })
    }

    pub(super) async fn remove_old_letters(
        &self,
        host: HostId,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64> {
        self.remove(host, statements::REMOVE_DEAD_LETTERS, (before, limit)).await
    }

    pub(super) async fn remove_old_logs(
        &self,
        host: HostId,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64> {
        self.remove(host, statements::REMOVE_LOGS, (before, limit)).await
    }

    pub(super) async fn prune_kept_results(
        &self,
        host: HostId,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64> {
        self.remove(host, statements::PRUNE_RESULTS, (now, limit)).await
    }

    async fn remove(
        &self,
        host: HostId,
        statement: &'static Statement,
        (before, limit): (Timestamp, u32),
    ) -> Result<u64> {
        let mut transaction = self.begin(host).await?;
        let removed = transaction.execute(statement, values![before, limit]).await?;
        if removed > 0 {
            transaction.commit().await?;
        } else {
            transaction.leave().await?;
        }
        Ok(removed)
    }

    pub(super) async fn count_removable(
        &self,
        states: &[ExecutionState],
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Removable> {
        let mut executions = Vec::with_capacity(states.len());
        for state in states {
            let asked = values![state.as_str(), before];
            executions.push((*state, self.count(statements::COUNT_REMOVABLE, asked).await?));
        }
        Ok(Removable {
            executions,
            dead_letters: self.count(statements::COUNT_OLD_DEAD_LETTERS, values![before]).await?,
            logs: self.count(statements::COUNT_OLD_LOGS, values![before]).await?,
            results: self.count(statements::COUNT_OLD_RESULTS, values![now]).await?,
        })
    }

    async fn count(
        &self,
        statement: &'static Statement,
        values: impl Into<Vec<Value>>,
    ) -> Result<u64> {
        let rows = self.read(statement, values).await?;
        Reading::of("executions", rows.into_iter().next().unwrap_or_default()).number("count")
    }
}

/// An execution that has ended for long.
struct Candidate {
    ended_at: EndedAt,
    is_removable: bool,
}

impl Candidate {
    fn read(row: Row) -> Result<Self> {
        let mut row = Reading::of("executions", row);
        let (id, completed_at) = (row.execution("id")?, row.time("completed_at")?);
        Ok(Self { ended_at: (completed_at, id), is_removable: row.flag("removable")? })
    }
}

/// Removes executions whose journals and logs are gone, with all that is left of them.
async fn remove_rows<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    emptied: Rows,
) -> Result<(), Fault> {
    let everywhere = [
        statements::CLEAR_TASKS,
        statements::CLEAR_INBOX,
        statements::CLEAR_COUNTERS,
        statements::CLEAR_STATE,
        statements::CLEAR_DEAD_LETTERS,
        statements::REMOVE_EXECUTIONS,
    ];
    let script = everywhere.map(|statement| (statement, emptied.clone()));
    transaction.run(Vec::from(script)).await?;
    Ok(())
}

/// Whether a part of an execution is gone: then it is not revived.
pub(super) async fn is_being_removed<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    execution: ExecutionId,
) -> Result<bool, Fault> {
    let rows = transaction.fetch(statements::READ_REMOVAL, values![execution]).await?;
    let row = rows.into_iter().next().unwrap_or_default();
    Ok(Reading::of("executions", row).opt_time("removed_at")?.is_some())
}
