//! What was read of a host, as far as it is shown.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::exposition::Readings;
use crate::cli::out::reason;
use crate::model::{ExecutionState, Failure, Timestamp};

/// All that the overview shows, read at one time.
#[derive(Debug, Default)]
pub(super) struct Overview {
    pub(super) stats: Stats,
    pub(super) queues: Vec<Queue>,
    pub(super) hosts: Vec<Host>,
    pub(super) executions: Vec<Execution>,
    pub(super) troubles: Vec<Trouble>,
    /// None where this host does not tell.
    pub(super) readings: Option<Readings>,
}

/// How much there is of what.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Stats {
    pub(super) executions: BTreeMap<String, u64>,
    pub(super) dead_letters: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) paused_at: Option<Timestamp>,
    pub(super) waiting: u64,
    pub(super) running: u64,
    pub(super) blocked: u64,
    pub(super) oldest_at: Option<Timestamp>,
    pub(super) executions: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) alive: bool,
    pub(super) version: String,
    pub(super) started_at: Timestamp,
}

/// An execution in a list.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Execution {
    pub(super) id: String,
    pub(super) workflow: String,
    pub(super) state: ExecutionState,
    pub(super) paused_at: Option<Timestamp>,
    pub(super) queue: String,
    pub(super) created_at: Timestamp,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) failure: Option<Failure>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Letter {
    id: String,
    execution: String,
    workflow: String,
    step: String,
    attempts: u32,
    failure: Failure,
    created_at: Timestamp,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trouble {
    /// No other has it.
    pub(super) key: String,
    pub(super) at: Timestamp,
    pub(super) kind: TroubleKind,
    pub(super) execution: String,
    pub(super) what: String,
    pub(super) why: String,
}

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TroubleKind {
    Ended(ExecutionState),
    Letter,
}

impl TroubleKind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ended(state) => state.as_str(),
            Self::Letter => "dead letter",
        }
    }
}

impl From<&Execution> for Trouble {
    fn from(execution: &Execution) -> Self {
        Self {
            key: execution.id.clone(),
            at: execution.completed_at.unwrap_or(execution.created_at),
            kind: TroubleKind::Ended(execution.state),
            execution: execution.id.clone(),
            what: execution.workflow.clone(),
            why: execution.failure.as_ref().map(reason).unwrap_or_default(),
        }
    }
}

impl From<&Letter> for Trouble {
    fn from(letter: &Letter) -> Self {
        Self {
            key: letter.id.clone(),
            at: letter.created_at,
            kind: TroubleKind::Letter,
            execution: letter.execution.clone(),
            what: format!("{}/{}", letter.workflow, letter.step),
            why: format!("{} ({} attempts)", reason(&letter.failure), letter.attempts),
        }
    }
}

/// The newest first.
pub(super) fn troubles(ended: &[Execution], letters: &[Letter]) -> Vec<Trouble> {
    let mut troubles: Vec<Trouble> = ended.iter().map(Trouble::from).collect();
    troubles.extend(letters.iter().map(Trouble::from));
    troubles.sort_by_key(|trouble| std::cmp::Reverse(trouble.at));
    troubles
}
