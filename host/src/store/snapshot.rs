//! What a host reads when it claims.

use std::time::Duration;

use super::write::{NewExecution, Parent};
use crate::journal::{Arrival, Entry};
use crate::model::{
    ExecutionId, ExecutionState, Failure, InboxId, ModuleDigest, Name, Payload, Promise,
    RetryPolicy, Routing, Run, Seq, TaskId, Timestamp, Trace, TraceParent,
};

/// Everything an activation begins with, read in one snapshot.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The execution's row.
    pub execution: ExecutionRow,
    /// The journal from `execution.base` on, in order, without the inputs of commands. It begins with `Started`, or with the
    /// `Run` entry at `base` followed by it.
    pub entries: Vec<Entry>,
    /// Promises of the execution's task rows (of whatever run), so that no call is called again that waits somewhere.
    pub tasks: Vec<(Run, Promise)>,
    /// Arrivals in the order of their ids, and `inbox_seq` as of the same moment.
    pub inbox: Inbox,
}

impl Snapshot {
    /// What an execution that is born with an owner begins with: nothing need be read.
    pub fn of_birth(new: &NewExecution) -> Self {
        let execution = ExecutionRow {
            id: new.id,
            run: Run(0),
            workflow: new.workflow.clone(),
            module: new.module,
            state: ExecutionState::Running,
            paused_at: None,
            routing: new.routing.clone(),
            parent: new.parent,
            expires_at: new.expires_at,
            base: Seq(0),
            losses: 0,
            created_at: new.created_at,
            started_at: Some(new.created_at),
            completed_at: None,
            failure: None,
            traceparent: new.traceparent,
        };
        let entries = vec![new.first_entry()];
        Self { execution, entries, tasks: Vec::new(), inbox: Inbox::default() }
    }
}

/// Arrivals that wait for their owner.
#[derive(Debug, Clone, Default)]
pub struct Inbox {
    /// In the order of their ids.
    pub arrivals: Vec<(InboxId, Arrival)>,
    /// How many have ever arrived, read in the same snapshot.
    pub seq: i64,
    /// Whether the execution was paused at that moment.
    pub is_paused: bool,
}

/// An execution's row: narrow, no payloads.
#[derive(Debug, Clone)]
pub struct ExecutionRow {
    /// Which.
    pub id: ExecutionId,
    /// Its run.
    pub run: Run,
    /// What runs.
    pub workflow: Name,
    /// The module it is pinned to.
    pub module: ModuleDigest,
    /// Where it stands.
    pub state: ExecutionState,
    /// Set while it is paused.
    pub paused_at: Option<Timestamp>,
    /// Which hosts may run it.
    pub routing: Routing,
    /// Whom its outcome goes to.
    pub parent: Option<Parent>,
    /// When it is timed out, or its compensation is over.
    pub expires_at: Option<Timestamp>,
    /// Before this entry nothing is read: 0, or the `Run` entry of the last continue-as-new.
    pub base: Seq,
    /// Losses in a row without a new journal entry.
    pub losses: u32,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it was first begun.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// Why it failed or is blocked, in short.
    pub failure: Option<Failure>,
    /// The trace that it was started in, and what caused it there.
    pub traceparent: Option<TraceParent>,
}

impl ExecutionRow {
    /// The trace that all of it belongs to.
    pub fn trace(&self) -> Trace {
        Trace::of(self.id, self.traceparent)
    }
}

/// Work that its hosts were lost under again and again, just claimed: nothing new is begun beside it.
#[derive(Debug, Clone)]
pub enum Suspect {
    /// An execution.
    Execution(Box<Snapshot>),
    /// A task.
    Task(Box<ClaimedTask>),
}

/// A task that this host has just claimed.
#[derive(Debug, Clone)]
pub struct ClaimedTask {
    /// Which.
    pub id: TaskId,
    /// Whose.
    pub execution: ExecutionId,
    /// Its run.
    pub run: Run,
    /// Its workflow.
    pub workflow: Name,
    /// The module it is pinned to.
    pub module: ModuleDigest,
    /// What it settles.
    pub promise: Promise,
    /// The step.
    pub step: Name,
    /// Its argument, read from the journal.
    pub input: Payload,
    /// The journal entry that holds its input, and the place among the inputs of a call-many.
    pub input_at: (Seq, u32),
    /// The attempt it is, from 1.
    pub attempt: u32,
    /// How long it may take.
    pub timeout: Duration,
    /// When it should have begun at the latest.
    pub schedule_by: Option<Timestamp>,
    /// When a failed attempt is tried again.
    pub retry: RetryPolicy,
    /// What the attempt before left.
    pub heartbeat: Option<Payload>,
    /// Losses in a row.
    pub losses: u32,
    /// The queue that it waited in.
    pub queue: Name,
    /// When it was called.
    pub created_at: Timestamp,
    /// Whether others may wait for it to end.
    pub is_limited: bool,
    /// The trace that its execution belongs to.
    pub trace: Trace,
}
