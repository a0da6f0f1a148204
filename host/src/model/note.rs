//! What workflows and steps tell the world about themselves.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Name, Payload, Timestamp};

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For the author's own eyes.
    Trace,
    /// For looking into a fault.
    Debug,
    /// A life event.
    Info,
    /// Something was got over.
    Warn,
    /// Someone must act.
    Error,
}

impl Level {
    /// The word that databases and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// Reads [`Level::as_str`] back.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error]
            .into_iter()
            .find(|level| level.as_str() == word)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text without control characters: a log line cannot move the cursor of whoever reads it, nor pretend to be two lines.
pub fn printable(text: &str) -> String {
    let visible = |c: char| match c {
        '\n' | '\t' => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    };
    text.chars().filter_map(visible).collect()
}

/// One thing said through `context`. Nothing here can steer a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A line of the execution's log; also what a guest writes to stdout (info) and stderr (warn).
    Log {
        /// How much it matters.
        level: Level,
        /// One line, control characters stripped.
        message: String,
        /// A JSON object, or null.
        fields: Payload,
    },
    /// A line of the timeline.
    Progress {
        /// The line.
        text: String,
    },
    /// Added to a counter of the execution.
    Counter {
        /// Its name.
        name: Name,
        /// What is added.
        amount: i64,
    },
    /// A value that people can read while the execution runs.
    State {
        /// Its key.
        key: Name,
        /// The new value.
        value: Payload,
    },
}

/// A note, and when it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// By the clock of the host that heard it.
    pub at: Timestamp,
    /// What.
    pub note: Note,
}

impl Note {
    /// Whether it is kept even when the attempt that said it failed: logs and progress are, counters and state are not.
    pub fn survives_failure(&self) -> bool {
        match self {
            Self::Log { .. } | Self::Progress { .. } => true,
            Self::Counter { .. } | Self::State { .. } => false,
        }
    }
}
