//! What workflows and steps have said.

use super::{Dispatch, LogLine, Result};
use crate::model::{ExecutionId, Name, Promise};

/// Whose lines are wanted; all of them where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// A step's.
    pub step: Option<Name>,
    /// Of one call of it.
    pub promise: Option<Promise>,
    /// Of an attempt with that number; 0 is the workflow.
    pub attempt: Option<u32>,
    /// Only those that tell of attempts which failed and were followed by another.
    pub failed_attempts: bool,
}

/// A part of a log.
#[derive(Debug, Clone)]
pub struct LogPage {
    /// In order.
    pub lines: Vec<LogLine>,
    /// Behind which line to read on. None where nothing followed.
    pub next_after: Option<i64>,
}

impl LogFilter {
    /// Whether any line may be unwanted that the store reads for it.
    fn chooses(&self) -> bool {
        self.step.is_some() || self.promise.is_some() || self.attempt.is_some()
    }

    fn wants(&self, line: &LogLine) -> bool {
        let Self { step, promise, attempt, failed_attempts: _by_the_store } = self;
        (step.is_none() || *step == line.step)
            && (promise.is_none() || *promise == line.promise)
            && attempt.is_none_or(|attempt| attempt == line.attempt)
    }
}

impl Dispatch {
    /// The lines after line `after`. Where some are wanted only, `page_reads_max` lines are read through at most, and the page may
    /// be short or empty and yet have a line to read on behind.
    pub async fn logs(
        &self,
        execution: ExecutionId,
        filter: &LogFilter,
        after: i64,
        limit: u32,
    ) -> Result<LogPage> {
        let wanted = self.page(limit)?;
        let at_once = if filter.chooses() { self.limits().page_max } else { wanted };
        let mut page = LogPage { lines: Vec::new(), next_after: Some(after) };
        let (mut left, mut reads_left) = (wanted, self.limits().page_reads_max.max(at_once));
        while let Some(after) = page.next_after
            && left > 0
            && reads_left > 0
        {
            let read = if filter.failed_attempts {
                self.store().failed_attempts(execution, after, at_once).await?
            } else {
                self.store().logs(execution, after, at_once).await?
            };
            let count = u32::try_from(read.len()).unwrap_or(u32::MAX);
            let last = read.last().filter(|_| count >= at_once).map(|line| line.id);
            let kept = read.into_iter().filter(|line| filter.wants(line)).take(left as usize);
            let before = page.lines.len();
            page.lines.extend(kept);
            left -= u32::try_from(page.lines.len() - before).unwrap_or(left);
            reads_left = reads_left.saturating_sub(count);
            // What was read behind the last one that was wanted is read again.
            let full = page.lines.last().filter(|_| left == 0).map(|line| line.id);
            page.next_after = full.or(last);
        }
        if page.lines.is_empty() {
            self.show(execution).await?;
        }
        Ok(page)
    }
}
