//! A timeline as text.

use super::error::CliError;
use super::out::{Out, Tone, one_line, span};
use super::timeline::{Line, State};
use crate::model::Timestamp;

/// Cells of a bar.
const BAR: u64 = 32;
/// A longer timeline is shown by its beginning and its end.
const LINES_MAX: usize = 200;
/// The widest name that keeps the columns straight.
const NAME_MAX: usize = 40;

/// Draws one line each.
pub(super) fn draw(lines: &[Line], out: &mut Out) -> Result<(), CliError> {
    let scale = Scale::of(lines);
    let width = lines.iter().map(|line| line.what.chars().count()).max().unwrap_or(0);
    let width = width.min(NAME_MAX);
    let hidden = lines.len().saturating_sub(LINES_MAX);
    let (first, last) = (lines.len().min(LINES_MAX / 2), lines.len().saturating_sub(LINES_MAX / 2));
    if hidden == 0 {
        return lines.iter().try_for_each(|line| scale.line(line, width, out));
    }
    lines[..first].iter().try_for_each(|line| scale.line(line, width, out))?;
    out.line(Tone::Faint.paint(&format!("  ... {hidden} more lines; --json has them all")))?;
    lines[last..].iter().try_for_each(|line| scale.line(line, width, out))
}

/// From when to when the bars reach.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    from: Timestamp,
    micros: u64,
}

impl Scale {
    fn of(lines: &[Line]) -> Self {
        let last = lines.iter().map(|line| line.ended.map_or(line.begun, |(_, at)| at)).max();
        Self::until(lines, last.unwrap_or_default())
    }

    /// One that reaches to that time at least.
    pub(super) fn until(lines: &[Line], time: Timestamp) -> Self {
        let from = lines.iter().map(begun).min().unwrap_or_default();
        Self { from, micros: micros(time, from).max(1) }
    }

    fn line(self, line: &Line, width: usize, out: &mut Out) -> Result<(), CliError> {
        let what = one_line(&line.what);
        if line.state == State::Happened {
            let why = if line.why.is_empty() { String::new() } else { format!(": {}", line.why) };
            return out.line(Tone::Strong.paint(&one_line(&format!("  - {what}{why}"))));
        }
        let attempt = if line.attempt > 1 { format!("#{}", line.attempt) } else { String::new() };
        let (took, tone) = (took(line), tone(line.state));
        let state = tone.paint(&format!("{:<10}", line.state.word()));
        let bar = tone.paint(&self.bar(line, BAR));
        let why =
            if line.why.is_empty() { String::new() } else { format!("  {}", one_line(&line.why)) };
        out.line(format_args!("  {what:<width$} {attempt:>4} {state} {took:>9} |{bar}|{why}"))
    }

    /// A bar of that many cells.
    pub(super) fn bar(self, line: &Line, cells: u64) -> String {
        let cell = |time: Timestamp| {
            let share = u128::from(micros(time, self.from)) * u128::from(cells);
            u64::try_from(share / u128::from(self.micros)).unwrap_or(cells).min(cells)
        };
        let first = cell(begun(line)).min(cells.saturating_sub(1));
        let (last, ink) = match line.ended {
            Some((_, at)) => (cell(at).max(first + 1), '█'),
            None => (cells, '·'),
        };
        (0..cells).map(|at| if (first..last).contains(&at) { ink } else { ' ' }).collect()
    }
}

/// How long it took, where it has ended.
pub(super) fn took(line: &Line) -> String {
    let took = line.ended.map(|(_, at)| line.took_micros.unwrap_or(micros(at, line.begun)));
    took.map(span).unwrap_or_default()
}

/// How much it matters.
pub(super) fn tone(state: State) -> Tone {
    match state {
        State::Completed | State::Answered | State::Fired | State::Received => Tone::Good,
        State::Failed => Tone::Bad,
        State::Cancelled => Tone::Odd,
        State::Superseded => Tone::Faint,
        State::Open | State::Happened => Tone::Plain,
    }
}

/// A command may be written down together with what came of it: then how long it took says when it began.
fn begun(line: &Line) -> Timestamp {
    match (line.ended, line.took_micros) {
        (Some((_, ended)), Some(took)) => {
            line.begun.min(ended - std::time::Duration::from_micros(took))
        }
        _ => line.begun,
    }
}

fn micros(later: Timestamp, earlier: Timestamp) -> u64 {
    u64::try_from(later.since(earlier).as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::timeline::{Entry, lines};
    use serde_json::json;

    #[test]
    fn bars_lie_where_their_time_lies() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000).to_string();
        let entries: Vec<Entry> = serde_json::from_value(json!([
            { "seq": 1, "at": at(0), "kind": "call", "promise": 0, "name": "a" },
            { "seq": 2, "at": at(4), "kind": "completed", "promise": 0 },
            { "seq": 3, "at": at(4), "kind": "call", "promise": 1, "name": "b" },
            { "seq": 4, "at": at(8), "kind": "completed", "promise": 1, "duration_micros": 2_000_000 },
            { "seq": 5, "at": at(6), "kind": "receive", "promise": 2, "name": "c" },
        ]))
        .unwrap();
        let lines = lines(&entries);
        let scale = Scale::of(&lines);

        let bars: Vec<_> = lines.iter().map(|line| scale.bar(line, BAR)).collect();

        let (full, none, dots) = ("█".repeat(16), " ".repeat(16), "·".repeat(8));
        assert_eq!(bars[0], format!("{full}{none}"));
        assert_eq!(bars[1], format!("{none}{full}"));
        assert_eq!(bars[2], format!("{}{dots}", " ".repeat(24)));
    }
}
