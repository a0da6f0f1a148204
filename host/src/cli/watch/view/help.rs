//! Which key does what.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use crate::cli::watch::theme::Theme;
use crate::model::ExecutionState;

const KEYS: [(&str, &str); 8] = [
    ("Up Down j k", "move; PgUp PgDn Home End go further"),
    ("Enter", "open an execution: its timeline and logs"),
    ("Esc", "back; shows all states again"),
    ("Tab", "to the other list, or the other half"),
    ("f", "list only executions in the next state"),
    ("0", "list executions in all states"),
    ("q Ctrl-C", "quit"),
    ("?", "this help"),
];

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, theme: Theme) {
    let mut lines: Vec<Line<'_>> =
        KEYS.into_iter().map(|(key, does)| key_line(key, does, theme)).collect();
    let states = ExecutionState::ALL;
    let digit = |place: usize| {
        let state = states[place].as_str().replace('_', " ");
        format!("{:<14}", format!("{} {state}", place + 1))
    };
    for row in 0..states.len().div_ceil(3) {
        let name = if row == 0 { "1 to 9" } else { "" };
        let in_row = (3 * row..states.len().min(3 * row + 3)).map(digit);
        let does: String = in_row.collect();
        lines.push(key_line(name, &does, theme));
    }
    let (width, height) = (62.min(area.width), 13.min(area.height));
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    frame.render_widget(Clear, place);
    let block = Block::bordered().title(" Keys ").border_style(theme.lead());
    frame.render_widget(Paragraph::new(lines).block(block), place);
}

fn key_line<'a>(key: &str, does: &str, theme: Theme) -> Line<'a> {
    Line::from(vec![Span::styled(format!(" {key:<12} "), theme.lead()), Span::raw(does.to_owned())])
}
