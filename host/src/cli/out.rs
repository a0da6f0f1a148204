//! Standard output, and what people see on it.

use std::io::{self, StdoutLock, Write};

use comfy_table::{Cell, Color, Table, TableStyle, presets};
use owo_colors::{OwoColorize, Stream};

use super::Shown;
use super::client::Answer;
use super::error::CliError;
use super::pretty::indented;
use crate::model::{ExecutionState, Failure, Timestamp, format_duration};

/// Standard output, written through.
#[derive(Debug)]
pub(super) struct Out(StdoutLock<'static>);

impl Out {
    pub(super) fn stdout() -> Self {
        Self(io::stdout().lock())
    }

    /// One line.
    pub(super) fn line(&mut self, line: impl std::fmt::Display) -> Result<(), CliError> {
        Ok(writeln!(self.0, "{line}")?)
    }

    /// What the server said, indented and otherwise as it is; `null` where it said nothing.
    pub(super) fn json(&mut self, answer: &Answer) -> Result<(), CliError> {
        let text = answer.text.trim();
        self.line(indented(if text.is_empty() { "null" } else { text }))
    }

    /// What came of an order: what the server said, where pipes want that, and a line to people else.
    pub(super) fn outcome(
        &mut self,
        shown: Shown,
        answer: &Answer,
        told: impl FnOnce(&Answer) -> Result<String, CliError>,
    ) -> Result<(), CliError> {
        if shown.json { self.json(answer) } else { told(answer).and_then(|told| self.line(told)) }
    }

    /// A table.
    pub(super) fn table(&mut self, table: &Table) -> Result<(), CliError> {
        self.line(table.trim_fmt())
    }

    /// Says that a list goes on, where it does: what reads on, and what makes it shorter.
    pub(super) fn more(
        &mut self,
        flag: &str,
        next: Option<&str>,
        narrower: &str,
    ) -> Result<(), CliError> {
        let Some(next) = next else { return Ok(()) };
        let next = one_line(next);
        self.remark(&format!(
            "(more: --{flag} {next} reads on, --limit shows up to 1000 at once, {narrower} narrow it)"
        ))
    }

    /// One line to people, beside what was asked for.
    pub(super) fn remark(&mut self, line: &str) -> Result<(), CliError> {
        // It comes after what it is about, also where both go to one terminal.
        self.0.flush()?;
        // Where nobody listens, nothing is lost.
        writeln!(io::stderr().lock(), "{line}").ok();
        Ok(())
    }

    pub(super) fn flush(&mut self) -> Result<(), CliError> {
        Ok(self.0.flush()?)
    }
}

/// A table with these heads.
pub(super) fn table(heads: &[&str]) -> Table {
    const STYLE: TableStyle = presets::NOTHING;
    let mut table = Table::new();
    table.load_style(STYLE);
    if shows_colour() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_header(heads.iter().copied());
    table
}

/// Text that others wrote, with nothing in it that a terminal would obey.
pub(super) fn harmless(text: &str) -> String {
    let shown = |c: char| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

/// The same on one line.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Why something failed: its kind, and what is said about it where anything is.
pub(super) fn reason(failure: &Failure) -> String {
    if failure.message.trim().is_empty() { failure.kind.clone() } else { failure.to_string() }
}

/// A state in a table.
pub(super) fn state_cell(state: ExecutionState) -> Cell {
    let cell = Cell::new(state);
    match state {
        ExecutionState::Completed => cell.fg(Color::Green),
        ExecutionState::Failed | ExecutionState::TimedOut | ExecutionState::Blocked => {
            cell.fg(Color::Red)
        }
        ExecutionState::Running => cell.fg(Color::Cyan),
        ExecutionState::Cancelling | ExecutionState::Cancelled => cell.fg(Color::Yellow),
        ExecutionState::Pending | ExecutionState::Waiting => cell,
    }
}

/// When colours are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl Colour {
    /// From now on, in this process.
    pub(super) fn choose(self) {
        match self {
            Self::Auto => {}
            Self::Always => owo_colors::set_override(true),
            Self::Never => owo_colors::set_override(false),
        }
    }
}

/// Whether standard output shows colours.
pub(super) fn shows_colour() -> bool {
    // What paints asks the same question and tells nobody but by what it does.
    Tone::Good.paint("x") != "x"
}

/// How much a text matters to whoever looks over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Odd,
}

impl Tone {
    pub(super) fn of(state: ExecutionState) -> Self {
        match state {
            ExecutionState::Completed => Self::Good,
            ExecutionState::Failed | ExecutionState::TimedOut | ExecutionState::Blocked => {
                Self::Bad
            }
            ExecutionState::Cancelling | ExecutionState::Cancelled => Self::Odd,
            ExecutionState::Running | ExecutionState::Pending | ExecutionState::Waiting => {
                Self::Plain
            }
        }
    }

    /// The text in its colour, where standard output shows colours.
    pub(super) fn paint(self, text: &str) -> String {
        let out = Stream::Stdout;
        match self {
            Self::Plain => text.to_owned(),
            Self::Strong => text.if_supports_color(out, |text| text.bold()).to_string(),
            Self::Faint => text.if_supports_color(out, |text| text.dimmed()).to_string(),
            Self::Good => text.if_supports_color(out, |text| text.green()).to_string(),
            Self::Bad => text.if_supports_color(out, |text| text.red()).to_string(),
            Self::Odd => text.if_supports_color(out, |text| text.yellow()).to_string(),
        }
    }
}

/// A time to the second, as people read it.
pub(super) fn when(time: Timestamp) -> String {
    let text = time.to_string();
    let whole = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
    whole.replacen('T', " ", 1)
}

/// A span as people read it: as exact as its length deserves.
pub(super) fn span(micros: u64) -> String {
    let thousandths = |n: u64, unit: &str| format!("{}.{:02} {unit}", n / 1_000, n % 1_000 / 10);
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..10_000 => thousandths(micros, "ms"),
        10_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..60_000_000 => thousandths(micros / 1_000, "s"),
        _ => format_duration(std::time::Duration::from_secs(micros / 1_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_as_exact_as_its_length_deserves() {
        let spans = [7, 1_234, 12_345, 4_005_000, 90_000_000].map(span);

        assert_eq!(spans, ["7 us", "1.23 ms", "12 ms", "4.00 s", "1m30s"]);
    }

    #[test]
    fn what_others_wrote_cannot_steer_a_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\n");
        assert_eq!(one_line("a\nb"), "a b");
    }

    #[test]
    fn a_failure_without_a_message_leaves_nothing_dangling() {
        assert_eq!(reason(&Failure::new("cancelled", "")), "cancelled");
        assert_eq!(reason(&Failure::new("cancelled", "too late")), "cancelled: too late");
    }

    #[test]
    fn a_time_is_shown_to_the_second() {
        assert_eq!(when(Timestamp::from_micros(1_700_000_000_123_456)), "2023-11-14 22:13:20");
    }
}
