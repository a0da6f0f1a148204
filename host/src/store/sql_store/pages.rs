//! Pages of journals and logs.

use super::SqlStore;
use super::rows;
use crate::model::{ExecutionId, Level, Promise, Run, Seq};
use crate::store::Result;
use crate::store::dialect::Dialect;
use crate::store::row::{Reading, Row};
use crate::store::statements;
use crate::store::value::values;
use crate::store::view::{JournalPage, LogLine};

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn page_journal(
        &self,
        id: ExecutionId,
        after: Seq,
        limit: u32,
    ) -> Result<JournalPage> {
        // One more than asked for says whether more follow.
        let values = values![id, after, i64::from(limit) + 1];
        let rows = self.read(statements::PAGE_JOURNAL, values).await?;
        let mut entries = rows::entries(id, rows)?;
        let more = entries.len() > limit as usize;
        entries.truncate(limit as usize);
        Ok(JournalPage { entries, more })
    }

    pub(super) async fn page_logs(
        &self,
        id: ExecutionId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<LogLine>> {
        let rows = self.read(statements::PAGE_LOGS, values![id, after, limit]).await?;
        rows.into_iter().map(log_line).collect()
    }

    pub(super) async fn page_failed_attempts(
        &self,
        id: ExecutionId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<LogLine>> {
        let rows = self.read(statements::PAGE_FAILED_ATTEMPTS, values![id, after, limit]).await?;
        rows.into_iter().map(log_line).collect()
    }
}

fn log_line(row: Row) -> Result<LogLine> {
    let mut row = Reading::of("logs", row);
    Ok(LogLine {
        id: row.i64("id")?,
        run: Run(row.number("run")?),
        step: row.opt_name("step")?,
        promise: row.opt_number("promise")?.map(Promise),
        attempt: row.number("attempt")?,
        at: row.time("at")?,
        level: level(&mut row)?,
        message: row.text("message")?,
        fields: row.payload("fields")?,
        attempt_began_at: row.opt_time("attempt_began_at")?,
    })
}

fn level(row: &mut Reading) -> Result<Option<Level>> {
    let Some(word) = row.opt_text("level")? else { return Ok(None) };
    let level = Level::from_word(&word);
    level.map(Some).ok_or_else(|| row.corrupt("level", format!("{word:?} is no level")))
}
