//! An execution as JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::tasks::Waits;
use crate::dispatch::{ExecutionRow, ExecutionView, Wait};
use crate::model::{
    ExecutionId, ExecutionState, Failure, HostId, ModuleDigest, Name, Payload, Promise, Run,
    Timestamp,
};

/// An execution in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Summary {
    id: ExecutionId,
    workflow: Name,
    module: ModuleDigest,
    state: ExecutionState,
    run: Run,
    paused_at: Option<Timestamp>,
    queue: Name,
    tags: Vec<Name>,
    priority: i32,
    parent: Option<ParentOf>,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    losses: u32,
    failure: Option<Failure>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ParentOf {
    execution: ExecutionId,
    run: Run,
    promise: Promise,
    detached: bool,
}

/// An execution by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Execution {
    #[serde(flatten)]
    summary: Summary,
    owner: Option<HostId>,
    visible_at: Option<Timestamp>,
    /// Why it waits to be begun or to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits: Option<Waits>,
    tasks: u64,
    counters: BTreeMap<Name, i64>,
    custom_state: BTreeMap<Name, Payload>,
    children: Vec<ExecutionId>,
}

impl From<ExecutionRow> for Summary {
    fn from(row: ExecutionRow) -> Self {
        let parent = row.parent.map(|parent| ParentOf {
            execution: parent.execution,
            run: parent.run,
            promise: parent.promise,
            detached: parent.detached,
        });
        Self {
            id: row.id,
            workflow: row.workflow,
            module: row.module,
            state: row.state,
            run: row.run,
            paused_at: row.paused_at,
            queue: row.routing.queue,
            tags: row.routing.tags,
            priority: row.routing.priority,
            parent,
            created_at: row.created_at,
            started_at: row.started_at,
            completed_at: row.completed_at,
            expires_at: row.expires_at,
            losses: row.losses,
            failure: row.failure,
        }
    }
}

impl From<(ExecutionView, Option<Wait>)> for Execution {
    fn from((view, waits): (ExecutionView, Option<Wait>)) -> Self {
        Self {
            summary: view.row.into(),
            owner: view.owner,
            visible_at: view.visible_at,
            waits: waits.map(Waits::from),
            tasks: view.tasks,
            counters: view.counters.into_iter().collect(),
            custom_state: view.custom_state.into_iter().collect(),
            children: view.children,
        }
    }
}
