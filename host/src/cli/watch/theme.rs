//! How much a thing matters, as a terminal shows it: in colours, or without any.

use ratatui::style::{Color, Modifier, Style};

use crate::cli::out::Tone;

/// With colours or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    Coloured,
    Plain,
}

/// What the keys act upon, in colours or without.
pub(super) const CHOSEN: Style = Style::new().add_modifier(Modifier::REVERSED);

impl Theme {
    pub(super) fn style(self, tone: Tone) -> Style {
        let style = match tone {
            Tone::Plain | Tone::Good => Style::new(),
            Tone::Strong | Tone::Bad => Style::new().add_modifier(Modifier::BOLD),
            Tone::Odd => Style::new().add_modifier(Modifier::UNDERLINED),
            Tone::Faint => Style::new().add_modifier(Modifier::DIM),
        };
        match (self, tone) {
            (Self::Coloured, Tone::Good) => style.fg(Color::Green),
            (Self::Coloured, Tone::Bad) => Style::new().fg(Color::Red),
            (Self::Coloured, Tone::Odd) => Style::new().fg(Color::Yellow),
            (Self::Coloured, Tone::Faint) => Style::new().fg(Color::DarkGray),
            (Self::Coloured, Tone::Plain | Tone::Strong) | (Self::Plain, _) => style,
        }
    }

    /// The names of things that lead the eye.
    pub(super) fn lead(self) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        if self == Self::Coloured { style.fg(Color::Cyan) } else { style }
    }
}
