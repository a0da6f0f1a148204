//! A part of the page under its title.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders};

use crate::cli::out::Tone;
use crate::cli::watch::theme::Theme;

/// Whether the keys act upon a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Yes,
    No,
}

impl Held {
    /// Where the keys act upon one of several things, whether that is this one.
    pub(super) fn of<T: PartialEq + Copy>(held: T, this: T) -> Self {
        if held == this { Self::Yes } else { Self::No }
    }
}

/// Draws a rule with the title and a remark on it, and says what room is left below.
pub(super) fn open(
    frame: &mut Frame<'_>,
    area: Rect,
    (title, remark): (&str, &str),
    held: Held,
    theme: Theme,
) -> Rect {
    let style = match held {
        Held::Yes => theme.lead(),
        Held::No => theme.style(Tone::Strong),
    };
    let mut spans = vec![Span::raw(" "), Span::styled(title.to_owned(), style), Span::raw(" ")];
    if !remark.is_empty() {
        spans.push(Span::styled(format!("{remark} "), theme.style(Tone::Faint)));
    }
    let block = Block::new()
        .borders(Borders::TOP)
        .border_style(theme.style(Tone::Faint))
        .title(Line::from(spans));
    let within = block.inner(area);
    frame.render_widget(block, area);
    within
}
