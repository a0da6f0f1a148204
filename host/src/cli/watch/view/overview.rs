//! The whole of it on one page: what there is, what happens, where it waits, what went wrong, and the newest executions.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table, TableState};

use super::figures::{age, count};
use super::panel::{self, Held};
use super::rates;
use crate::cli::out::{Tone, one_line, reason, span};
use crate::cli::watch::desk::{Desk, Focus};
use crate::cli::watch::seen::{Execution, Host, Queue, Trouble, TroubleKind};
use crate::cli::watch::theme::{CHOSEN, Theme};
use crate::model::{ExecutionState, Timestamp};

/// What is counted: what is open, and what has ended.
const STATES: [&str; 10] = [
    "pending",
    "running",
    "waiting",
    "cancelling",
    "blocked",
    "completed",
    "failed",
    "timed_out",
    "cancelled",
    "dead letters",
];
/// The last of those that are open.
const LAST_OPEN: &str = "blocked";
/// What the longest of them needs.
const STATE_WIDTH: usize = 15;
/// From this width on executions are listed with all that there is to say,
const NARROW: u16 = 64;
/// and from this on with their whole ids.
const WIDE: u16 = 100;
/// From this width on hosts have a panel of their own.
const HOSTS_WIDTH: u16 = 110;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, desk: &Desk, theme: Theme) {
    let states = if area.width >= 150 { 1 } else { 2 };
    // Executions have at least half of the room; what is missed least goes first where it is short.
    let rates = match area.height {
        0..12 => 0,
        12..26 => 4,
        26..34 => 5,
        _ => 6,
    };
    let places = match area.height {
        0..18 => 0,
        18..26 => 6,
        height => height / 4,
    };
    let rows = [
        Constraint::Length(states),
        Constraint::Length(rates),
        Constraint::Length(places),
        Constraint::Min(0),
    ];
    let [top, middle, lower, rest] = Layout::vertical(rows).areas(area);
    draw_states(frame, top, desk, theme);
    if rates > 0 {
        rates::draw(frame, middle, desk, theme);
    }
    if places > 0 {
        draw_places(frame, lower, desk, theme);
    }
    draw_executions(frame, rest, desk, theme);
}

fn draw_states(frame: &mut Frame<'_>, area: Rect, desk: &Desk, theme: Theme) {
    let per_line = if area.height == 1 { STATES.len() } else { STATES.len() / 2 };
    let width = usize::from(area.width) / per_line;
    // Where the columns would be too narrow, only what is there is told, one behind the other.
    let is_narrow = width < STATE_WIDTH;
    let (mut lines, mut place) = (vec![Line::default(); usize::from(area.height)], 0);
    for state in STATES {
        let number = desk.seen.as_ref().map(|seen| match state {
            "dead letters" => seen.stats.dead_letters,
            state => seen.stats.executions.get(state).copied().unwrap_or(0),
        });
        if is_narrow && number == Some(0) {
            continue;
        }
        let style = match number {
            None | Some(0) => theme.style(Tone::Faint),
            Some(_) => theme.style(Tone::Strong).patch(state_style(state, theme)),
        };
        let (number, label) = (number.map_or("-".to_owned(), count), state.replace('_', " "));
        let taken = label.len() + number.len() + 2;
        let fits = |line: &Line<'_>| line.width() + taken <= usize::from(area.width);
        if is_narrow && lines.get(place).is_some_and(|line| !fits(line)) {
            place += 1;
        }
        if let Some(line) = lines.get_mut(place) {
            line.push_span(Span::styled(format!(" {label} "), theme.style(Tone::Faint)));
            line.push_span(Span::styled(number, style));
            let gap = if is_narrow { 1 } else { width.saturating_sub(taken) };
            line.push_span(Span::raw(" ".repeat(gap)));
        }
        if !is_narrow && state == LAST_OPEN && area.height > 1 {
            place += 1;
        }
    }
    frame.render_widget(Paragraph::new(lines), area);
}

fn state_style(state: &str, theme: Theme) -> Style {
    match state.parse() {
        Ok(state) => theme.style(Tone::of(state)),
        Err(_) => theme.style(Tone::Bad),
    }
}

fn draw_places(frame: &mut Frame<'_>, area: Rect, desk: &Desk, theme: Theme) {
    let with_hosts = area.width >= HOSTS_WIDTH;
    let columns = [
        Constraint::Fill(4),
        Constraint::Fill(if with_hosts { 3 } else { 0 }),
        Constraint::Fill(5),
    ];
    let [left, middle, right] = Layout::horizontal(columns).spacing(1).areas(area);
    draw_queues(frame, left, desk, theme);
    if with_hosts {
        draw_hosts(frame, middle, desk, theme);
    }
    draw_troubles(frame, right, desk, theme);
}

fn draw_queues(frame: &mut Frame<'_>, area: Rect, desk: &Desk, theme: Theme) {
    let within = panel::open(frame, area, ("Queues", ""), Held::No, theme);
    let queues = desk.seen.as_ref().map_or(&[][..], |seen| &seen.queues);
    if queues.is_empty() {
        return say(frame, within, "no queue has been used yet", theme);
    }
    let row = |queue: &Queue| {
        let oldest = queue.oldest_at.map(|at| age(desk.now.since(at)));
        let paused = queue.paused_at.is_some();
        let (state, tone) = match (paused, queue.blocked) {
            (true, _) => ("paused".to_owned(), Tone::Odd),
            (false, 0) => (oldest.unwrap_or_default(), Tone::Plain),
            (false, blocked) => (format!("{blocked} limited"), Tone::Odd),
        };
        Row::new([
            Cell::new(format!(" {}", one_line(&queue.name))),
            number(queue.waiting + queue.executions),
            number(queue.running),
            Cell::new(Line::styled(state, theme.style(tone)).right_aligned()),
        ])
    };
    let widths =
        [Constraint::Fill(1), Constraint::Length(7), Constraint::Length(7), Constraint::Length(10)];
    let heads = heads([" queue", "waiting", "running", "oldest"], theme);
    frame.render_widget(Table::new(queues.iter().map(row), widths).header(heads), within);
}

fn draw_hosts(frame: &mut Frame<'_>, area: Rect, desk: &Desk, theme: Theme) {
    let within = panel::open(frame, area, ("Hosts", ""), Held::No, theme);
    let hosts = desk.seen.as_ref().map_or(&[][..], |seen| &seen.hosts);
    let (alive, gone): (Vec<_>, Vec<_>) = hosts.iter().partition(|host| host.alive);
    let row = |host: &Host| {
        let style = if host.alive { Style::new() } else { theme.style(Tone::Faint) };
        let since =
            if host.alive { age(desk.now.since(host.started_at)) } else { "gone".to_owned() };
        Row::new([
            Cell::new(format!(" {}", one_line(&host.name))),
            Cell::new(one_line(&host.version)),
            Cell::new(Line::from(since).right_aligned()),
        ])
        .style(style)
    };
    let widths = [Constraint::Fill(1), Constraint::Length(8), Constraint::Length(7)];
    let heads = heads([" host", "version", "up"], theme);
    let rows = alive.into_iter().chain(gone).map(row);
    frame.render_widget(Table::new(rows, widths).header(heads), within);
}

fn draw_troubles(frame: &mut Frame<'_>, area: Rect, desk: &Desk, theme: Theme) {
    let held = Held::of(desk.focus, Focus::Troubles);
    let title = ("Failures and dead letters", "newest first");
    let within = panel::open(frame, area, title, held, theme);
    if desk.seen.is_some() && desk.troubles().is_empty() {
        return say(frame, within, "nothing has failed", theme);
    }
    let row = |trouble: &Trouble| {
        let tone = match trouble.kind {
            TroubleKind::Ended(ExecutionState::Blocked) => Tone::Odd,
            TroubleKind::Ended(_) | TroubleKind::Letter => Tone::Bad,
        };
        let what = vec![
            Span::raw(one_line(&trouble.what)),
            Span::styled(format!("  {}", one_line(&trouble.why)), theme.style(Tone::Faint)),
        ];
        let ago = Line::styled(age(desk.now.since(trouble.at)), theme.style(Tone::Faint));
        Row::new([
            Cell::new(ago.right_aligned()),
            Cell::new(Span::styled(trouble.kind.word().replace('_', " "), theme.style(tone))),
            Cell::new(Line::from(what)),
        ])
    };
    let kind = desk.troubles().iter().map(|trouble| trouble.kind.word().len()).max();
    let kind = u16::try_from(kind.unwrap_or(0)).unwrap_or(0);
    let widths = [Constraint::Length(6), Constraint::Length(kind), Constraint::Fill(1)];
    let table = Table::new(desk.troubles().iter().map(row), widths);
    let mut state = TableState::new();
    state.select((held == Held::Yes).then(|| desk.chosen(Focus::Troubles)));
    frame.render_stateful_widget(table.row_highlight_style(CHOSEN), within, &mut state);
}

fn draw_executions(frame: &mut Frame<'_>, area: Rect, desk: &Desk, theme: Theme) {
    let held = Held::of(desk.focus, Focus::Executions);
    let filter = desk.filter.map(|state| state.as_str().replace('_', " "));
    let remark = match &filter {
        Some(state) => format!("{state} only, newest first; f goes on, Esc shows all"),
        None => "newest first".to_owned(),
    };
    let title = ("Executions", remark.as_str());
    let within = panel::open(frame, area, title, held, theme);
    if desk.seen.is_some() && desk.executions().is_empty() {
        let none = match &filter {
            Some(state) => format!("none is {state}"),
            None => "none yet: stepwell run WORKFLOW starts one".to_owned(),
        };
        return say(frame, within, &none, theme);
    }
    let wide = area.width >= WIDE;
    let row = |execution: &Execution| {
        let id = if wide { execution.id.clone() } else { short(&execution.id) };
        execution_row(execution, &id, desk.now, theme)
    };
    let widths = match area.width {
        // What tells one from another, and how it stands.
        0..NARROW => [0, 1, 10, 0, 7, 0, 0],
        NARROW..WIDE => [14, 3, 10, 8, 7, 8, 2],
        WIDE.. => [37, 3, 10, 14, 7, 8, 4],
    };
    let [id, workflow, state, queue, age, took, why] = widths;
    let widths = [
        Constraint::Length(id),
        Constraint::Fill(workflow),
        Constraint::Length(state),
        Constraint::Length(queue),
        Constraint::Length(age),
        Constraint::Length(took),
        if why == 0 { Constraint::Length(0) } else { Constraint::Fill(why) },
    ];
    let heads = heads([" id", "workflow", "state", "queue", "age", "took", "why"], theme);
    let table = Table::new(desk.executions().iter().map(row), widths).header(heads);
    let mut state = TableState::new();
    state.select((held == Held::Yes).then(|| desk.chosen(Focus::Executions)));
    frame.render_stateful_widget(table.row_highlight_style(CHOSEN), within, &mut state);
}

fn execution_row<'a>(execution: &Execution, id: &str, now: Timestamp, theme: Theme) -> Row<'a> {
    let took = execution.completed_at.map(|end| end.since(execution.created_at).as_micros());
    let took = took.map(|micros| span(u64::try_from(micros).unwrap_or(u64::MAX)));
    let why = match (&execution.failure, execution.paused_at) {
        (Some(failure), _) => one_line(&reason(failure)),
        (None, Some(_)) => "paused".to_owned(),
        (None, None) => String::new(),
    };
    let state = execution.state.as_str().replace('_', " ");
    let ago = age(now.since(execution.created_at));
    Row::new([
        Cell::new(Span::styled(format!(" {id}"), theme.style(Tone::Faint))),
        Cell::new(one_line(&execution.workflow)),
        Cell::new(Span::styled(state, theme.style(Tone::of(execution.state)))),
        Cell::new(one_line(&execution.queue)),
        Cell::new(Line::from(ago).right_aligned()),
        Cell::new(Line::from(took.unwrap_or_default()).right_aligned()),
        Cell::new(why),
    ])
}

/// The end of an id is what tells it from others of the same time.
fn short(id: &str) -> String {
    let end = id.len().checked_sub(12).and_then(|from| id.get(from..));
    format!("…{}", end.unwrap_or(id))
}

fn number<'a>(number: u64) -> Cell<'a> {
    Cell::new(Line::from(count(number)).right_aligned())
}

/// Heads of columns; those of numbers stand over their last digits.
fn heads<'a, const N: usize>(names: [&'static str; N], theme: Theme) -> Row<'a> {
    let numbers = ["waiting", "running", "oldest", "up", "age", "took"];
    let head = |name: &'static str| {
        let line = Line::from(name);
        Cell::new(if numbers.contains(&name) { line.right_aligned() } else { line })
    };
    Row::new(names.map(head)).style(theme.style(Tone::Faint))
}

fn say(frame: &mut Frame<'_>, area: Rect, text: &str, theme: Theme) {
    let line = Line::styled(format!(" {text}"), theme.style(Tone::Faint));
    frame.render_widget(Paragraph::new(line), area);
}
