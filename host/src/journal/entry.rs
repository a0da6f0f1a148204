//! What a journal is made of.

use serde::{Deserialize, Serialize};

use crate::model::{
    ExecutionId, ExecutionState, Failure, ModuleDigest, Name, Outcome, Payload, Promise, Run, Seq,
    StepUsage, Timestamp,
};

/// One line of the record of one execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place, from 1 without gaps.
    pub seq: Seq,
    /// The run that wrote it.
    pub run: Run,
    /// By the database's clock; never earlier than that of the entry before.
    pub recorded_at: Timestamp,
    /// How many notes of the run are durable once this entry is: see [`crate::model::Note`]. Zero where it says nothing.
    pub noted: u64,
    /// What happened.
    pub body: Body,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// A run began: at first, or by continue-as-new.
    Started(Started),
    /// The next run begins. Entries after `from` are superseded: kept, and no longer read (see [`super::effective`]).
    Run(RunEntry),
    /// The run ended: the last entry, unless another `Run` follows.
    Ended(Ended),
    /// Nothing but `noted`: notes became durable without an event to travel with.
    Noted,
    /// The workflow did something.
    Command(CommandEntry),
    /// The world did something.
    Event(Event),
}

/// The beginning of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// What runs.
    pub workflow: Name,
    /// Its argument.
    pub input: Payload,
    /// What `random` and WASI's randomness are made from.
    pub seed: [u8; 32],
}

/// Why another run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunReason {
    /// The workflow asked for it.
    ContinueAsNew,
    /// A person had a failed execution tried again.
    Retry,
    /// A person had a dead letter replayed.
    Redrive,
    /// A person moved it to another module.
    Upgrade,
}

/// The beginning of another run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEntry {
    /// The last entry that still counts; 0 for none. Of those between it and this one, commands that came after an entry
    /// that counts still count.
    pub from: Seq,
    /// Why.
    pub why: RunReason,
    /// The module that it goes on with.
    pub module: ModuleDigest,
    /// Ids of signals received before that a repeat is still recognised by.
    pub signal_ids: Vec<String>,
    /// For a redrive: which call is made again, and how.
    pub redrive: Option<Redrive>,
}

/// The call of a dead letter, made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// What it settles.
    pub promise: Promise,
    /// The queue it goes to; none leaves it where its caller sends it.
    pub queue: Option<Name>,
    /// How many attempts count as made.
    pub attempts: u32,
}

impl RunEntry {
    /// Whether the run before has not ended, where this entry stands at `seq`: it was blocked, and nothing of it is superseded.
    pub fn goes_on_at(&self, seq: Seq) -> bool {
        self.from.next() == seq
    }
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// A terminal state.
    pub state: ExecutionState,
    /// What it returned, or why it failed.
    pub outcome: Outcome,
    /// Units of fuel its last activation used from the first entry on.
    pub fuel: u64,
    /// How many signals nobody had received.
    pub unreceived: u32,
}

/// Something the workflow did.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandEntry {
    /// The seq of the last event that was delivered before it.
    pub after: Seq,
    /// What it did.
    pub command: Recorded,
}

/// A command as it is recorded. Inputs are absent where the entry was loaded for a replay, which compares hashes.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// Called a step.
    Call {
        /// What it settles.
        promise: Promise,
        /// The step.
        step: Name,
        /// Of the input.
        hash: [u8; 16],
        /// The argument.
        input: Option<Payload>,
    },
    /// Called a step many times.
    CallMany {
        /// The first of as many promises.
        promise: Promise,
        /// The step.
        step: Name,
        /// Of all inputs, one after the other.
        hash: [u8; 16],
        /// How many.
        count: u32,
        /// The arguments.
        inputs: Option<Vec<Payload>>,
    },
    /// Started a child.
    StartChild {
        /// What it settles.
        promise: Promise,
        /// The child's workflow.
        workflow: Name,
        /// Of the input.
        hash: [u8; 16],
        /// The child.
        child: ExecutionId,
        /// Not cancelled with its parent.
        detached: bool,
        /// The argument.
        input: Option<Payload>,
    },
    /// Set a timer.
    Sleep {
        /// What it settles.
        promise: Promise,
        /// What the guest asked for, compared on replay.
        milliseconds: u64,
        /// Fixed when the live command was first seen, not compared.
        due: Timestamp,
    },
    /// Waits for a signal.
    Receive {
        /// What it settles.
        promise: Promise,
        /// The signal's name.
        signal: Name,
    },
    /// No longer cares for these.
    Cancel {
        /// In the order the guest gave.
        promises: Vec<Promise>,
    },
    /// Will begin another run when it returns.
    ContinueAsNew {
        /// Of the input.
        hash: [u8; 16],
        /// The argument of the next run.
        input: Option<Payload>,
    },
}

impl Recorded {
    /// The promises that it makes.
    pub fn promises_created(&self) -> impl Iterator<Item = Promise> + use<> {
        let (first, count) = match self {
            Self::Call { promise, .. }
            | Self::StartChild { promise, .. }
            | Self::Sleep { promise, .. }
            | Self::Receive { promise, .. } => (promise.0, 1),
            Self::CallMany { promise, count, .. } => (promise.0, *count),
            Self::Cancel { .. } | Self::ContinueAsNew { .. } => (0, 0),
        };
        (first..first.saturating_add(count)).map(Promise)
    }
}

impl Recorded {
    /// The child that it starts.
    pub fn child(&self) -> Option<ExecutionId> {
        match self {
            Self::StartChild { child, .. } => Some(*child),
            Self::Call { .. }
            | Self::CallMany { .. }
            | Self::Sleep { .. }
            | Self::Receive { .. }
            | Self::Cancel { .. }
            | Self::ContinueAsNew { .. } => None,
        }
    }

    /// When its timer is due.
    pub fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Sleep { due, .. } => Some(*due),
            Self::Call { .. }
            | Self::CallMany { .. }
            | Self::StartChild { .. }
            | Self::Receive { .. }
            | Self::Cancel { .. }
            | Self::ContinueAsNew { .. } => None,
        }
    }

    /// Bytes of its inputs, as far as they are loaded.
    pub fn payload_bytes(&self) -> usize {
        match self {
            Self::Call { input, .. }
            | Self::StartChild { input, .. }
            | Self::ContinueAsNew { input, .. } => input.as_ref().map_or(0, Payload::bytes),
            Self::CallMany { inputs, .. } => {
                inputs.as_ref().map_or(0, |inputs| inputs.iter().map(Payload::bytes).sum())
            }
            Self::Sleep { .. } | Self::Receive { .. } | Self::Cancel { .. } => 0,
        }
    }
}

/// Something the world did.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step or child came to its end.
    Settled {
        /// Which promise.
        promise: Promise,
        /// How.
        outcome: Outcome,
        /// What the last attempt used; none for a child.
        usage: StepUsage,
        /// The attempt that settled it, from 1; 0 for a child.
        attempt: u32,
    },
    /// A timer was due.
    Fired {
        /// Which promise.
        promise: Promise,
    },
    /// A signal arrived.
    Received {
        /// Its name.
        signal: Name,
        /// What it says.
        payload: Payload,
        /// The sender's id, by which a repeat is dropped.
        id: Option<String>,
    },
    /// Somebody asked for the end.
    CancelRequested {
        /// Why, for people.
        reason: String,
    },
    /// `max_duration` has passed.
    Expired,
}

/// Something that lies in an inbox, or that the owner noticed itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrival {
    /// A task or child came to its end.
    Settled {
        /// The run that asked. Another run's is dropped.
        run: Run,
        /// Which promise.
        promise: Promise,
        /// How.
        outcome: Outcome,
        /// What the last attempt used.
        usage: StepUsage,
        /// The attempt that settled it, from 1; 0 for a child.
        attempt: u32,
    },
    /// A timer was due. Never lies in an inbox: the owner notices.
    Fired {
        /// Which promise.
        promise: Promise,
    },
    /// A signal.
    Signal {
        /// Its name.
        signal: Name,
        /// What it says.
        payload: Payload,
        /// The sender's id.
        id: Option<String>,
    },
    /// Somebody asks for the end.
    Cancel {
        /// Why, for people.
        reason: String,
        /// End it without asking the guest.
        force: bool,
    },
    /// `max_duration` has passed. Never lies in an inbox.
    Expired,
}

/// Why an execution is `blocked`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// `diverged`, `host-lost`, or what else keeps it.
    pub kind: String,
    /// The entry and what was recorded and asked, for people.
    pub message: String,
}

impl From<Blocked> for Failure {
    fn from(blocked: Blocked) -> Self {
        Self::new(blocked.kind, blocked.message)
    }
}
