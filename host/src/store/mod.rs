//! The truth: what is durable, and every way to change it.
//!
//! Here live the trait [`Store`] (each verb one transaction), its one implementation `SqlStore`, generic over the dialect of
//! a database, the statements in `sql/`, and the [`Committer`], through which all activations and starts of a host write.
//!
//! Not here: deciding. Callers decide with pure functions (`journal`, `worker::settle`) and the store is told the outcome.
//! The only decisions here are those that must be made under a lock: claims, parking against arrivals, uniqueness.
//!
//! Invariants:
//! - Every writing transaction begins with the fence: the host's own row must be alive.
//! - Only its owner appends to a journal, and `(execution_id, seq)` is unique besides.
//! - Whoever adds to an inbox raises `inbox_seq` and makes a parked execution ready in the same transaction.
//! - What is read back decodes, or is `Corrupt`: nothing is guessed.
//!
//! ```no_run
//! # async fn example(store: &dyn stepwell::store::Store, id: stepwell::model::ExecutionId) {
//! let execution = store.execution(id).await.expect("the database answers");
//! assert!(execution.is_some_and(|view| view.row.state.is_terminal()));
//! # }
//! ```

mod access;
mod committer;
mod dialect;
mod error;
mod examine;
mod meters;
mod migrations;
mod postgres;
mod row;
mod schedule;
mod sealing;
mod snapshot;
mod sql_store;
mod sqlite;
mod statements;
mod value;
mod view;
mod waiting;
mod write;

pub use access::{AccessStore, AuditDetail, AuditRow, KeyRow, NewAudit, NewKey};
pub use committer::{Committer, CommitterPlace};
pub use examine::{Examination, Step, all_pending, examine_file, examine_postgres};
pub use migrations::NEWEST;
pub use postgres::{Migrating, Postgres, PostgresOptions};
pub use sealing::{BadKeys, Keyring};
pub use sql_store::SqlStore;
pub use sqlite::{Sqlite, SqliteOptions};

pub use error::{BoxError, OpenError, StoreError};
pub use schedule::{Fired, Planned, Put, ScheduleRow, StartPlan, Trigger, Triggered};
pub use snapshot::{ClaimedTask, ExecutionRow, Inbox, Snapshot, Suspect};
pub use view::{
    Change, Counts, DeadLetter, Delivered, EndedAt, ExecutionFilter, ExecutionPage, ExecutionView,
    Followed, HostRow, JournalPage, LetterCount, LetterFilter, LogLine, ModuleRow, NewHost, Old,
    Removable, Removed, Renewal, Revived, StoppingTask, Streak,
};
pub use waiting::{
    Holder, Holders, LimitRow, QueueRow, Serving, Surroundings, TaskFilter, TaskRow, TaskState,
};
pub use write::{
    Append, Effects, Keep, NewDeadLetter, NewExecution, NewTask, NotedBy, Parent, RowChange,
    Spoken, TaskEnd, TaskSettled, Write, Written,
};

use async_trait::async_trait;

use crate::journal::{Arrival, Ended, Redrive, RunReason};
use crate::model::{
    Capabilities, ExecutionId, ExecutionState, Failure, Grant, HostId, Lease, Manifest,
    ModuleDigest, Name, Payload, Promise, Routing, Run, ScheduleSpec, Seq, TaskId, Timestamp,
};

/// What the store answers.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The truth. Each verb is one transaction; those that write begin with the fence of the host they are given.
#[async_trait]
pub trait Store: AccessStore + Send + Sync + std::fmt::Debug {
    // -- hosts ------------------------------------------------------------------------------------------------------

    /// Enters a new incarnation as alive. On an embedded database, whose file lock the caller holds, every earlier
    /// incarnation is marked dead and its work is freed in the same transaction (each running execution and task counts
    /// one loss).
    async fn register(&self, host: &NewHost) -> Result<Timestamp>;
    /// Renews the lease and, where nothing has gone wrong since it was last renewed, looks for work.
    async fn renew(&self, host: HostId, streak: Streak) -> Result<Renewal>;
    /// Looks for work, and leaves the lease as it is.
    async fn look_for_work(&self, host: HostId) -> Result<Renewal>;
    /// Declares dead whose lease has ended, and frees its work in the same transaction (each running execution and task counts
    /// one loss). What they still have under way, and stands in the way, is ended.
    async fn bury(&self, host: HostId, lease: Lease) -> Result<Vec<HostId>>;
    /// Waits until every transaction of this host has ended that it may still have under way, however long that takes.
    async fn await_end(&self, host: HostId) -> Result<()>;
    /// Marks an incarnation dead and frees what it still owns, without counting a loss.
    async fn retire(&self, host: HostId) -> Result<()>;
    /// Removes incarnations whose lease ended before then. Returns how many there were.
    async fn prune_hosts(&self, host: HostId, before: Timestamp) -> Result<u64>;
    /// All incarnations, those that live first and of both the newest first, at most `limit`.
    async fn hosts(&self, limit: u32) -> Result<Vec<HostRow>>;
    /// What the database needs now and then to stay short and quick, such as a checkpoint. A duty calls it, between batches.
    async fn keep(&self) -> Result<()>;

    // -- modules ----------------------------------------------------------------------------------------------------

    /// Keeps a module (again: nothing happens) and makes it the one that new executions of its name are pinned to.
    async fn deploy(
        &self,
        host: HostId,
        name: &Name,
        manifest: &Manifest,
        wasm: &[u8],
    ) -> Result<ModuleRow>;
    /// Makes a module that is there the active one of its name. False: there is no such module under this name.
    async fn activate(&self, host: HostId, name: &Name, digest: ModuleDigest) -> Result<bool>;
    /// A module's bytes.
    async fn wasm(&self, digest: ModuleDigest) -> Result<Option<Vec<u8>>>;
    /// A module without its bytes.
    async fn module(&self, digest: ModuleDigest) -> Result<Option<ModuleRow>>;
    /// All modules, newest first, at most `limit`.
    async fn modules(&self, limit: u32) -> Result<Vec<ModuleRow>>;
    /// The active module of each name, by name, at most `limit`.
    async fn deployments(&self, limit: u32) -> Result<Vec<ModuleRow>>;
    /// Grants something to the modules of a name, in place of what people granted to them before: who grants, and when that
    /// was which he has seen. None: it is another by now, and nothing was written.
    async fn put_grant(
        &self,
        host: HostId,
        module: &Name,
        granted: &Capabilities,
        by_and_seen_at: (&str, Option<Timestamp>),
    ) -> Result<Option<Grant>>;
    /// What people granted to the modules of a name. None: nobody ever did.
    async fn grant(&self, module: &Name) -> Result<Option<Grant>>;
    /// Each name that a module goes by, with what people granted to it. Empty: there is no such module.
    async fn grants_of(&self, module: ModuleDigest) -> Result<Vec<(Name, Option<Grant>)>>;

    // -- the owner's verbs ------------------------------------------------------------------------------------------

    /// Writes a batch in one transaction. The answers are in the order of the writes. `Unknown`: nobody knows; `Refused`:
    /// the named write is to blame and nothing of the batch was written.
    async fn commit(&self, host: HostId, batch: &[Write]) -> Result<Vec<Written>>;
    /// Claims up to `limit` executions that are ready, in the order of their rank, and reads what each begins with. One that
    /// cannot be read is blocked, and costs the others nothing.
    async fn claim_executions(
        &self,
        host: HostId,
        filter: &ClaimFilter,
        limit: u32,
    ) -> Result<Vec<Snapshot>>;
    /// Claims up to `limit` tasks that are ready, in the order of their rank. One that cannot be read fails its call.
    async fn claim_tasks(
        &self,
        host: HostId,
        filter: &ClaimFilter,
        limit: u32,
    ) -> Result<Vec<ClaimedTask>>;
    /// Claims the one suspect, an execution or a task, that is ready and has the fewest losses: it is to be run alone. The other
    /// claims leave suspects.
    async fn claim_suspect(&self, host: HostId, filter: &ClaimFilter) -> Result<Option<Suspect>>;
    /// What an activation of an execution that this host owns begins with. None: it does not own it.
    async fn snapshot(&self, host: HostId, execution: ExecutionId) -> Result<Option<Snapshot>>;
    /// What lies in the inbox of an execution that this host owns. None: it does not own it.
    async fn inbox(&self, host: HostId, execution: ExecutionId) -> Result<Option<Inbox>>;
    /// Ends an attempt of a task that this host runs. Where the row is no longer there, nothing is written.
    /// The notes of the attempt are written with it. `None`: the row was gone. After `Retry` and `Lost` nothing has come to the
    /// execution, so the answer is `To { owner: None }`.
    async fn end_task(
        &self,
        host: HostId,
        task: &TaskRef,
        end: TaskEnd,
        notes: Vec<NotedBy>,
    ) -> Result<Option<Delivered>>;
    /// Makes ready what is due by `now`, at most `limit` rows of each kind; fails tasks whose `schedule_by` has passed.
    /// Returns how many there were.
    async fn promote(&self, host: HostId, now: Timestamp, limit: u32) -> Result<u32>;
    /// Removes limits that nothing refers to, some at a time. Returns how many there were.
    async fn prune_limits(&self, host: HostId) -> Result<u64>;
    /// Tells at most `limit` of the calls that wait for the result of another: of what it brought, or, where it went without
    /// an end, that one of them leads now. To be asked again while there were some.
    async fn answer_followers(&self, host: HostId, limit: u32) -> Result<Followed>;
    /// Removes at most `limit` kept results that answer no call any more at `now`. Returns how many there were.
    async fn prune_results(&self, host: HostId, now: Timestamp, limit: u32) -> Result<u64>;
    /// The executions and tasks that the rows say are this host's.
    async fn owned(&self, host: HostId) -> Result<(Vec<ExecutionId>, Vec<TaskRef>)>;
    /// The tasks that were dropped while this host ran them: their guests are to be stopped, and their ends said as any end.
    async fn stopping(&self, host: HostId) -> Result<Vec<StoppingTask>>;
    /// A dropped task that this host ran runs no longer, and its slots are free. Where it is not there, nothing happens.
    async fn stopped(&self, host: HostId, stopped: StoppingTask) -> Result<()>;
    /// Releases an execution that this host owns and cannot activate now: it is ready for any host, and no loss is counted.
    /// Where it is no longer this host's, nothing happens.
    async fn free(&self, host: HostId, execution: ExecutionId) -> Result<()>;

    /// Puts an execution that this host owns aside without reading it, because what lies there cannot be read. Where it is no
    /// longer this host's, nothing happens.
    async fn block(&self, host: HostId, execution: ExecutionId, why: &Failure) -> Result<()>;

    // -- from outside -----------------------------------------------------------------------------------------------

    /// Puts something into an execution's inbox.
    async fn deliver(
        &self,
        host: HostId,
        execution: ExecutionId,
        arrival: &Arrival,
    ) -> Result<Delivered>;
    /// Pauses or resumes an execution.
    async fn pause(
        &self,
        host: HostId,
        execution: ExecutionId,
        paused: Option<Timestamp>,
    ) -> Result<Delivered>;
    /// Pauses a queue, also one that does not exist yet, or resumes it. Doing it again changes nothing.
    async fn pause_queue(
        &self,
        host: HostId,
        queue: &Name,
        paused: Option<Timestamp>,
    ) -> Result<()>;
    /// Begins the next run of an execution that has ended badly or is blocked: appends a `run` entry after which what lies
    /// beyond `from` (for `Retry`: the last entry before its end, less the failure it ended with; decided here under the
    /// row's lock from what `journal::retry_from` says) is superseded, and makes it ready.
    async fn revive(
        &self,
        host: HostId,
        execution: ExecutionId,
        revival: &Revival,
    ) -> Result<Revived>;
    /// Removes dead letters. Returns those that were there.
    async fn discard_dead_letters(&self, host: HostId, ids: &[i64]) -> Result<Vec<i64>>;

    // -- schedules --------------------------------------------------------------------------------------------------

    /// Puts a schedule, or changes the one of that name: what it remembers stays, and a firing that is late is still due if
    /// the new one fires at the same times.
    async fn put_schedule(&self, host: HostId, name: &Name, spec: &ScheduleSpec) -> Result<Put>;
    /// Removes a schedule; what it has started goes on. False: there was none.
    async fn remove_schedule(&self, host: HostId, name: &Name) -> Result<bool>;
    /// Pauses or resumes a schedule. What would have fired while it was paused is not made up for. None: there is none.
    async fn pause_schedule(
        &self,
        host: HostId,
        name: &Name,
        paused: Option<Timestamp>,
    ) -> Result<Option<ScheduleRow>>;
    /// Starts what a schedule starts, now and whatever else of it runs. Its times do not move.
    async fn trigger(&self, host: HostId, trigger: &Trigger) -> Result<Triggered>;
    /// Fires those of these schedules that are due by the database's clock, unchanged and nobody else's at the moment, and moves
    /// them on, in one transaction with the births of what they start. Says what became of each that it fired.
    async fn fire(&self, host: HostId, planned: &[Planned]) -> Result<Vec<Fired>>;
    /// Schedules that have to be looked at by `now`, longest due first.
    async fn due_schedules(&self, now: Timestamp, limit: u32) -> Result<Vec<ScheduleRow>>;
    /// One schedule.
    async fn schedule(&self, name: &Name) -> Result<Option<ScheduleRow>>;
    /// Schedules by name, those after `after`.
    async fn schedules(&self, after: Option<&Name>, limit: u32) -> Result<Vec<ScheduleRow>>;
    /// Removes at most `limit` executions that ended for long, with all that is theirs: those of which no child is under way,
    /// and no parent can ask for any more. A journal too long for one transaction goes in several.
    async fn remove_executions(&self, host: HostId, old: &Old, limit: u32) -> Result<Removed>;
    /// Removes at most `limit` dead letters that were made before then. Returns how many there were.
    async fn remove_dead_letters(&self, host: HostId, before: Timestamp, limit: u32)
    -> Result<u64>;
    /// Removes lines that were said before then from among the first `limit` of the log. Returns how many there were.
    async fn remove_logs(&self, host: HostId, before: Timestamp, limit: u32) -> Result<u64>;

    // -- reading ----------------------------------------------------------------------------------------------------

    /// One execution.
    async fn execution(&self, id: ExecutionId) -> Result<Option<ExecutionView>>;
    /// Where it stands, without all that a view holds.
    async fn state(&self, id: ExecutionId) -> Result<Option<ExecutionState>>;
    /// Its end, where it has ended.
    async fn result(&self, id: ExecutionId) -> Result<Option<Ended>>;
    /// A list.
    async fn executions(&self, filter: &ExecutionFilter) -> Result<ExecutionPage>;
    /// Executions that were accepted or have ended, in the order of when, behind a time and id.
    async fn changes(&self, after: (Timestamp, ExecutionId), limit: u32) -> Result<Vec<Change>>;
    /// Queues by name, at most `limit`.
    async fn queues(&self, limit: u32) -> Result<Vec<QueueRow>>;
    /// The queues that are paused, and since when.
    async fn paused_queues(&self) -> Result<Vec<(Name, Timestamp)>>;
    /// A list of tasks.
    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>>;
    /// One task.
    async fn task(&self, id: TaskId) -> Result<Option<TaskRow>>;
    /// What is around those that wait: hosts, paused queues, and these limits.
    async fn surroundings(&self, limits: &[String], holders: Holders) -> Result<Surroundings>;
    /// A page of its journal after `after`.
    async fn journal(&self, id: ExecutionId, after: Seq, limit: u32) -> Result<JournalPage>;
    /// A page of its log after line `after`.
    async fn logs(&self, id: ExecutionId, after: i64, limit: u32) -> Result<Vec<LogLine>>;
    /// Only those lines that tell of attempts which failed and were followed by another.
    async fn failed_attempts(
        &self,
        id: ExecutionId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<LogLine>>;
    /// A page of dead letters with ids below `before`, newest first.
    async fn dead_letters(
        &self,
        filter: &LetterFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>>;
    /// How many dead letters there are of each step, most first, of at most `limit` steps.
    async fn letter_counts(&self, filter: &LetterFilter, limit: u32) -> Result<Vec<LetterCount>>;
    /// The argument of a call: what is at that place of that entry; none where there is nothing.
    async fn argument(&self, id: ExecutionId, at: (Seq, u32)) -> Result<Option<Payload>>;
    /// One dead letter.
    async fn dead_letter(&self, id: i64) -> Result<Option<DeadLetter>>;
    /// How much a removal would remove of what is older than `before`; kept results by `now`.
    async fn removable(
        &self,
        states: &[ExecutionState],
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Removable>;
    /// How much there is of what.
    async fn counts(&self) -> Result<Counts>;
    /// The database's clock.
    async fn now(&self) -> Result<Timestamp>;
    /// How much of the pool of connections is in use at the moment.
    fn pool(&self) -> PoolUse;
}

/// Connections of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// In use.
    pub busy: u32,
    /// Open, and in nobody's use.
    pub idle: u32,
}

impl PoolUse {
    /// So many are open, of which so many are idle.
    fn of(open: u32, idle: usize) -> Self {
        let idle = u32::try_from(idle).unwrap_or(u32::MAX).min(open);
        Self { busy: open - idle, idle }
    }
}

/// What a host takes.
#[derive(Debug, Clone, Default)]
pub struct ClaimFilter {
    /// Only from these queues; empty means all.
    pub queues: Vec<Name>,
    /// Only what shares one of these or has none; empty means all.
    pub tags: Vec<Name>,
    /// The newest version of journal entries that it can read.
    pub journal_version: u32,
    /// From how many losses in a row on work is suspected of killing its hosts; none suspects nothing.
    pub suspect_after: Option<u32>,
}

impl ClaimFilter {
    /// Whether a host with this filter takes work that is routed so: the same answer as that of a claim.
    pub fn takes(&self, routing: &Routing) -> bool {
        let serves = self.queues.is_empty() || self.queues.contains(&routing.queue);
        let shares = || routing.tags.iter().any(|tag| self.tags.contains(tag));
        serves && (self.tags.is_empty() || routing.tags.is_empty() || shares())
    }
}

/// A task row that this host runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskRef {
    /// Which.
    pub id: TaskId,
    /// Whose.
    pub execution: ExecutionId,
    /// Its run.
    pub run: Run,
    /// What it settles.
    pub promise: Promise,
    /// The attempt.
    pub attempt: u32,
}

/// How an execution goes on.
#[derive(Debug, Clone)]
pub struct Revival {
    /// Why.
    pub why: RunReason,
    /// For `Redrive`: the dead letter's call, to whose settlement the journal goes back.
    pub redrive: Option<Redrive>,
    /// For `Redrive`: the run in which the dead letter was written.
    pub of_run: Option<Run>,
    /// The module it goes on with; none keeps the one it has.
    pub module: Option<ModuleDigest>,
    /// When, for a new expiry: the old `max_duration` is counted again from here.
    pub at: Timestamp,
    /// Only say what would come of it.
    pub dry_run: bool,
}
