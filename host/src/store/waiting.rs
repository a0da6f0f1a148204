//! What people read of queues and tasks, and the facts from which it is told why something waits.

use crate::model::{
    ExecutionId, Failure, HostId, Meter, Name, Promise, Routing, Run, TaskId, Timestamp,
};

/// A queue and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueRow {
    /// Its name.
    pub name: Name,
    /// Since when nothing of it begins; none where it is not paused.
    pub paused_at: Option<Timestamp>,
    /// Tasks that wait, those among them that wait for a limit included.
    pub waiting: u64,
    /// Tasks that run.
    pub running: u64,
    /// Tasks that wait for a limit.
    pub blocked: u64,
    /// When the one was called that has waited the longest.
    pub oldest_at: Option<Timestamp>,
    /// Executions that are ready to be claimed.
    pub executions: u64,
    /// Since when the one of them is ready that has waited the longest, of the first hundred in line.
    pub oldest_execution_at: Option<Timestamp>,
}

impl QueueRow {
    /// A queue that nothing is in.
    pub fn empty(name: Name) -> Self {
        Self {
            name,
            paused_at: None,
            waiting: 0,
            running: 0,
            blocked: 0,
            oldest_at: None,
            executions: 0,
            oldest_execution_at: None,
        }
    }

    /// Counts what is in another one as if it were in this one.
    pub fn add(&mut self, other: &Self) {
        self.waiting += other.waiting;
        self.running += other.running;
        self.blocked += other.blocked;
        self.executions += other.executions;
        self.oldest_at = earlier(self.oldest_at, other.oldest_at);
        self.oldest_execution_at = earlier(self.oldest_execution_at, other.oldest_execution_at);
    }

    /// Since when something of it waits: a task, or an execution that is ready for a host.
    pub fn waits_since(&self) -> Option<Timestamp> {
        earlier(self.oldest_at, self.oldest_execution_at)
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().min()
}

/// A task as people see it.
#[derive(Debug, Clone)]
pub struct TaskRow {
    /// Which.
    pub id: TaskId,
    /// Whose.
    pub execution: ExecutionId,
    /// Its run.
    pub run: Run,
    /// Its workflow.
    pub workflow: Name,
    /// What it settles.
    pub promise: Promise,
    /// The step.
    pub step: Name,
    /// Which hosts may take it.
    pub routing: Routing,
    /// The attempt that it runs or waits for, from 1.
    pub attempt: u32,
    /// Losses in a row.
    pub losses: u32,
    /// When it was called.
    pub created_at: Timestamp,
    /// When it may begin, where it is not ready and waits for no limit.
    pub visible_at: Timestamp,
    /// Whether it may be claimed this instant, as far as its row says.
    pub ready: bool,
    /// Who runs it.
    pub owner: Option<HostId>,
    /// When it was begun.
    pub started_at: Option<Timestamp>,
    /// When it fails with `timed-out` if nobody has begun it.
    pub schedule_by: Option<Timestamp>,
    /// Why the attempt before failed.
    pub last_failure: Option<Failure>,
    /// The names of its limits: that of its step, that of its key.
    pub limits: [Option<String>; 2],
    /// The one of them that it waits for.
    pub blocked_on: Option<String>,
    /// Since when its execution is paused.
    pub paused_at: Option<Timestamp>,
    /// Whether it waits for the result of another call.
    pub follows: bool,
    /// The task of that one, where it has one.
    pub leader: Option<TaskId>,
}

/// Which tasks to list: the oldest first.
#[derive(Debug, Clone, Default)]
pub struct TaskFilter {
    /// Only in this queue.
    pub queue: Option<Name>,
    /// Only of this step.
    pub step: Option<Name>,
    /// Only of this execution.
    pub execution: Option<ExecutionId>,
    /// Only those that stand so.
    pub state: Option<TaskState>,
    /// Only those after this one in the list: its `created_at` and id.
    pub after: Option<(Timestamp, TaskId)>,
    /// How many, at most `page_max`.
    pub limit: u32,
}

/// How a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// It waits for whatever it waits for.
    Waiting,
    /// A host runs it.
    Running,
}

/// A limit as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitRow {
    /// Its name.
    pub name: String,
    /// The step.
    pub step: Name,
    /// The beginning of the key, as JSON; none for a limit of the whole step.
    pub key: Option<String>,
    /// How many may run at once.
    pub slots: Option<u32>,
    /// How many may begin in a time, as it was written.
    pub rate: Option<String>,
    /// What the rate leaves.
    pub meter: Option<Meter>,
    /// How many run.
    pub running: u64,
    /// Who runs under it, the one that has run the longest first; empty where nobody asked.
    pub holders: Vec<Holder>,
}

/// A task that runs under a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Which.
    pub task: TaskId,
    /// Whose.
    pub execution: ExecutionId,
    /// The step.
    pub step: Name,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// What a living host serves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Serving {
    /// Its queues; empty means all.
    pub queues: Vec<Name>,
    /// Its tags; empty means all.
    pub tags: Vec<Name>,
}

/// What is around those that wait, at one moment.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The database's clock.
    pub now: Timestamp,
    /// What the living hosts serve.
    pub hosts: Vec<Serving>,
    /// The queues that are paused, and since when.
    pub paused_queues: Vec<(Name, Timestamp)>,
    /// The limits that were asked for, where they are there.
    pub limits: Vec<LimitRow>,
}

/// Whether to say who holds a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holders {
    /// Up to ten of each limit.
    Named,
    /// How many they are is enough.
    Counted,
}
