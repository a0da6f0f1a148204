//! When a workflow does something else than its journal says it did.

use std::fmt;

use super::entry::{Blocked, CommandEntry, Recorded};
use crate::model::{Failure, Seq};

/// What was recorded and what came instead. The execution is not failed by it: it is blocked until a mended module, or a
/// person, lets it go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq}: recorded was {recorded}, the workflow now {asked}")]
pub struct Divergence {
    /// The entry at which they part.
    pub seq: Seq,
    /// What the journal says.
    pub recorded: String,
    /// What the workflow did.
    pub asked: String,
}

impl From<Divergence> for Blocked {
    fn from(divergence: Divergence) -> Self {
        Self {
            kind: "diverged".to_owned(),
            message: format!(
                "{divergence}; deploy the module that wrote this journal, or one that does the same up to here, and \
                 resume it"
            ),
        }
    }
}

/// Why a command could not be taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Halt {
    /// Block the execution.
    #[error(transparent)]
    Diverged(#[from] Divergence),
    /// Fail the execution: the guest went past a limit.
    #[error("{0}")]
    Exceeded(Failure),
}

/// Shows a recorded command to people, without its payload.
pub(super) struct Shown<'a>(pub(super) &'a Recorded);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let input = |hash: &[u8; 16]| {
            let [first, second, third, fourth, ..] = *hash;
            format!("input {first:02x}{second:02x}{third:02x}{fourth:02x}…")
        };
        match self.0 {
            Recorded::Call { step, hash, .. } => write!(f, "a call of {step} with {}", input(hash)),
            Recorded::CallMany { step, count, hash, .. } => {
                write!(f, "{count} calls of {step} with {}", input(hash))
            }
            Recorded::StartChild { workflow, hash, .. } => {
                write!(f, "a start of child {workflow} with {}", input(hash))
            }
            Recorded::Sleep { milliseconds, .. } => write!(f, "a sleep of {milliseconds} ms"),
            Recorded::Receive { signal, .. } => write!(f, "a receive of signal {signal}"),
            Recorded::Cancel { promises } => {
                let numbers: Vec<_> = promises.iter().map(ToString::to_string).collect();
                write!(f, "a cancel of promises {}", numbers.join(", "))
            }
            Recorded::ContinueAsNew { hash, .. } => {
                write!(f, "a continue-as-new with {}", input(hash))
            }
        }
    }
}

/// The command equals none: it came at another place.
pub(super) fn elsewhere(seq: Seq, recorded: &CommandEntry, after: Seq) -> Divergence {
    Divergence {
        seq,
        recorded: format!("{} after event {}", Shown(&recorded.command), recorded.after),
        asked: format!("did it after event {after}"),
    }
}

/// The command is another one.
pub(super) fn other(seq: Seq, recorded: &Recorded, asked: &Recorded) -> Divergence {
    Divergence {
        seq,
        recorded: Shown(recorded).to_string(),
        asked: format!("issued {}", Shown(asked)),
    }
}

/// The command did not come.
pub(super) fn left_over(seq: Seq, recorded: &Recorded, instead: &str) -> Divergence {
    Divergence { seq, recorded: Shown(recorded).to_string(), asked: instead.to_owned() }
}
