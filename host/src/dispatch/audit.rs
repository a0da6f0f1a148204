//! The audit log: who changed what, when and from where.
//!
//! An entry is durable before the change is acknowledged, with two exceptions, of which there may be thousands in a second: starts,
//! and what was refused and so changed nothing, are noted in memory and written together, at most [`Dispatch::AUDIT_EVERY`] later.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Dispatch, Result};
use crate::store::{AuditRow, NewAudit};

/// Entries that are kept while they cannot be written; the oldest go first.
const KEPT_MAX: usize = 100_000;
/// The longest subject that is kept, in bytes.
const SUBJECT_BYTES_MAX: usize = 512;

/// Entries that are to be written.
#[derive(Debug, Default)]
pub(super) struct Noted {
    entries: Mutex<Vec<NewAudit>>,
    /// Held while some are being written: whoever wants all to be there waits for those too.
    writing: tokio::sync::Mutex<()>,
}

impl Noted {
    fn entries(&self) -> MutexGuard<'_, Vec<NewAudit>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dispatch {
    /// How long a start or a refusal may be answered and not yet in the log.
    pub const AUDIT_EVERY: Duration = Duration::from_millis(100);

    /// Writes an entry.
    pub async fn audit(&self, entry: NewAudit) -> Result<()> {
        Ok(self.store().write_audit(&[bounded(entry)]).await?)
    }

    /// Notes an entry, to be written soon together with others.
    pub fn audit_soon(&self, entry: NewAudit) {
        let mut noted = self.noted.entries();
        noted.push(bounded(entry));
        keep_newest(&mut noted);
    }

    /// Writes what is noted again and again, until it is told to stop.
    pub async fn keep_audit(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(Self::AUDIT_EVERY)).await.is_some() {
            if let Err(error) = self.write_noted().await {
                tracing::debug!(error = %error, "The audit log waits for the database");
            }
        }
    }

    /// Writes what was noted until now. What cannot be written is kept for the next time, also where nobody waits any longer.
    pub async fn write_noted(&self) -> Result<()> {
        let _alone = self.noted.writing.lock().await;
        let mut taken = Taken::from(&*self.noted);
        if taken.entries.is_empty() {
            return Ok(());
        }
        self.store().write_audit(&taken.entries).await?;
        taken.entries.clear();
        Ok(())
    }

    /// A page of the log, newest first.
    pub async fn audit_log(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditRow>> {
        Ok(self.store().audit(before, self.page(limit)?).await?)
    }
}

/// Entries that are being written; those that were not go back.
struct Taken<'a> {
    noted: &'a Noted,
    entries: Vec<NewAudit>,
}

impl<'a> From<&'a Noted> for Taken<'a> {
    fn from(noted: &'a Noted) -> Self {
        let entries = std::mem::take(&mut *noted.entries());
        Self { noted, entries }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.entries.is_empty() {
            return;
        }
        let mut noted = self.noted.entries();
        self.entries.append(&mut noted);
        keep_newest(&mut self.entries);
        *noted = std::mem::take(&mut self.entries);
    }
}

fn keep_newest(entries: &mut Vec<NewAudit>) {
    let lost = entries.len().saturating_sub(KEPT_MAX);
    if lost > 0 {
        tracing::error!(lost, "{lost} starts or refusals are missing in the audit log");
        entries.drain(..lost);
    }
}

fn bounded(mut entry: NewAudit) -> NewAudit {
    let end = entry.subject.floor_char_boundary(SUBJECT_BYTES_MAX);
    entry.subject.truncate(end);
    entry
}
