//! One execution, looked at closely: its head, its timeline and what it says, as they grow.

use serde::Deserialize;

use super::feed::Asked;
use crate::cli::logs;
use crate::cli::show;
use crate::cli::timeline::{self, Entry, Line};

/// A page of an execution's log.
#[derive(Debug, Deserialize)]
pub(super) struct Logs {
    pub(super) lines: Vec<logs::Line>,
    pub(super) next_after: Option<i64>,
}

/// What is new of an execution.
#[derive(Debug)]
pub(super) struct Close {
    pub(super) head: show::Execution,
    pub(super) entries: Vec<Entry>,
    pub(super) logs: Vec<logs::Line>,
    /// Whether there is more to read at once.
    pub(super) more: bool,
}

/// What is known of an execution so far.
#[derive(Debug)]
pub(super) struct Closeness {
    pub(super) id: String,
    pub(super) head: Option<show::Execution>,
    entries: Vec<Entry>,
    /// Worked out from the entries.
    pub(super) lines: Vec<Line>,
    pub(super) logs: Vec<logs::Line>,
    /// Which half the keys move.
    pub(super) half: Half,
    pub(super) timeline: Scroll,
    pub(super) said: Scroll,
}

/// The halves of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Timeline,
    Logs,
}

/// Where a long text is looked at: at its end, until somebody moves away from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Scroll {
    /// Lines between the last one that is seen and the end.
    behind: usize,
}

impl Scroll {
    pub(super) fn by(&mut self, lines: isize, total: usize) {
        self.behind = self.behind.saturating_add_signed(-lines).min(total.saturating_sub(1));
    }

    /// The first line that is seen, of so many through a window of that height.
    pub(super) fn first(self, total: usize, height: usize) -> usize {
        total.saturating_sub(height).saturating_sub(self.behind)
    }

    /// What is added at the end does not move what somebody reads.
    fn grow(&mut self, lines: usize) {
        if self.behind > 0 {
            self.behind += lines;
        }
    }
}

impl Closeness {
    pub(super) fn new(id: String) -> Self {
        Self {
            id,
            head: None,
            entries: Vec::new(),
            lines: Vec::new(),
            logs: Vec::new(),
            half: Half::Timeline,
            timeline: Scroll::default(),
            said: Scroll::default(),
        }
    }

    /// What is to be read next.
    pub(super) fn asked(&self) -> Asked {
        Asked::Execution {
            id: self.id.clone(),
            journal_after: self.entries.last().map_or(0, |entry| entry.seq),
            logs_after: self.logs.last().map_or(0, |line| line.id),
        }
    }

    pub(super) fn take(&mut self, close: Close) {
        self.head = Some(close.head);
        self.said.grow(close.logs.len());
        self.logs.extend(close.logs);
        if !close.entries.is_empty() {
            self.entries.extend(close.entries);
            let before = self.lines.len();
            self.lines = timeline::lines(&self.entries);
            self.timeline.grow(self.lines.len().saturating_sub(before));
        }
    }

    pub(super) fn scroll(&mut self, lines: isize) {
        match self.half {
            Half::Timeline => self.timeline.by(lines, self.lines.len()),
            Half::Logs => self.said.by(lines, self.logs.len()),
        }
    }

    pub(super) fn other_half(&mut self) {
        self.half = match self.half {
            Half::Timeline => Half::Logs,
            Half::Logs => Half::Timeline,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_followed_until_somebody_moves_away() {
        let mut scroll = Scroll::default();
        assert_eq!((scroll.first(10, 4), scroll.first(20, 4)), (6, 16));

        scroll.by(-3, 20);

        assert_eq!(scroll.first(20, 4), 13);
        scroll.grow(5);
        assert_eq!(scroll.first(25, 4), 13);
        scroll.by(100, 25);
        assert_eq!(scroll.first(25, 4), 21);
        scroll.by(-100, 25);
        assert_eq!(scroll.first(25, 4), 0);
    }
}
