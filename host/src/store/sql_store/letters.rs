//! Dead letters: read, counted, removed.

use super::SqlStore;
use super::claims::arguments;
use super::rows;
use crate::model::{ExecutionId, HostId, Payload, Promise, Run, Seq};
use crate::store::Result;
use crate::store::dialect::Dialect;
use crate::store::row::{Reading, Row};
use crate::store::statements::{self, Statement};
use crate::store::value::{Rows, Value, values};
use crate::store::view::{DeadLetter, LetterCount, LetterFilter};

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn list_dead_letters(
        &self,
        filter: &LetterFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>> {
        let mut values = Vec::from(filter_values(filter));
        values.extend(values![before.unwrap_or(i64::MAX), limit]);
        let rows = self.read(listing(filter), values).await?;
        rows.into_iter().map(dead_letter).collect()
    }

    pub(super) async fn read_dead_letter(&self, id: i64) -> Result<Option<DeadLetter>> {
        let rows = self.read(statements::READ_DEAD_LETTER, values![id]).await?;
        rows.into_iter().next().map(dead_letter).transpose()
    }

    pub(super) async fn count_letters_by_step(
        &self,
        filter: &LetterFilter,
        limit: u32,
    ) -> Result<Vec<LetterCount>> {
        let mut values = Vec::from(filter_values(filter));
        values.extend(values![limit]);
        let rows = self.read(counting(filter), values).await?;
        rows.into_iter().map(letter_count).collect()
    }

    pub(super) async fn read_argument(
        &self,
        id: ExecutionId,
        (seq, place): (Seq, u32),
    ) -> Result<Option<Payload>> {
        let row = self.read(statements::READ_ENTRY, values![id, seq]).await?.into_iter().next();
        let entry = row.map(|row| rows::entry(id, row)).transpose()?;
        Ok(entry.and_then(|entry| arguments(entry.body).into_iter().nth(place as usize)))
    }

    pub(super) async fn discard_letters(&self, host: HostId, ids: &[i64]) -> Result<Vec<i64>> {
        let mut transaction = self.begin(host).await?;
        let rows: Rows = ids.iter().map(|id| values![*id]).collect();
        let gone = transaction.fetch_many(statements::DISCARD_DEAD_LETTERS, rows).await?;
        transaction.commit().await?;
        gone.into_iter().map(|row| Reading::of("dead_letters", row).i64("id")).collect()
    }
}

fn filter_values(filter: &LetterFilter) -> [Value; 7] {
    values![
        filter.execution,
        filter.workflow.as_ref(),
        filter.step.as_ref(),
        filter.queue.as_ref(),
        filter.kind.as_deref(),
        filter.since,
        filter.until,
    ]
}

/// The statement whose index finds what is looked for: by what is likely the rarest.
fn listing(filter: &LetterFilter) -> &'static Statement {
    if filter.execution.is_some() {
        statements::LIST_DEAD_LETTERS_OF_EXECUTION
    } else if filter.step.is_some() {
        statements::LIST_DEAD_LETTERS_OF_STEP
    } else if filter.kind.is_some() {
        statements::LIST_DEAD_LETTERS_OF_KIND
    } else if filter.queue.is_some() {
        statements::LIST_DEAD_LETTERS_IN_QUEUE
    } else {
        statements::LIST_DEAD_LETTERS
    }
}

/// The same for counts.
fn counting(filter: &LetterFilter) -> &'static Statement {
    if filter.execution.is_some() {
        statements::COUNT_DEAD_LETTERS_OF_EXECUTION
    } else if filter.step.is_some() {
        statements::COUNT_DEAD_LETTERS_OF_STEP
    } else {
        statements::COUNT_DEAD_LETTERS_BY_STEP
    }
}

fn dead_letter(row: Row) -> Result<DeadLetter> {
    let mut row = Reading::of("dead_letters", row);
    Ok(DeadLetter {
        id: row.i64("id")?,
        execution: row.execution("execution_id")?,
        run: Run(row.number("run")?),
        workflow: row.name("workflow")?,
        promise: Promise(row.number("promise")?),
        step: row.name("step")?,
        queue: row.opt_name("queue")?,
        attempts: row.number("attempts")?,
        failure: row.json("failure")?,
        created_at: row.time("created_at")?,
        input_at: (Seq(row.number("input_seq")?), row.number("input_index")?),
    })
}

fn letter_count(row: Row) -> Result<LetterCount> {
    let mut row = Reading::of("dead_letters", row);
    Ok(LetterCount {
        workflow: row.name("workflow")?,
        step: row.name("step")?,
        count: row.number("count")?,
        oldest: row.time("oldest")?,
        newest: row.time("newest")?,
    })
}
