//! The picture: drawn anew each time from what is on the desk, into whatever room there is.

mod close;
mod figures;
mod help;
mod overview;
mod panel;
mod rates;

#[cfg(test)]
mod tests;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use self::figures::age;
use super::desk::{Desk, Focus};
use super::theme::{CHOSEN, Theme};
use crate::cli::out::{Tone, one_line, when};

/// Below this there is no room for anything.
const LEAST: (u16, u16) = (24, 5);

/// Draws all of it.
pub(super) fn draw(frame: &mut Frame<'_>, desk: &Desk, theme: Theme) {
    let area = frame.area();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        frame.render_widget(Paragraph::new("too small"), area);
        return;
    }
    let rows = [Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)];
    let [head, body, foot] = Layout::vertical(rows).areas(area);
    draw_head(frame, head, desk, theme);
    match &desk.close {
        Some(near) => close::draw(frame, body, near, desk.now, theme),
        None => overview::draw(frame, body, desk, theme),
    }
    frame.render_widget(Paragraph::new(keys(desk, theme)), foot);
    if desk.help {
        help::draw(frame, body, theme);
    }
}

/// Who is asked, and whether it answers.
fn draw_head(frame: &mut Frame<'_>, area: Rect, desk: &Desk, theme: Theme) {
    let name = Span::styled(" stepwell ", CHOSEN);
    let server = Span::raw(format!(" {}", one_line(desk.server.trim_end_matches('/'))));
    let said = match (&desk.silence, &desk.seen) {
        (Some(silence), _) => {
            let (lasted, why) = (age(silence.lasted), one_line(&silence.why));
            let text = format!("  NO ANSWER for {lasted}: {why}; asking again");
            Span::styled(text, theme.style(Tone::Bad))
        }
        (None, Some(seen)) => {
            let alive = seen.hosts.iter().filter(|host| host.alive).count();
            let hosts = if alive == 1 { "host" } else { "hosts" };
            Span::styled(format!("  {alive} {hosts}"), theme.style(Tone::Good))
        }
        (None, None) if desk.close.is_some() => Span::raw(""),
        (None, None) => Span::styled("  asking", theme.style(Tone::Faint)),
    };
    let time = when(desk.now);
    let clock = format!("{} UTC ", time.split_once(' ').map_or("", |(_, clock)| clock));
    let room = usize::from(area.width);
    let left = Line::from(vec![name, server, said]);
    let is_roomy = left.width() + clock.len() + 2 <= room;
    frame.render_widget(Paragraph::new(left), area);
    if is_roomy {
        let clock = Line::styled(clock, theme.style(Tone::Faint));
        frame.render_widget(Paragraph::new(clock.right_aligned()), area);
    }
}

/// What can be typed here.
fn keys<'a>(desk: &Desk, theme: Theme) -> Line<'a> {
    let keys: &[(&str, &str)] = match (&desk.close, desk.focus) {
        (Some(_), _) => &[
            ("Esc", "back"),
            ("?", "help"),
            ("q", "quit"),
            ("Tab", "timeline/logs"),
            ("↑↓", "scroll"),
        ],
        (None, Focus::Executions) => &[
            ("Enter", "open"),
            ("f", "state"),
            ("?", "help"),
            ("q", "quit"),
            ("Tab", "failures"),
            ("↑↓", "choose"),
        ],
        (None, Focus::Troubles) => &[
            ("Enter", "open"),
            ("?", "help"),
            ("q", "quit"),
            ("Tab", "executions"),
            ("↑↓", "choose"),
        ],
    };
    let mut spans = vec![Span::raw(" ")];
    for (key, does) in keys {
        spans.push(Span::styled((*key).to_owned(), theme.lead()));
        spans.push(Span::styled(format!(" {does}   "), theme.style(Tone::Faint)));
    }
    Line::from(spans)
}
