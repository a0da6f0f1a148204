//! How far long work is, on a terminal. Where standard error goes elsewhere nothing is said.

use std::io::{self, IsTerminal, Write};

/// Cells of a bar.
const BAR: u64 = 24;
/// Back to the beginning of the line, and away with what stood there.
const CLEAR: &str = "\r\u{1b}[K";

/// One line that is written again and again, and is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    what: &'static str,
    is_shown: bool,
}

impl Progress {
    pub(super) fn of(what: &'static str) -> Self {
        Self { what, is_shown: io::stderr().is_terminal() }
    }

    /// So much of so much.
    pub(super) fn reach(&self, done: u64, total: u64) {
        self.say(&bar(done, total));
    }

    /// Something without a known end.
    pub(super) fn say(&self, how_far: &str) {
        if self.is_shown {
            let mut stderr = io::stderr().lock();
            // Where nobody looks, nothing is lost.
            write!(stderr, "{CLEAR}{} {how_far}", self.what).and_then(|()| stderr.flush()).ok();
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        if self.is_shown {
            write!(io::stderr().lock(), "{CLEAR}").ok();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn bar(done: u64, total: u64) -> String {
    let share = |of: u64| done.min(total).saturating_mul(of) / total.max(1);
    let filled = usize::try_from(share(BAR)).unwrap_or(0);
    let empty = usize::try_from(BAR).unwrap_or(0) - filled;
    format!("|{}{}| {:>3} %", "█".repeat(filled), " ".repeat(empty), share(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        let half = format!("|{}{}|  50 %", "█".repeat(12), " ".repeat(12));

        assert_eq!(bar(3, 6), half);
        assert_eq!(bar(9, 6), format!("|{}| 100 %", "█".repeat(24)));
        assert_eq!(bar(0, 0), format!("|{}|   0 %", " ".repeat(24)));
    }
}
