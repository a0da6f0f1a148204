//! One execution: what there is to say of it, its timeline, and what it says itself.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::panel::{self, Held};
use crate::cli::draw::{Scale, tone, took};
use crate::cli::logs;
use crate::cli::out::{Tone, one_line, when};
use crate::cli::timeline::{self, State};
use crate::cli::watch::close::{Closeness, Half};
use crate::cli::watch::theme::Theme;
use crate::model::Timestamp;

/// The widest name of a step that keeps the columns straight.
const NAME_MAX: usize = 32;
/// Facts that have a line of their own, because they are sentences.
const SENTENCES: [&str; 2] = ["waits", "why"];

pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    close: &Closeness,
    now: Timestamp,
    theme: Theme,
) {
    let room = usize::from(area.width.max(1));
    let facts = facts(close, room, theme);
    let wanted: usize = facts.iter().map(|line| line.width().div_ceil(room).max(1)).sum();
    let wanted = u16::try_from(wanted).unwrap_or(u16::MAX);
    let text = Paragraph::new(facts).wrap(Wrap { trim: false });
    let head = wanted.min(area.height / 3);
    let rest = area.height.saturating_sub(head);
    // What a short timeline leaves is for what is said.
    let spare = usize::from(rest).saturating_sub(close.lines.len() + 2);
    let spare = u16::try_from(spare).unwrap_or(u16::MAX);
    let said = if rest < 9 { 0 } else { spare.max(rest / 3) };
    let rows = [Constraint::Length(head), Constraint::Min(0), Constraint::Length(said)];
    let [top, middle, bottom] = Layout::vertical(rows).areas(area);
    frame.render_widget(text, top);
    // Where there is no room for both halves, the one that the keys move is seen.
    if said > 0 {
        draw_timeline(frame, middle, close, now, theme);
        draw_logs(frame, bottom, close, theme);
    } else if close.half == Half::Logs {
        draw_logs(frame, middle, close, theme);
    } else {
        draw_timeline(frame, middle, close, now, theme);
    }
}

fn facts<'a>(close: &Closeness, room: usize, theme: Theme) -> Vec<Line<'a>> {
    let Some(head) = &close.head else {
        return vec![Line::raw(format!(" {}", close.id))];
    };
    let paused = if head.paused_at.is_some() { " (paused)" } else { "" };
    let state = head.state.as_str().replace('_', " ");
    let mut lines = vec![Line::from(vec![
        Span::styled(format!(" {}", one_line(&head.workflow)), theme.style(Tone::Strong)),
        Span::styled(format!(" {}  ", close.id), theme.style(Tone::Faint)),
        Span::styled(state, theme.style(Tone::of(head.state))),
        Span::styled(paused, theme.style(Tone::Odd)),
    ])];
    let facts = head.facts();
    let (sentences, words): (Vec<_>, Vec<_>) =
        facts.into_iter().partition(|(name, _)| SENTENCES.contains(name));
    let mut line = Line::default();
    for (name, value) in words {
        let (name, value) = (format!(" {name} "), format!("{} ", one_line(&value)));
        // A name and its value stay together.
        if line.width() + name.len() + value.chars().count() > room && line.width() > 0 {
            lines.push(std::mem::take(&mut line));
        }
        line.push_span(Span::styled(name, theme.style(Tone::Faint)));
        line.push_span(Span::raw(value));
    }
    lines.push(line);
    for (name, value) in sentences {
        let tone = if name == "why" { Tone::Bad } else { Tone::Odd };
        lines.push(Line::from(vec![
            Span::styled(format!(" {name} "), theme.style(Tone::Faint)),
            Span::styled(one_line(&value), theme.style(tone)),
        ]));
    }
    lines
}

fn draw_timeline(
    frame: &mut Frame<'_>,
    area: Rect,
    close: &Closeness,
    now: Timestamp,
    theme: Theme,
) {
    let height = usize::from(area.height.saturating_sub(1));
    let first = close.timeline.first(close.lines.len(), height);
    let shown = &close.lines[first..close.lines.len().min(first + height)];
    let remark = part(first, shown.len(), close.lines.len());
    let held = Held::of(close.half, Half::Timeline);
    let within = panel::open(frame, area, ("Timeline", &remark), held, theme);
    let columns = Columns::of(shown, usize::from(within.width));
    let scale = Scale::until(&close.lines, until(close, now));
    let lines: Vec<_> = shown.iter().map(|line| columns.line(line, scale, theme)).collect();
    frame.render_widget(Paragraph::new(lines), within);
}

/// To when the bars reach: what is open grows.
fn until(close: &Closeness, now: Timestamp) -> Timestamp {
    let last = close.lines.iter().map(|line| line.ended.map_or(line.begun, |(_, at)| at)).max();
    let last = last.unwrap_or_default();
    let is_open = close.lines.iter().any(|line| line.state == State::Open);
    if is_open { last.max(now) } else { last }
}

/// How wide the parts of a line are.
#[derive(Debug, Clone, Copy)]
struct Columns {
    name: usize,
    bar: usize,
}

impl Columns {
    /// What stands beside the name and the bar.
    const FIXED: usize = 30;

    fn of(lines: &[timeline::Line], width: usize) -> Self {
        let name = lines.iter().map(|line| line.what.chars().count()).max().unwrap_or(0);
        let name = name.min(NAME_MAX).min(width / 3);
        let room = width.saturating_sub(name + Self::FIXED);
        let some_say_why =
            lines.iter().any(|line| line.state != State::Happened && !line.why.is_empty());
        Self { name, bar: if some_say_why { room / 2 } else { room } }
    }

    fn line<'a>(self, line: &timeline::Line, scale: Scale, theme: Theme) -> Line<'a> {
        let what = one_line(&line.what);
        let why = one_line(&line.why);
        if line.state == State::Happened {
            let why = if why.is_empty() { String::new() } else { format!(": {why}") };
            return Line::styled(format!(" - {what}{why}"), theme.style(Tone::Strong));
        }
        let style = theme.style(tone(line.state));
        let attempt = if line.attempt > 1 { format!("#{}", line.attempt) } else { String::new() };
        let what: String = what.chars().take(self.name).collect();
        let cells = u64::try_from(self.bar).unwrap_or(u64::MAX);
        let name = self.name;
        Line::from(vec![
            Span::raw(format!(" {what:<name$} {attempt:>3} ")),
            Span::styled(format!("{:<10}", line.state.word()), style),
            Span::raw(format!(" {:>9} ", took(line))),
            Span::styled(scale.bar(line, cells), style),
            Span::styled(format!("  {why}"), theme.style(Tone::Faint)),
        ])
    }
}

fn draw_logs(frame: &mut Frame<'_>, area: Rect, close: &Closeness, theme: Theme) {
    let height = usize::from(area.height.saturating_sub(1));
    let first = close.said.first(close.logs.len(), height);
    let shown = &close.logs[first..close.logs.len().min(first + height)];
    let remark = part(first, shown.len(), close.logs.len());
    let held = Held::of(close.half, Half::Logs);
    let within = panel::open(frame, area, ("Logs", &remark), held, theme);
    let line = |line: &logs::Line| {
        let time = when(line.at);
        let clock = time.split_once(' ').map_or("", |(_, clock)| clock).to_owned();
        Line::from(vec![
            Span::styled(format!(" {clock} "), theme.style(Tone::Faint)),
            Span::styled(format!("{:<8}", one_line(&line.level)), theme.style(line.tone())),
            Span::raw(line.said()),
        ])
    };
    let lines: Vec<_> = shown.iter().map(line).collect();
    frame.render_widget(Paragraph::new(lines), within);
}

/// Which part of a long text is seen.
fn part(first: usize, shown: usize, total: usize) -> String {
    match total {
        0 => "none".to_owned(),
        total if shown == total => String::new(),
        total => format!("{} to {} of {total}", first + 1, first + shown),
    }
}
