//! One execution: how it stands, why it waits or failed, what happened in it, and orders to it.

use std::time::Duration;

use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::answer::{Lost, Page};
use super::layout::Place;
use super::parts::{self, Order, fact, link_to, standing, tags};
use super::queues::tasks_table;
use super::told::{exactly, span, when};
use super::{journal, logs};
use crate::dispatch::{
    Body, Ended, ExecutionRow, ExecutionView, LogFilter, ModuleRef, Progress, TaskFilter, TaskView,
    Wait,
};
use crate::http::Door;
use crate::http::error::Problem;
use crate::http::path::{Asked, Named};
use crate::model::{ExecutionId, ExecutionState, Name, Payload, Promise, Timestamp};

/// Tasks of an execution that are shown, the oldest.
const TASKS_SHOWN: u32 = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wish {
    tab: Tab,
    /// Of the journal or the log: what comes behind this.
    pub(super) after: u64,
    /// Of the log: whose lines.
    step: Option<Name>,
    promise: Option<Promise>,
    attempt: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Tab {
    #[default]
    Timeline,
    Journal,
    Logs,
    Tasks,
}

/// What is read for every tab.
struct Known {
    view: ExecutionView,
    wait: Option<Wait>,
    tasks: Vec<TaskView>,
    input: Option<Payload>,
    end: Option<Ended>,
    module: Option<Name>,
    now: Timestamp,
}

/// The page.
pub(super) async fn page(
    State(door): State<Door>,
    id: Result<Named<ExecutionId>, Problem>,
    wish: Result<Asked<Wish>, Problem>,
) -> Result<Page, Lost> {
    let (Named(id), Asked(wish)) = (id?, wish?);
    let known = look(&door, id).await?;
    let row = &known.view.row;
    let tab = match wish.tab {
        Tab::Timeline => timeline(row),
        Tab::Journal => journal::tab(&door, row, wish.after).await?,
        Tab::Logs => {
            let Wish { step, promise, attempt, after, .. } = wish;
            let filter = LogFilter { step, promise, attempt, ..LogFilter::default() };
            logs::tab(&door, id, &filter, after).await?
        }
        Tab::Tasks => tasks(&known),
    };
    let body = html! {
        header .head #head data-live data-ended[row.state.is_terminal()] {
            div {
                p .crumbs { a href="/executions" { "Executions" } }
                h1 { a href={ "/executions?workflow=" (parts::encoded(row.workflow.as_str())) } { (row.workflow) } }
                p .standing {
                    (standing(row.state, row.paused_at)) " " span .id { (id) }
                    button .quiet .copy type="button" data-copy=(id) aria-label="Copy the id" { "Copy" }
                }
            }
            div .row-end .orders { (orders(row)) }
        }
        div #why data-live { (explained(&known)) }
        div #facts data-live .card { (facts(&known)) }
        nav .tabs aria-label="Of this execution" {
            @for (of, name, text) in TABS {
                a href={ "/executions/" (id) "?tab=" (name) } aria-current=[(of == wish.tab).then_some("page")] { (text) }
            }
        }
        (tab)
    };
    Ok(Page::new(Place::Executions, format!("{} {}", row.workflow, row.state), body))
}

const TABS: [(Tab, &str, &str); 4] = [
    (Tab::Timeline, "timeline", "Timeline"),
    (Tab::Journal, "journal", "Journal"),
    (Tab::Logs, "logs", "Logs"),
    (Tab::Tasks, "tasks", "Tasks"),
];

async fn look(door: &Door, id: ExecutionId) -> Result<Known, Lost> {
    let dispatch = &door.dispatch;
    let (view, wait) = dispatch.show_waiting(id).await?;
    let filter = TaskFilter { execution: Some(id), limit: TASKS_SHOWN, ..TaskFilter::default() };
    let tasks = if view.tasks > 0 { dispatch.tasks(filter).await? } else { Vec::new() };
    let first = dispatch.journal(id, view.row.base, 1).await?.entries.into_iter().next();
    let input = first.and_then(|entry| match entry.body {
        Body::Started(started) => Some(started.input),
        Body::Run(_) | Body::Ended(_) | Body::Noted | Body::Command(_) | Body::Event(_) => None,
    });
    let end = match dispatch.result(id, Duration::ZERO).await? {
        Progress::Ended(end) => Some(end),
        Progress::In(_) => None,
    };
    // It goes with its module where that was removed, but for a moment.
    let module = dispatch.module(&ModuleRef::Digest(view.row.module)).await;
    let module = module.ok().map(|module| module.name.clone());
    Ok(Known { view, wait, tasks, input, end, module, now: dispatch.now() })
}

fn orders(row: &ExecutionRow) -> Markup {
    const SIGNAL: &str = r#"[{"key":"name","label":"Signal","list":"signals"},
        {"key":"payload","label":"What it says (JSON)","kind":"json","value":"null"}]"#;
    const REASON: &str = r#"[{"key":"reason","label":"Why, for people","optional":true}]"#;
    let to = |verb: &str| format!("POST /v1/executions/{}/{verb}", row.id);
    let asks = |text: &str| Some(text.to_owned());
    let is_over = row.state.is_terminal();
    let is_blocked = row.state == ExecutionState::Blocked;
    let may_retry = is_over && row.state != ExecutionState::Completed || is_blocked;
    html! {
        @if !is_over {
            (Order { says: "Signal", sends: to("signals/{name}"), asks: asks("Send a signal"), fields: Some(SIGNAL),
                done: "The signal is on its way", ..Order::default() }.button())
            @if row.paused_at.is_some() || is_blocked {
                (Order { says: "Resume", sends: to("resume"), done: "It goes on", ..Order::default() }.button())
            } @else {
                (Order { says: "Pause", sends: to("pause"), done: "It is paused", ..Order::default() }.button())
            }
        }
        @if may_retry {
            (Order { says: "Retry", sends: to("retry"), done: "The next run begins",
                asks: asks("Begin the next run? What the failed run did after its last good point is done again."),
                ..Order::default() }.button())
        }
        @if !is_over {
            (Order { says: "Cancel", sends: to("cancel"), fields: Some(REASON), harms: true, done: "It was asked to end",
                asks: asks("Cancel this execution? It may compensate before it ends."), ..Order::default() }.button())
            (Order { says: "Force", sends: to("cancel"), body: Some(r#"{"force":true}"#), fields: Some(REASON), harms: true,
                asks: asks("End this execution at once? It cannot compensate for what it has done."), done: "It is ended" }.button())
        }
        datalist #signals {}
    }
}

/// Why it does not go on, or why it has ended so.
fn explained(known: &Known) -> Markup {
    let row = &known.view.row;
    let failure = match known.end.as_ref().map(|end| &end.outcome) {
        Some(Err(failure)) => Some(failure),
        Some(Ok(_)) | None => row.failure.as_ref(),
    };
    let is_parked = row.state == ExecutionState::Waiting && row.paused_at.is_none();
    html! {
        @if let Some(wait) = &known.wait {
            section .callout data-tone="wait" { h2 { "Why it waits" } p { (parts::waits(wait)) } }
        } @else if is_parked {
            section .callout data-tone="wait" {
                h2 { "Why it waits" }
                p {
                    "It is parked and costs nothing: it goes on when something arrives for it"
                    @if let Some(due) = known.view.visible_at { ", or " (when(due, known.now)) ", when the next of its timers is due" }
                    "."
                }
                p #open-now .muted {}
            }
        } @else if !row.state.is_terminal() { p #open-now .muted .aside {} }
        @for task in known.tasks.iter().filter(|task| task.waits.is_some()).take(3) {
            @if let Some(wait) = &task.waits {
                section .callout data-tone="wait" { h2 { "Step " (task.row.step) " waits" } p { (parts::waits(wait)) } }
            }
        }
        @if let Some(failure) = failure {
            section .callout data-tone=(if row.state == ExecutionState::Cancelled { "odd" } else { "bad" }) {
                h2 { (headline(row.state)) }
                (parts::failure(failure))
            }
        }
    }
}

fn headline(state: ExecutionState) -> &'static str {
    match state {
        ExecutionState::Blocked => "It is blocked, and waits for a person",
        ExecutionState::TimedOut => "It timed out",
        ExecutionState::Cancelled => "It was cancelled",
        ExecutionState::Failed => "It failed",
        ExecutionState::Pending
        | ExecutionState::Running
        | ExecutionState::Waiting
        | ExecutionState::Cancelling
        | ExecutionState::Completed => "Its last failure",
    }
}

fn facts(known: &Known) -> Markup {
    let (view, now) = (&known.view, known.now);
    let row = &view.row;
    let took = row.started_at.map(|from| span(row.completed_at.unwrap_or(now).since(from)));
    let module = row.module;
    html! {
        dl .facts {
            (fact("Created", &exactly(row.created_at)))
            @if let Some(at) = row.completed_at { (fact("Ended", &exactly(at))) }
            @if let Some(took) = took { (fact(if row.state.is_terminal() { "Took" } else { "Until now" }, &html! { (took) })) }
            (fact("Module", &html! {
                a href={ "/modules/" (module) } {
                    @if let Some(name) = &known.module { (name) " " }
                    span .id { (module.short()) }
                }
            }))
            (fact("Queue", &html! { (row.routing.queue) " " (tags(&row.routing.tags)) }))
            @if row.routing.priority != 0 { (fact("Priority", &html! { (row.routing.priority) })) }
            @if row.run.0 > 0 { (fact("Run", &html! { (row.run) })) }
            @if row.losses > 0 { (fact("Hosts lost under it", &html! { (row.losses) })) }
            @if let Some(at) = row.expires_at.filter(|_| row.completed_at.is_none()) {
                (fact("Expires", &html! { (when(at, now)) }))
            }
            @if let Some(parent) = &row.parent { (fact("Parent", &link_to(parent.execution))) }
            @if let Some(owner) = view.owner { (fact("Owner", &html! { span .id { (owner) } })) }
            @for (name, value) in &view.counters { (fact(name.as_str(), &html! { (value) })) }
        }
        @if !view.custom_state.is_empty() {
            h3 { "State" }
            dl .facts { @for (key, value) in &view.custom_state { (fact(key.as_str(), &parts::json(value))) } }
        }
        @if !view.children.is_empty() {
            details {
                summary { "Children (" (view.children.len()) ")" }
                ul .plain { @for child in &view.children { li { (link_to(*child)) } } }
                p { a href={ "/executions?parent=" (row.id) } { "All of them, as a list" } }
            }
        }
        (said(known))
    }
}

/// What it was given, and what it returned.
fn said(known: &Known) -> Markup {
    let result = known.end.as_ref().and_then(|end| end.outcome.as_ref().ok());
    html! {
        div .two {
            @if let Some(input) = &known.input {
                details open { summary { "Input" } (parts::json(input)) }
            }
            @if let Some(result) = result {
                details open { summary { "Result" } (parts::json(result)) }
            }
        }
    }
}

/// The script draws it, row by row as they come into view.
fn timeline(row: &ExecutionRow) -> Markup {
    html! {
        section .card .timeline-card aria-labelledby="timeline-title" {
            div .timeline-bar {
                h2 #timeline-title .hush { "Timeline" }
                p #timeline-sum .muted role="status" { "Reading the journal…" }
                label .find { span .hush { "Find a step" } input #timeline-find type="search" placeholder="find a step"; }
                div .row-end role="group" aria-label="Zoom" {
                    button type="button" data-zoom="out" aria-label="Zoom out" { "−" }
                    button type="button" data-zoom="all" { "All" }
                    button type="button" data-zoom="in" aria-label="Zoom in" { "+" }
                }
            }
            div #timeline data-execution=(row.id) data-ended[row.state.is_terminal()] {}
            div #timeline-detail aria-live="polite" {}
            noscript { p { "The timeline is drawn by script; the journal has the same as a list." } }
        }
    }
}

fn tasks(known: &Known) -> Markup {
    html! {
        section .card #tasks data-live {
            @if known.tasks.is_empty() {
                (parts::nothing("No task is in a queue", &html! { "Steps that run on the host of this execution have no task: the timeline shows them." }))
            } @else { (tasks_table(&known.tasks, known.now)) }
        }
    }
}
