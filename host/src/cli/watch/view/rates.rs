//! What a host does in a second, and how long it takes.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Sparkline};

use super::figures::{rate, seconds, whole};
use super::panel::{self, Held};
use crate::cli::out::Tone;
use crate::cli::watch::desk::Desk;
use crate::cli::watch::past::{Measured, Past, Which};
use crate::cli::watch::theme::Theme;

/// What is counted, by how much it is missed where there is no room.
const RATES: [(&str, Which, Tone); 5] = [
    ("starts", |counts| counts.starts, Tone::Plain),
    ("ends", |counts| counts.ends, Tone::Good),
    ("failures", |counts| counts.failures, Tone::Bad),
    ("steps", |counts| counts.steps, Tone::Good),
    ("failed attempts", |counts| counts.failed_attempts, Tone::Odd),
];

const LATENCIES: [(&str, Measured); 3] = [
    ("schedule to start", |readings| &readings.schedule_to_start),
    ("step", |readings| &readings.step_duration),
    ("end to end", |readings| &readings.end_to_end),
];

/// The width of the latencies.
const LATENCIES_WIDTH: u16 = 42;
/// Below this there is no room for them beside the rates.
const BOTH_WIDTH: u16 = 76;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, desk: &Desk, theme: Theme) {
    if area.width < BOTH_WIDTH {
        return draw_rates(frame, area, &desk.past, theme);
    }
    let columns = [Constraint::Min(0), Constraint::Length(LATENCIES_WIDTH)];
    let [left, right] = Layout::horizontal(columns).spacing(1).areas(area);
    draw_rates(frame, left, &desk.past, theme);
    draw_latencies(frame, right, &desk.past, theme);
}

fn draw_rates(frame: &mut Frame<'_>, area: Rect, past: &Past, theme: Theme) {
    let title = ("Throughput", "this host, last 3 minutes");
    let within = panel::open(frame, area, title, Held::No, theme);
    let lines = usize::from(within.height).min(RATES.len());
    let name_width = RATES[..lines].iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    let figures = u16::try_from(name_width + 10).unwrap_or(u16::MAX);
    let cells = usize::from(within.width.saturating_sub(figures + 1));
    for (row, (name, which, tone)) in within.rows().zip(RATES) {
        let columns = [Constraint::Length(figures), Constraint::Min(0)];
        let [left, right] = Layout::horizontal(columns).spacing(1).areas(row);
        let now = past.rate(which);
        let style = if now.is_some_and(|now| now > 0.0) {
            theme.style(tone)
        } else {
            theme.style(Tone::Faint)
        };
        let text = vec![
            Span::raw(format!(" {name:<name_width$} ")),
            Span::styled(format!("{:>7}", rate(now)), style),
        ];
        frame.render_widget(Paragraph::new(Line::from(text)), left);
        // Thousandths, because a picture of whole numbers would be empty where little happens.
        let heights = past.rates(which, cells).into_iter().map(|rate| whole(rate * 1e3));
        let heights: Vec<u64> = heights.collect();
        frame.render_widget(Sparkline::default().data(&heights).style(theme.style(tone)), right);
    }
}

fn draw_latencies(frame: &mut Frame<'_>, area: Rect, past: &Past, theme: Theme) {
    let title = ("Latencies", "this host, last minute");
    let within = panel::open(frame, area, title, Held::No, theme);
    let faint = theme.style(Tone::Faint);
    let mut lines = vec![Line::styled(format!(" {:<17} {:>10} {:>10}", "", "p50", "p99"), faint)];
    for (name, measured) in LATENCIES {
        let took = past.took(measured);
        let (half, most) = (seconds(took.quantile(0.5)), seconds(took.quantile(0.99)));
        lines.push(Line::from(format!(" {name:<17} {half:>10} {most:>10}")));
    }
    if let Some(readings) = past.last().filter(|readings| readings.slots > 0.0) {
        let (busy, slots) = (whole(readings.slots_busy), whole(readings.slots));
        lines.push(Line::styled(format!(" {busy} of {slots} slots busy"), faint));
    }
    // The heads go first where there is too little room.
    let skip = usize::from(usize::from(within.height) < LATENCIES.len() + 1);
    frame.render_widget(Paragraph::new(lines.split_off(skip)), within);
}
