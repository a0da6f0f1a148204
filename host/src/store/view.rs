//! What people read: pages of rows, never written back.

use super::snapshot::ExecutionRow;
use crate::journal::Entry;
use crate::model::{
    ExecutionId, ExecutionState, Failure, HostId, Lease, Level, Manifest, ModuleDigest, Name,
    Payload, Promise, Run, Seq, TaskId, Timestamp, Wake,
};

/// A module without its bytes.
#[derive(Debug, Clone)]
pub struct ModuleRow {
    /// Which.
    pub digest: ModuleDigest,
    /// The name it was uploaded under.
    pub name: Name,
    /// Bytes of the component.
    pub size: u64,
    /// What it declares.
    pub manifest: Manifest,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// Since when it is the one that new executions of its name are pinned to; none where another is.
    pub activated_at: Option<Timestamp>,
}

/// One execution as people see it.
#[derive(Debug, Clone)]
pub struct ExecutionView {
    /// Its row.
    pub row: ExecutionRow,
    /// Who owns it.
    pub owner: Option<HostId>,
    /// When it wakes by itself, where it is parked or delayed.
    pub visible_at: Option<Timestamp>,
    /// Its counters, by name.
    pub counters: Vec<(Name, i64)>,
    /// Its custom state, by key.
    pub custom_state: Vec<(Name, Payload)>,
    /// Its children, the first hundred in the order of their starts.
    pub children: Vec<ExecutionId>,
    /// How many tasks wait or run for it.
    pub tasks: u64,
}

/// Which executions to list: newest first.
#[derive(Debug, Clone, Default)]
pub struct ExecutionFilter {
    /// Only in this state.
    pub state: Option<ExecutionState>,
    /// Only of this workflow.
    pub workflow: Option<Name>,
    /// Only in this queue.
    pub queue: Option<Name>,
    /// Only children of this one.
    pub parent: Option<ExecutionId>,
    /// Only of this module.
    pub module: Option<ModuleDigest>,
    /// Only those that failed with this kind.
    pub failure_kind: Option<String>,
    /// Only those with this tag.
    pub tag: Option<Name>,
    /// Only those that were accepted then or later.
    pub since: Option<Timestamp>,
    /// Only those that were accepted before.
    pub until: Option<Timestamp>,
    /// Only those after this one in the list: its `created_at` and id.
    pub after: Option<(Timestamp, ExecutionId)>,
    /// How many, at most `page_max`.
    pub limit: u32,
}

/// A part of a list of executions.
#[derive(Debug, Clone, Default)]
pub struct ExecutionPage {
    /// Newest first: fewer than were asked for where the list ends, or where `page_reads_max` rows were read through.
    pub rows: Vec<ExecutionRow>,
    /// Where the list goes on; none where it has ended.
    pub next: Option<(Timestamp, ExecutionId)>,
}

/// An execution was accepted, or has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub execution: ExecutionId,
    /// Of which workflow.
    pub workflow: Name,
    /// How it stood then: `Pending` where it was accepted.
    pub state: ExecutionState,
    /// When.
    pub at: Timestamp,
}

/// A page of a journal.
#[derive(Debug, Clone)]
pub struct JournalPage {
    /// In order, with the payloads of commands.
    pub entries: Vec<Entry>,
    /// Whether more follow.
    pub more: bool,
}

/// One line of a log.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// Its place.
    pub id: i64,
    /// The run.
    pub run: Run,
    /// The step that said it; none for the workflow.
    pub step: Option<Name>,
    /// Its promise.
    pub promise: Option<Promise>,
    /// Its attempt, 0 for the workflow.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// How much it matters; none for a line of progress.
    pub level: Option<Level>,
    /// The line.
    pub message: String,
    /// A JSON object, or null.
    pub fields: Payload,
    /// For a line of the host's that tells of an attempt which failed and is followed by another: when that began. It ended at
    /// the time of the line.
    pub attempt_began_at: Option<Timestamp>,
}

/// A dead letter.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// Which.
    pub id: i64,
    /// Whose.
    pub execution: ExecutionId,
    /// Its run.
    pub run: Run,
    /// Its workflow.
    pub workflow: Name,
    /// What it would have settled.
    pub promise: Promise,
    /// The step.
    pub step: Name,
    /// Where it waited, where that is known.
    pub queue: Option<Name>,
    /// How many attempts there were.
    pub attempts: u32,
    /// Why the last one failed.
    pub failure: Failure,
    /// When.
    pub created_at: Timestamp,
    /// The journal entry that holds its input, and the place among the inputs of a call-many.
    pub input_at: (Seq, u32),
}

/// Which dead letters are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LetterFilter {
    /// Only of this execution.
    pub execution: Option<ExecutionId>,
    /// Only of executions of this workflow.
    pub workflow: Option<Name>,
    /// Only of this step.
    pub step: Option<Name>,
    /// Only those that waited in this queue.
    pub queue: Option<Name>,
    /// Only those whose last failure was of this kind.
    pub kind: Option<String>,
    /// Only those that are as old or younger.
    pub since: Option<Timestamp>,
    /// Only those that are older.
    pub until: Option<Timestamp>,
}

/// Executions that have ended in one state for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Old {
    /// The state.
    pub state: ExecutionState,
    /// They ended before then.
    pub before: Timestamp,
    /// Only those behind this one: where an earlier removal has come to.
    pub after: Option<EndedAt>,
}

/// When an execution ended, and which: the order in which they are removed.
pub type EndedAt = (Timestamp, ExecutionId);

/// What came of removing some.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// How many are gone.
    pub count: u64,
    /// Behind which to go on; none where there are no more.
    pub next: Option<EndedAt>,
}

/// How much would be removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removable {
    /// Executions, by state.
    pub executions: Vec<(ExecutionState, u64)>,
    /// Dead letters.
    pub dead_letters: u64,
    /// Lines of logs.
    pub logs: u64,
    /// Kept results that answer no call any more.
    pub results: u64,
}

/// How many dead letters there are of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterCount {
    /// The workflow that called.
    pub workflow: Name,
    /// The step.
    pub step: Name,
    /// How many.
    pub count: u64,
    /// When the first was made.
    pub oldest: Timestamp,
    /// When the last was made.
    pub newest: Timestamp,
}

/// A host incarnation to be entered as alive.
#[derive(Debug, Clone)]
pub struct NewHost {
    /// Which.
    pub id: HostId,
    /// What people call it.
    pub name: String,
    /// Its lease; none where leases do not end.
    pub lease: Option<Lease>,
    /// The binary's version.
    pub version: String,
    /// What the connections of its process are called, so that others can end them.
    pub session: String,
    /// When it started, by its own clock.
    pub started_at: Timestamp,
    /// The queues it serves; empty means all.
    pub queues: Vec<Name>,
    /// It takes what shares one of these or has none; empty means all.
    pub tags: Vec<Name>,
}

/// Whether every renewal since the last successful one was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streak {
    /// There was none, or nothing went wrong.
    Unbroken,
    /// One was not: whom the database answered meanwhile, nobody here knows.
    Broken,
}

/// A host incarnation.
#[derive(Debug, Clone)]
pub struct HostRow {
    /// Which.
    pub id: HostId,
    /// What people call it.
    pub name: String,
    /// Whether it may write.
    pub alive: bool,
    /// Until when, where leases end.
    pub lease_ends: Option<Timestamp>,
    /// The binary's version.
    pub version: String,
    /// When it registered.
    pub started_at: Timestamp,
}

/// What came of bringing an arrival to an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// It lies in the inbox; the owner, where there is one, should be woken.
    To {
        /// The owner.
        owner: Option<HostId>,
    },
    /// The execution has ended: nothing was written.
    Ended(ExecutionState),
    /// There is no such execution.
    Missing,
    /// `unreceived_signals_max` has been reached: nothing was written.
    Full,
}

/// What came of reviving an execution that had ended or is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revived {
    /// It is ready to be claimed, in this run.
    Ready(Run),
    /// It is in a state that cannot be revived.
    NotInState(ExecutionState),
    /// The workflow went on after this failure: going back would undo what it did since.
    WentOn,
    /// Its parent was told of its failure, and would not hear of what it brings now.
    ParentTold(ExecutionId),
    /// There is nothing of that id.
    Missing,
}

/// What a lease's renewal learns: one round trip that is also the poll of an idle host.
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a look may find")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// The database's clock.
    pub now: Timestamp,
    /// Whether any execution or task is ready.
    pub work: bool,
    /// Whether an execution of this host has something in its inbox.
    pub arrivals: bool,
    /// The earliest time at which something becomes ready by itself.
    pub next_due: Option<Timestamp>,
    /// Whether anything that is ready was lost with a host: there may be suspects among it.
    pub lost: bool,
    /// How many hosts live.
    pub hosts: u32,
    /// When the first lease of another host ends, if that is not renewed.
    pub next_lease_end: Option<Timestamp>,
    /// Since when the database is known to have answered hosts without a gap.
    pub steady_since: Option<Timestamp>,
    /// How often queues were paused or resumed until now; 0 where that was not looked at.
    pub queue_changes: i64,
    /// Whether calls wait for a result that is there, or that nobody leads to any more.
    pub followers: bool,
    /// Whether this host runs calls that were dropped.
    pub stopping: bool,
    /// When a schedule has to be looked at next.
    pub next_firing: Option<Timestamp>,
}

/// An attempt of a call that was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoppingTask {
    /// The task it was.
    pub task: TaskId,
    /// Which attempt of it runs.
    pub attempt: u32,
}

/// What came of telling those who wait for the results of others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Followed {
    /// How many were answered, or made the leader of those who still wait.
    pub count: usize,
    /// Whom it concerns: owners of the answered, and the queues of what became ready.
    pub wakes: Vec<Wake>,
}

/// How many executions there are in each state, and how many tasks and dead letters.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// By state.
    pub executions: Vec<(ExecutionState, u64)>,
    /// Those that wait in no host's memory.
    pub parked: u64,
    /// By queue: waiting tasks, running tasks.
    pub tasks: Vec<(Name, u64, u64)>,
    /// Dead letters.
    pub dead_letters: u64,
}
