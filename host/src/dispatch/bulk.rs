//! One order for many executions: a page of them at a time, each answered by itself.

use futures::{StreamExt, stream};

use super::{
    Dispatch, DispatchError, ExecutionFilter, ExecutionPage, ExecutionRow, Force, ModuleRef,
    Result, StoreError,
};
use crate::model::{ExecutionId, ExecutionState, Timestamp};

/// How many of a page are acted on at once.
const AT_ONCE: usize = 16;

/// What is to be done to each.
#[derive(Debug, Clone)]
pub enum BulkAction {
    /// Asked to end, for a reason.
    Cancel(String, Force),
    /// Tried again, where wanted by another module.
    Retry(Option<ModuleRef>),
    /// Held.
    Pause,
    /// Let go on, where wanted by another module.
    Resume(Option<ModuleRef>),
}

/// An order for many.
#[derive(Debug, Clone)]
pub struct Bulk {
    /// What.
    pub action: BulkAction,
    /// To which: a page of them, of whose `limit` at most are looked at.
    pub filter: ExecutionFilter,
    /// Only say which it would be done to.
    pub dry_run: bool,
}

/// What became of a page.
#[derive(Debug)]
pub struct BulkPage {
    /// Done, or to be done.
    pub done: Vec<ExecutionId>,
    /// Not done, and why.
    pub refused: Vec<(ExecutionId, DispatchError)>,
    /// Where those begin that were not looked at; none where there are no more.
    pub next: Option<(Timestamp, ExecutionId)>,
}

impl BulkAction {
    /// Whether it makes sense for one that stands so; others are passed by.
    fn is_for(&self, row: &ExecutionRow) -> bool {
        use ExecutionState::{Blocked, Cancelled, Cancelling, Failed, TimedOut};
        match self {
            Self::Cancel(_, Force::No) => !row.state.is_terminal() && row.state != Cancelling,
            Self::Cancel(_, Force::Yes) => !row.state.is_terminal(),
            Self::Retry(_) => matches!(row.state, Failed | TimedOut | Cancelled | Blocked),
            Self::Pause => !row.state.is_terminal() && row.paused_at.is_none(),
            Self::Resume(_) => row.paused_at.is_some() || row.state == Blocked,
        }
    }
}

impl Dispatch {
    /// Does it to a page of executions. One that cannot be done keeps no other from it; that the database is away ends the page.
    pub async fn do_to_many(&self, bulk: Bulk) -> Result<BulkPage> {
        let Bulk { action, filter, dry_run } = bulk;
        let ExecutionPage { rows, next } = self.list(filter).await?;
        let chosen: Vec<_> =
            rows.iter().filter(|row| action.is_for(row)).map(|row| row.id).collect();
        let (mut done, mut refused) = (Vec::new(), Vec::new());
        if dry_run {
            return Ok(BulkPage { done: chosen, refused, next });
        }
        let action = &action;
        let acting = chosen.into_iter().map(|id| async move { (id, self.do_to(id, action).await) });
        let mut acted = stream::iter(acting).buffered(AT_ONCE);
        while let Some((id, came_to)) = acted.next().await {
            match came_to {
                Ok(()) => done.push(id),
                Err(
                    error @ DispatchError::Store(
                        StoreError::Fenced { .. } | StoreError::Unavailable(_),
                    ),
                ) => {
                    return Err(error);
                }
                Err(error) => refused.push((id, error)),
            }
        }
        Ok(BulkPage { done, refused, next })
    }

    async fn do_to(&self, id: ExecutionId, action: &BulkAction) -> Result<()> {
        match action {
            BulkAction::Cancel(reason, force) => {
                self.cancel(id, reason.clone(), *force).await.map(drop)
            }
            BulkAction::Retry(module) => self.retry(id, module.as_ref()).await.map(drop),
            BulkAction::Pause => self.pause(id).await.map(drop),
            BulkAction::Resume(module) => self.resume(id, module.as_ref()).await.map(drop),
        }
    }
}
