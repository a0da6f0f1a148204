//! Things to be done when something happens.

use std::time::Duration;

use serde_json::Value;
use stepwell::model::ExecutionId;

/// A moment in what a test host runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cue(pub(crate) Moment);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Moment {
    /// So long after the cue was given.
    Passed(Duration),
    /// An attempt of that step has begun.
    Begun(String),
    /// A result of that step, or its last failure, is in a journal.
    Settled(String),
    /// So many entries are in the journals since the host began.
    Recorded(u64),
}

impl Cue {
    /// So much virtual time after the cue was given: `"36h"`.
    ///
    /// # Panics
    /// Where the text is no duration.
    #[track_caller]
    pub fn after(time: &str) -> Self {
        Self(Moment::Passed(crate::duration(time)))
    }

    /// An attempt of that step has begun, and has not ended yet.
    pub fn begun(step: &str) -> Self {
        Self(Moment::Begun(step.to_owned()))
    }

    /// A result of that step, or its last failure, is in the journal, and the workflow has not seen it yet.
    pub fn settled(step: &str) -> Self {
        Self(Moment::Settled(step.to_owned()))
    }

    /// The journals of all executions have so many entries together.
    pub fn recorded(entries: u64) -> Self {
        Self(Moment::Recorded(entries))
    }
}

/// What is done on a cue.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    Signal { execution: ExecutionId, name: String, payload: Value },
    Cancel { execution: ExecutionId, reason: String },
    Crash,
}
