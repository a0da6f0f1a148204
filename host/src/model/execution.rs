//! The states of an execution, and how work finds its host.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Name;

/// Where an execution stands. Paused is a flag beside this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionState {
    /// Accepted; no host has begun it.
    Pending,
    /// A host owns it.
    Running,
    /// Parked: no owner, nothing to do until something arrives or a timer is due.
    Waiting,
    /// Asked to end; compensating.
    Cancelling,
    /// Ended with a result.
    Completed,
    /// Ended with a failure.
    Failed,
    /// Ended because `max_duration` had passed.
    TimedOut,
    /// Ended because somebody asked for it.
    Cancelled,
    /// Cannot go on without a person: diverged, or its host was lost under it again and again.
    Blocked,
}

use ExecutionState::{
    Blocked, Cancelled, Cancelling, Completed, Failed, Pending, Running, TimedOut, Waiting,
};

impl ExecutionState {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 9] =
        [Pending, Running, Waiting, Cancelling, Completed, Failed, TimedOut, Cancelled, Blocked];

    /// The word that databases and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Pending => "pending",
            Running => "running",
            Waiting => "waiting",
            Cancelling => "cancelling",
            Completed => "completed",
            Failed => "failed",
            TimedOut => "timed_out",
            Cancelled => "cancelled",
            Blocked => "blocked",
        }
    }

    /// How an execution stands, as the end of a sentence about it.
    pub const fn predicate(self) -> &'static str {
        match self {
            Pending => "is pending",
            Running => "is running",
            Waiting => "is waiting",
            Cancelling => "is cancelling",
            Completed => "has completed",
            Failed => "has failed",
            TimedOut => "has timed out",
            Cancelled => "was cancelled",
            Blocked => "is blocked",
        }
    }

    /// Whether nothing more happens by itself or by arrivals.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Completed | Failed | TimedOut | Cancelled)
    }

    /// The one table of allowed changes.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Pending => matches!(next, Running | Cancelled | TimedOut),
            // Handed over by a host that drains or dies: ready again for any other.
            Running | Cancelling => {
                matches!(
                    next,
                    Running
                        | Waiting
                        | Cancelling
                        | Completed
                        | Failed
                        | TimedOut
                        | Cancelled
                        | Blocked
                )
            }
            Waiting => matches!(next, Running | Cancelling | Cancelled | TimedOut | Blocked),
            // A mended module or a person lets it go on.
            Blocked => matches!(next, Running | Waiting | Cancelled),
            // Retry and replay of a dead letter begin the next run.
            Failed | TimedOut | Cancelled => matches!(next, Waiting | Running),
            Completed => false,
        }
    }
}

impl fmt::Display for ExecutionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no state.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is no state; one of pending, running, waiting, cancelling, completed, failed, timed_out, cancelled, blocked"
)]
pub struct UnknownState(String);

impl FromStr for ExecutionState {
    type Err = UnknownState;

    fn from_str(word: &str) -> Result<Self, UnknownState> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or_else(|| UnknownState(word.to_owned()))
    }
}

/// Which hosts may take the work, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing {
    /// The queue.
    pub queue: Name,
    /// Hosts that have tags take what shares one with them, and what has none.
    #[serde(default)]
    pub tags: Vec<Name>,
    /// Higher goes first, [`Routing::PRIORITY_MIN`] to [`Routing::PRIORITY_MAX`].
    #[serde(default)]
    pub priority: i32,
}

impl Routing {
    /// The lowest priority.
    pub const PRIORITY_MIN: i32 = -100;
    /// The highest priority.
    pub const PRIORITY_MAX: i32 = 100;
    /// The most tags one piece of work may have.
    pub const TAGS_MAX: usize = 16;
    /// What one step of priority is worth in waiting: work of priority 1 overtakes what waits up to a minute longer.
    pub const PRIORITY_STEP: std::time::Duration = std::time::Duration::from_secs(60);

    /// The order among ready work, fixed at insert: priority and ageing in one. Lower goes first.
    pub fn rank(&self, due: super::Timestamp) -> i64 {
        let step = i64::try_from(Self::PRIORITY_STEP.as_micros()).unwrap_or(i64::MAX);
        due.as_micros() - i64::from(self.priority) * step
    }
}

impl Default for Routing {
    fn default() -> Self {
        Self { queue: Name::default_queue(), tags: Vec::new(), priority: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn every_word_is_read_back() {
        for state in ExecutionState::ALL {
            assert_eq!(state.as_str().parse::<ExecutionState>().unwrap(), state);
        }
        assert!("paused".parse::<ExecutionState>().is_err());
    }

    #[test]
    fn a_completed_execution_stays_so() {
        assert!(ExecutionState::ALL.into_iter().all(|next| !Completed.may_become(next)));
    }

    #[test]
    fn waiting_outweighs_priority_in_the_end() {
        let urgent = Routing { priority: 1, ..Routing::default() };
        let late = Timestamp::from_micros(61_000_000);

        assert!(Routing::default().rank(Timestamp::default()) < urgent.rank(late));
        assert!(urgent.rank(Timestamp::default()) < Routing::default().rank(Timestamp::default()));
    }
}
