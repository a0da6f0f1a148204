//! What the store is asked about schedules, and what it says.

use std::time::Duration;

use super::view::Delivered;
use crate::model::{
    ExecutionId, Failure, Firing, ModuleDigest, Name, Progress, Routing, ScheduleSpec, Timestamp,
    Wake,
};

/// A schedule as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleRow {
    /// What it is called.
    pub name: Name,
    /// What it starts, and when.
    pub spec: ScheduleSpec,
    /// Another one after each change of the spec.
    pub version: i64,
    /// What it remembers.
    pub progress: Progress,
    /// Since when it is paused.
    pub paused_at: Option<Timestamp>,
    /// Its next firing, by its spec; none where there is none any more.
    pub next_at: Option<Timestamp>,
    /// When somebody has to look at it.
    pub due_at: Option<Timestamp>,
    /// When it was put there first.
    pub created_at: Timestamp,
    /// When its spec was changed last.
    pub updated_at: Timestamp,
}

/// What came of putting a schedule.
#[derive(Debug, Clone, PartialEq)]
pub enum Put {
    /// It was not there before.
    Created(Box<ScheduleRow>),
    /// It was, and is now so.
    Changed(Box<ScheduleRow>),
    /// `schedules_max` has been reached: nothing was written.
    Full,
}

/// What the executions of a schedule are started with, as the modules are now.
#[derive(Debug, Clone, PartialEq)]
pub struct StartPlan {
    /// The module they are pinned to.
    pub module: ModuleDigest,
    /// Which hosts may run them.
    pub routing: Routing,
    /// After which they are timed out, counted from their start.
    pub max_duration: Option<Duration>,
}

/// A schedule that was seen to be due, and how it starts what it starts.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What it is called.
    pub name: Name,
    /// The version that the plan was made for: if it is another by now, nothing happens.
    pub version: i64,
    /// How, or why it cannot.
    pub plan: Result<StartPlan, Failure>,
    /// What the randomness of its executions is made from.
    pub seed: [u8; 32],
}

/// What became of a schedule that was due.
#[derive(Debug, Clone)]
pub struct Fired {
    /// What it is called.
    pub name: Name,
    /// What was started, in the order of their times.
    pub started: Vec<Firing>,
    /// Why nothing could be started, where that is so.
    pub failure: Option<Failure>,
    /// How many firings were left out for the sake of what runs.
    pub skipped: u64,
    /// Whether firings were too late to be made up for.
    pub missed: bool,
    /// Whom it concerns.
    pub wakes: Vec<Wake>,
}

/// A start by hand of what a schedule starts.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// What the schedule is called.
    pub name: Name,
    /// The version that the plan was made for.
    pub version: i64,
    /// How.
    pub plan: StartPlan,
    /// The id of what is started: random, or of a key.
    pub execution: ExecutionId,
    /// What its randomness is made from.
    pub seed: [u8; 32],
}

/// What came of starting by hand what a schedule starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Triggered {
    /// It is durable.
    Started,
    /// An execution with this id, and so with this key, was there already.
    Exists {
        /// Of its input.
        input_hash: [u8; 16],
    },
    /// There is no such schedule.
    Missing,
    /// Its spec is another than that for which the plan was made.
    Changed,
}

/// Who is to be told of a cancelled execution, and is there anybody.
pub(super) fn told(execution: ExecutionId, delivered: Delivered) -> Option<Wake> {
    match delivered {
        Delivered::To { owner: Some(owner) } => Some(Wake::Arrival { owner, execution }),
        Delivered::To { owner: None } => Some(Wake::Work { queue: Name::default_queue() }),
        Delivered::Ended(_) | Delivered::Missing | Delivered::Full => None,
    }
}
