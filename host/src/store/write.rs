//! What the owner of executions and tasks asks the store to write: the forms that share one group commit.

use std::time::Duration;

use super::TaskRef;
use super::view::Delivered;
use crate::journal::{Arrival, Body, Entry, Started};
use crate::model::{
    CallLimits, ExecutionId, ExecutionState, Failure, HostId, InboxId, ModuleDigest, Name, Note,
    Outcome, Payload, Promise, ResultKey, RetryPolicy, Routing, Run, Seq, StepUsage, TaskId,
    Timestamp, TraceParent, Wake,
};

/// One member of a batch. All writes of a batch are durable together, or none is.
#[derive(Debug, Clone)]
pub enum Write {
    /// A new execution.
    Start(Box<NewExecution>),
    /// What the owner of an execution adds to it.
    Append(Box<Append>),
    /// How a task that this host ran has settled.
    End(Box<TaskSettled>),
    /// What an attempt of a step says while it runs.
    Say(Box<Spoken>),
}

impl Write {
    /// Whose write it is: the batch locks execution rows in the order of their ids.
    pub fn execution(&self) -> ExecutionId {
        match self {
            Self::Start(new) => new.id,
            Self::Append(append) => append.execution,
            Self::End(end) => end.task.execution,
            Self::Say(spoken) => spoken.execution,
        }
    }

    /// Whether one batch holds no other such write of its execution. Any number of its tasks may end at once.
    pub fn is_alone(&self) -> bool {
        match self {
            Self::Start(_) | Self::Append(_) => true,
            Self::End(_) | Self::Say(_) => false,
        }
    }
}

/// What became of one member of a committed batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It is durable.
    Done(Effects),
    /// A start whose id exists already: nothing was written for it. The caller compares the input's hash.
    Exists {
        /// Of the input of the execution that is there.
        input_hash: [u8; 16],
    },
    /// An append by a host that no longer owns the execution (taken over, or ended by force): nothing was written for it.
    NotOwner,
    /// The task's row is gone, and the outcome was brought to its execution. `None`: the row was gone already, or was another
    /// host's or attempt's, and nothing was written.
    Ended(Option<Delivered>),
    /// The same for a task that led others: those who wait for its outcome are to be told.
    Led(Delivered),
}

/// The outcome of a task that this host ran. Only from the row that is deleted for it may it reach its execution.
#[derive(Debug, Clone)]
pub struct TaskSettled {
    /// Which row.
    pub task: TaskRef,
    /// How.
    pub outcome: Outcome,
    /// What the attempt used.
    pub usage: StepUsage,
    /// Set where the attempts ran out.
    pub dead_letter: Option<NewDeadLetter>,
    /// What the attempt said.
    pub notes: Vec<NotedBy>,
}

/// What a durable write did beyond its own execution.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Whom its messages concern: owners of the receivers, and the queues of those that became ready.
    pub wakes: Vec<Wake>,
    /// Children whose ids existed already: nothing was written for them, and they report to whoever started them first.
    pub existing: Vec<ExecutionId>,
}

/// An execution to be born, with its first journal entry.
#[derive(Debug, Clone)]
pub struct NewExecution {
    /// Random, or a hash: see [`ExecutionId::of_key`].
    pub id: ExecutionId,
    /// What runs.
    pub workflow: Name,
    /// The module it is pinned to.
    pub module: ModuleDigest,
    /// Which hosts may run it.
    pub routing: Routing,
    /// Whom its outcome goes to.
    pub parent: Option<Parent>,
    /// The argument.
    pub input: Payload,
    /// What its randomness is made from.
    pub seed: [u8; 32],
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it may begin: later than `created_at` where it is delayed.
    pub start_at: Timestamp,
    /// When it is `timed_out`: counted from `start_at`.
    pub expires_at: Option<Timestamp>,
    /// The incarnation that begins it without a claim; none leaves it to whoever claims it.
    pub owner: Option<HostId>,
    /// The trace that it was started in, and what caused it there.
    pub traceparent: Option<TraceParent>,
}

impl NewExecution {
    /// The first entry of its journal.
    pub fn first_entry(&self) -> Entry {
        let (workflow, input) = (self.workflow.clone(), self.input.clone());
        Entry {
            seq: Seq(1),
            run: Run(0),
            recorded_at: self.created_at,
            noted: 0,
            body: Body::Started(Started { workflow, input, seed: self.seed }),
        }
    }
}

/// Whom an outcome goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The parent.
    pub execution: ExecutionId,
    /// Its run.
    pub run: Run,
    /// What the outcome settles there.
    pub promise: Promise,
    /// Not cancelled with its parent.
    pub detached: bool,
}

/// What an owner adds to one execution, in one transaction. Empty parts cost nothing.
#[derive(Debug, Clone)]
pub struct Append {
    /// Whose.
    pub execution: ExecutionId,
    /// Who writes: checked against the row whenever the row is touched; the primary key of the journal is the second wall.
    pub owner: HostId,
    /// Its run after this write.
    pub run: Run,
    /// New journal entries, in order.
    pub entries: Vec<Entry>,
    /// Inbox rows that became entries, or were dropped as repeats: deleted, and counted.
    pub admitted: Vec<InboxId>,
    /// Calls that become task rows.
    pub tasks: Vec<NewTask>,
    /// Promises (of any run up to this one) whose task rows are deleted.
    pub dropped_tasks: Vec<(Run, Promise)>,
    /// Executions to be born.
    pub children: Vec<NewExecution>,
    /// Arrivals for other executions: a child's outcome for its parent, a cancel for a child. Dropped where the receiver is
    /// terminal.
    pub messages: Vec<(ExecutionId, Arrival)>,
    /// Logs, progress, counters, state.
    pub notes: Vec<NotedBy>,
    /// Steps whose attempts ran out.
    pub dead_letters: Vec<NewDeadLetter>,
    /// What happens to the row.
    pub row: RowChange,
}

impl Append {
    /// An append of nothing, to be filled.
    pub fn new(execution: ExecutionId, owner: HostId, run: Run) -> Self {
        Self {
            execution,
            owner,
            run,
            entries: Vec::new(),
            admitted: Vec::new(),
            tasks: Vec::new(),
            dropped_tasks: Vec::new(),
            children: Vec::new(),
            messages: Vec::new(),
            notes: Vec::new(),
            dead_letters: Vec::new(),
            row: RowChange::Keep,
        }
    }

    /// Whether it would write nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.admitted.is_empty()
            && self.tasks.is_empty()
            && self.dropped_tasks.is_empty()
            && self.children.is_empty()
            && self.messages.is_empty()
            && self.notes.is_empty()
            && self.dead_letters.is_empty()
            && matches!(self.row, RowChange::Keep)
    }
}

/// Lines of a log that are written before their attempt has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// Whose.
    pub execution: ExecutionId,
    /// Its run.
    pub run: Run,
    /// Logs and progress.
    pub lines: Vec<NotedBy>,
}

/// A note and where it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedBy {
    /// The step's name; none for the workflow itself.
    pub step: Option<Name>,
    /// The step's promise; none for the workflow itself.
    pub promise: Option<Promise>,
    /// The step's attempt; 0 for the workflow itself.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// What.
    pub note: Note,
    /// For what the host says of an attempt that failed and is followed by another: when that began.
    pub attempt_began_at: Option<Timestamp>,
}

/// What happens to an execution's row.
#[derive(Debug, Clone, PartialEq)]
pub enum RowChange {
    /// Nothing: the commonest append touches the journal alone.
    Keep,
    /// It stays with its owner, in this state (`running` or `cancelling`), in `Append::run`, with this expiry.
    Stay {
        /// The state.
        state: ExecutionState,
        /// When it is `timed_out` or compensation is over, if ever.
        expires_at: Option<Timestamp>,
        /// For continue-as-new: the seq of the `run` entry before which nothing is read.
        base: Option<Seq>,
    },
    /// It gives up its owner and waits: for what arrives after `seen`, for its earliest timer, for its expiry.
    Park {
        /// The `inbox_seq` that was read in one snapshot with the inbox rows, or earlier.
        seen: i64,
        /// The earliest timer.
        next_timer: Option<Timestamp>,
    },
    /// It gives up its owner and is ready for any host at once.
    Release,
    /// The end. What is left in its inbox goes.
    End {
        /// A terminal state.
        state: ExecutionState,
        /// The kind of the failure, for lists.
        failure_kind: Option<String>,
    },
    /// It cannot go on without a person. It gives up its owner.
    Block {
        /// Why, kept in the row.
        why: Failure,
    },
}

/// A call that waits in a queue. Its input is in the journal, or here for a retry of the same.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTask {
    /// A new id.
    pub id: TaskId,
    /// What it settles.
    pub promise: Promise,
    /// The step.
    pub step: Name,
    /// The journal entry that holds its input, and the place among the inputs of a call-many.
    pub input: (Seq, u32),
    /// Which hosts may take it.
    pub routing: Routing,
    /// When it may begin.
    pub visible_at: Timestamp,
    /// The attempt it will be, from 1.
    pub attempt: u32,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// When it fails with `timed-out` if nobody has begun it.
    pub schedule_by: Option<Timestamp>,
    /// When a failed attempt is tried again.
    pub retry: RetryPolicy,
    /// Why the attempt before failed.
    pub last_failure: Option<Failure>,
    /// What the attempt before left.
    pub heartbeat: Option<Payload>,
    /// The incarnation that runs it already, for a local step that is handed over; none leaves it to whoever claims it.
    pub owner: Option<HostId>,
    /// The limits it has to keep to; one that has any is inserted waiting for them.
    pub limits: CallLimits,
    /// For a call whose result answers others: whether this one runs at all is decided in the commit.
    pub keep: Option<Keep>,
}

/// How the result of a call is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// What calls share that are given one result.
    pub key: ResultKey,
    /// The step's version, for people.
    pub version: String,
    /// How long it answers later calls; none is for ever.
    pub ttl: Option<Duration>,
}

/// A step whose attempts ran out, kept for replay or discard.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDeadLetter {
    /// What it would have settled.
    pub promise: Promise,
    /// The step.
    pub step: Name,
    /// The journal entry that holds its input, and the place among the inputs of a call-many.
    pub input: (Seq, u32),
    /// How many attempts there were.
    pub attempts: u32,
    /// Why the last one failed.
    pub failure: Failure,
    /// When.
    pub at: Timestamp,
    /// Where it would have waited; none where a task's row says it.
    pub queue: Option<Name>,
}

/// What becomes of a task's row after an attempt, in one transaction that begins with deleting or changing exactly the row
/// of (id, owner, attempt): where that row is gone, nothing happens.
#[derive(Debug, Clone)]
pub enum TaskEnd {
    /// The row goes, the outcome goes into the execution's inbox.
    Settled {
        /// How.
        outcome: Outcome,
        /// What the attempt used.
        usage: StepUsage,
        /// Set where the attempts ran out.
        dead_letter: Option<NewDeadLetter>,
    },
    /// The row waits for its next attempt.
    Retry {
        /// When.
        at: Timestamp,
        /// Why this attempt failed.
        failure: Failure,
        /// What it left.
        heartbeat: Option<Payload>,
    },
    /// The row is ready for any host; the attempt does not count, and what it ran may be what its host was lost under.
    Lost,
    /// The same without that suspicion.
    GivenBack,
}
