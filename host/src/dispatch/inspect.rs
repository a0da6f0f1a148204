//! Reading, and nothing else.

use std::sync::Arc;

use super::{
    Body, Counts, Dispatch, DispatchError, Entry, Event, ExecutionFilter, ExecutionPage,
    ExecutionView, HostRow, ModuleRef, ModuleRow, PoolUse, Result, bounds,
    deployments::DEPLOYMENTS_MAX,
};
use crate::model::{ExecutionId, Payload, Seq, Timestamp};

/// Entries that are read at once.
const ENTRIES_AT_ONCE: u32 = 64;
/// A page of a journal ends after as many bytes of payloads, however many entries were asked for.
const SLICE_BYTES: usize = 8 << 20;

/// A part of a journal.
#[derive(Debug, Clone, Default)]
pub struct JournalSlice {
    /// In order, with the payloads of commands.
    pub entries: Vec<Entry>,
    /// Whether more follow.
    pub more: bool,
}

impl Dispatch {
    /// How many rows a page has where so many are asked for.
    pub(super) fn page(&self, limit: u32) -> Result<u32> {
        bounds::page(limit, self.parts.limits.page_max)
    }

    /// One execution.
    pub async fn show(&self, execution: ExecutionId) -> Result<ExecutionView> {
        let view = self.store().execution(execution).await?;
        view.ok_or(DispatchError::UnknownExecution(execution))
    }

    /// A page of a list, newest first, of at most `page_max`.
    pub async fn list(&self, mut filter: ExecutionFilter) -> Result<ExecutionPage> {
        filter.limit = self.page(filter.limit)?;
        Ok(self.store().executions(&filter).await?)
    }

    /// The entries after `after`: at most `limit`, and fewer where their payloads are large.
    pub async fn journal(
        &self,
        execution: ExecutionId,
        after: Seq,
        limit: u32,
    ) -> Result<JournalSlice> {
        let mut slice = JournalSlice { entries: Vec::new(), more: true };
        let (mut after, mut left, mut bytes) = (after, self.page(limit)?, 0);
        while slice.more && left > 0 && bytes < SLICE_BYTES {
            let page = self.store().journal(execution, after, left.min(ENTRIES_AT_ONCE)).await?;
            let Some(last) = page.entries.last() else {
                slice.more = false;
                break;
            };
            after = last.seq;
            left = left.saturating_sub(u32::try_from(page.entries.len()).unwrap_or(u32::MAX));
            bytes += page.entries.iter().map(payload_bytes).sum::<usize>();
            slice.entries.extend(page.entries);
            slice.more = page.more;
        }
        if slice.entries.is_empty() {
            self.show(execution).await?;
        }
        Ok(slice)
    }

    /// All modules, newest first.
    pub async fn modules(&self) -> Result<Vec<ModuleRow>> {
        Ok(self.store().modules(DEPLOYMENTS_MAX).await?)
    }

    /// One module.
    pub async fn module(&self, module: &ModuleRef) -> Result<Arc<ModuleRow>> {
        self.named(module).await
    }

    /// Host incarnations, those that live first and of both the newest first.
    pub async fn hosts(&self, limit: u32) -> Result<Vec<HostRow>> {
        Ok(self.store().hosts(self.page(limit)?).await?)
    }

    /// How much of the pool of connections to the database is in use at the moment.
    pub fn pool(&self) -> PoolUse {
        self.store().pool()
    }

    /// What time it is, by the database's clock.
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// How much there is of what.
    pub async fn counts(&self) -> Result<Counts> {
        Ok(self.store().counts().await?)
    }
}

fn payload_bytes(entry: &Entry) -> usize {
    match &entry.body {
        Body::Started(started) => started.input.bytes(),
        Body::Command(command) => command.command.payload_bytes(),
        Body::Ended(ended) => ended.outcome.as_ref().map_or(0, Payload::bytes),
        Body::Event(Event::Settled { outcome, .. }) => outcome.as_ref().map_or(0, Payload::bytes),
        Body::Event(Event::Received { payload, .. }) => payload.bytes(),
        Body::Event(Event::Fired { .. } | Event::CancelRequested { .. } | Event::Expired)
        | Body::Run(_)
        | Body::Noted => 0,
    }
}
