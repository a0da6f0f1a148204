//! The reasons why something waits, for programs and as sentences.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{ExecutionId, Failure, Name, TaskId, Timestamp};
use crate::store::LimitRow;

/// Why something waits. Of several reasons, the first in this order is told: mending a later one would not help.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Wait {
    /// Its execution is paused.
    ExecutionPaused {
        /// Since when.
        since: Timestamp,
    },
    /// Its queue is paused.
    QueuePaused {
        /// The queue.
        queue: Name,
        /// Since when.
        since: Timestamp,
    },
    /// No living host serves its queue and shares a tag with it.
    NoHost {
        /// The queue.
        queue: Name,
        /// The tags.
        tags: Vec<Name>,
    },
    /// An attempt failed; the next one begins later.
    RetryBackOff {
        /// When.
        until: Timestamp,
        /// The attempt that waits.
        attempt: u32,
        /// Why the one before failed.
        failure: Failure,
    },
    /// It may not begin before a time.
    NotBefore {
        /// When.
        until: Timestamp,
    },
    /// Another call with the same key runs, or waits to, and its result is that of this one.
    Result {
        /// The other one.
        task: Option<TaskId>,
    },
    /// As many run as may at once.
    Limit {
        /// Which.
        #[serde(flatten)]
        limit: LimitShown,
        /// Who has its slots: the first ten, the one that has run the longest first.
        holders: Vec<HolderShown>,
    },
    /// As many have begun as may in a time.
    Rate {
        /// Which.
        #[serde(flatten)]
        limit: LimitShown,
        /// When the next one may.
        until: Timestamp,
    },
    /// It is ready, and every host that could take it is busy.
    HostsBusy,
}

/// A limit, as one who waits for it sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LimitShown {
    /// The step.
    pub step: Name,
    /// The beginning of the key, as JSON; none for a limit of the whole step.
    pub key: Option<String>,
    /// How many may run at once.
    pub max_concurrent: Option<u32>,
    /// How many may begin in a time.
    pub rate: Option<String>,
    /// How many run.
    pub running: u64,
}

/// One that runs under a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HolderShown {
    /// The task.
    pub task: TaskId,
    /// Its execution.
    pub execution: ExecutionId,
    /// The step.
    pub step: Name,
    /// Since when.
    pub since: Option<Timestamp>,
}

impl From<&LimitRow> for LimitShown {
    fn from(limit: &LimitRow) -> Self {
        Self {
            step: limit.step.clone(),
            key: limit.key.clone(),
            max_concurrent: limit.slots,
            rate: limit.rate.clone(),
            running: limit.running,
        }
    }
}

impl fmt::Display for LimitShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "step {} for the key {key}", self.step),
            None => write!(f, "step {}", self.step),
        }
    }
}

/// A sentence for people.
impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExecutionPaused { since } => {
                write!(f, "its execution has been paused since {since}")
            }
            Self::QueuePaused { queue, since } => {
                write!(f, "queue {queue} has been paused since {since}")
            }
            Self::NoHost { queue, tags } if tags.is_empty() => {
                write!(f, "no living host serves queue {queue}")
            }
            Self::NoHost { queue, tags } => {
                let tags: Vec<_> = tags.iter().map(Name::as_str).collect();
                write!(
                    f,
                    "no living host serves queue {queue} and has one of the tags {}",
                    tags.join(", ")
                )
            }
            Self::RetryBackOff { until, attempt, failure } => {
                write!(
                    f,
                    "attempt {attempt} begins at {until}; the one before failed: {}",
                    failure.kind
                )
            }
            Self::NotBefore { until } => write!(f, "it begins at {until}"),
            Self::Result { task: Some(task) } => {
                write!(f, "its result will be that of task {task}, which has the same key")
            }
            Self::Result { task: None } => {
                f.write_str("its result will be that of another call with the same key")
            }
            Self::Limit { limit, .. } => match limit.max_concurrent {
                Some(most) => {
                    write!(f, "{} of at most {most} run of {limit} (max_concurrent)", limit.running)
                }
                None => write!(f, "it is about to begin under the limit of {limit}"),
            },
            Self::Rate { limit, until } => {
                let rate = limit.rate.as_deref().unwrap_or_default();
                write!(f, "{limit} begins {rate} (rate); the next one at {until}")
            }
            Self::HostsBusy => f.write_str("it is ready: every host that could take it is busy"),
        }
    }
}
