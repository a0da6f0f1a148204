//! Calls, attempts and what comes of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    ExecutionId, Failure, Name, Outcome, Payload, Promise, RetryPolicy, Run, Said, Timestamp, Trace,
};

/// What a caller decided for one call; `None` leaves what the step's declaration says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallOptions {
    /// The queue.
    pub queue: Option<Name>,
    /// The tags.
    pub tags: Option<Vec<Name>>,
    /// The priority.
    pub priority: Option<i32>,
    /// The retry policy.
    pub retry: Option<RetryPolicy>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How long the call may wait in a queue.
    pub schedule_timeout: Option<Duration>,
    /// Whether its result is kept and answers later calls.
    pub cached: Option<bool>,
    /// Run once, cluster-wide, for this key.
    pub idempotency_key: Option<String>,
}

/// What a parent decided for one child.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChildOptions {
    /// The queue.
    pub queue: Option<Name>,
    /// The tags.
    pub tags: Option<Vec<Name>>,
    /// The priority.
    pub priority: Option<i32>,
    /// How long to wait before it starts.
    pub delay: Option<Duration>,
    /// After which it is `timed_out`.
    pub max_duration: Option<Duration>,
    /// Not cancelled with its parent.
    pub detached: bool,
    /// Its id is a hash of (workflow, key).
    pub idempotency_key: Option<String>,
}

/// One attempt of a step, as the sandbox is asked to run it.
#[derive(Debug, Clone)]
pub struct StepCall {
    /// The execution that called.
    pub execution: ExecutionId,
    /// Its run.
    pub run: Run,
    /// Its workflow.
    pub workflow: Name,
    /// What the result will settle.
    pub promise: Promise,
    /// Which step.
    pub step: Name,
    /// Its argument.
    pub input: Payload,
    /// From 1.
    pub attempt: u32,
    /// How long it may take by the wall clock.
    pub timeout: Duration,
    /// When that will be, as the guest is told.
    pub deadline: Timestamp,
    /// What the attempt before left.
    pub last_heartbeat: Option<Payload>,
    /// What its requests are a part of.
    pub trace: Trace,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// The guest returned a value or a failure, or broke a limit: a failure of the guest's own.
    Returned(Outcome),
    /// The host stopped it: cancelled by its workflow, or the host drains. Says nothing about the step.
    Stopped,
}

impl Ending {
    /// The failure, where it is one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Returned(Err(failure)) => Some(failure),
            Self::Returned(Ok(_)) | Self::Stopped => None,
        }
    }
}

/// What an attempt used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepUsage {
    /// Units of fuel.
    pub fuel: u64,
    /// The most linear memory it held at once, in bytes.
    pub memory_peak_bytes: u64,
    /// By the wall clock, in microseconds.
    pub duration_micros: u64,
}

/// Everything that is known after an attempt.
#[derive(Debug, Clone)]
pub struct StepReport {
    /// How it ended.
    pub ending: Ending,
    /// What it used.
    pub usage: StepUsage,
    /// What it said, in order; counters and state count only if it completed.
    pub notes: Vec<Said>,
    /// The last heartbeat's detail.
    pub heartbeat: Option<Payload>,
}
