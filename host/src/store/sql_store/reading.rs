//! Executions as people see them.

use super::SqlStore;
use super::rows;
use crate::journal::{Body, Ended};
use crate::model::{ExecutionId, ExecutionState, Name, Timestamp};
use crate::store::Result;
use crate::store::dialect::Dialect;
use crate::store::error::StoreError;
use crate::store::row::{Reading, Row};
use crate::store::statements;
use crate::store::value::values;
use crate::store::view::{Change, Counts, ExecutionView};

/// Children, counters and keys that one view shows.
const VIEW_ROWS_MAX: u32 = 100;
/// Queues that the counts name.
const QUEUES_MAX: u32 = 1_000;

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn view_execution(&self, id: ExecutionId) -> Result<Option<ExecutionView>> {
        let asked = [
            statements::READ_EXECUTION,
            statements::READ_COUNTERS,
            statements::READ_STATE,
            statements::LIST_CHILDREN,
            statements::COUNT_TASKS_OF,
        ];
        let found = self.read_moment(asked, values![id, VIEW_ROWS_MAX]).await?;
        let [rows, counters, state, children, tasks] = found;
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        let full = rows::execution(row)?;
        let children = children.into_iter();
        let children = children.map(|row| Reading::of("executions", row).execution("id"));
        Ok(Some(ExecutionView {
            row: full.row,
            owner: full.owner,
            visible_at: full.visible_at,
            counters: counters.into_iter().map(counter).collect::<Result<_>>()?,
            custom_state: state.into_iter().map(custom_state).collect::<Result<_>>()?,
            children: children.collect::<Result<_>>()?,
            tasks: count("tasks", tasks)?,
        }))
    }

    pub(super) async fn read_progress(&self, id: ExecutionId) -> Result<Option<ExecutionState>> {
        let rows = self.read(statements::READ_PROGRESS, values![id]).await?;
        let row = rows.into_iter().next();
        row.map(|row| Reading::of("executions", row).word("state")).transpose()
    }

    pub(super) async fn read_result(&self, id: ExecutionId) -> Result<Option<Ended>> {
        let rows = self.read(statements::READ_RESULT, values![id]).await?;
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        let last = rows::entry(id, row)?;
        let Body::Ended(ended) = last.body else {
            let source = "the journal of an execution that has ended does not end".into();
            let row = format!("{id}/{}", last.seq);
            return Err(StoreError::Corrupt { table: "journal", column: "kind", row, source });
        };
        Ok(Some(ended))
    }

    pub(super) async fn list_changes(
        &self,
        (at, id): (Timestamp, ExecutionId),
        limit: u32,
    ) -> Result<Vec<Change>> {
        let rows = self.read(statements::LIST_CHANGES, values![at, id, limit]).await?;
        rows.into_iter().map(change).collect()
    }

    pub(super) async fn count_all(&self) -> Result<Counts> {
        let mut moment = self.look().await?;
        let executions = moment.fetch(statements::COUNT_EXECUTIONS, values![]).await?;
        let tasks = moment.fetch(statements::COUNT_TASKS, values![QUEUES_MAX]).await?;
        let dead_letters = moment.fetch(statements::COUNT_DEAD_LETTERS, values![]).await?;
        moment.commit().await?;
        let executions = executions.into_iter().map(|row| {
            let mut row = Reading::of("executions", row);
            Ok((row.word("state")?, row.number("count")?, row.number("held")?))
        });
        let executions = executions.collect::<Result<Vec<(ExecutionState, u64, u64)>>>()?;
        let waiting = executions.iter().find(|(state, ..)| *state == ExecutionState::Waiting);
        let parked = waiting.map_or(0, |(_, count, held)| count.saturating_sub(*held));
        let tasks = tasks.into_iter().map(|row| {
            let mut row = Reading::of("tasks", row);
            Ok((row.name("queue")?, row.number("waiting")?, row.number("running")?))
        });
        Ok(Counts {
            executions: executions.into_iter().map(|(state, count, _)| (state, count)).collect(),
            parked,
            tasks: tasks.collect::<Result<_>>()?,
            dead_letters: count("dead_letters", dead_letters)?,
        })
    }
}

fn change(row: Row) -> Result<Change> {
    let mut row = Reading::of("executions", row);
    Ok(Change {
        execution: row.execution("id")?,
        workflow: row.name("workflow")?,
        state: row.word("state")?,
        at: row.time("at")?,
    })
}

fn count(table: &'static str, rows: Vec<Row>) -> Result<u64> {
    Reading::of(table, rows.into_iter().next().unwrap_or_default()).number("count")
}

fn counter(row: Row) -> Result<(Name, i64)> {
    let mut row = Reading::of("counters", row);
    Ok((row.name("name")?, row.i64("value")?))
}

fn custom_state(row: Row) -> Result<(Name, crate::model::Payload)> {
    let mut row = Reading::of("state", row);
    Ok((row.name("key")?, row.payload("value")?))
}
