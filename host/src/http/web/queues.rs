//! Queues: how deep they are, why what is in them waits, and having one stand still.

use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::answer::{Lost, Page};
use super::layout::Place;
use super::parts::{Order, Purpose, encoded, link_to, nothing, waits};
use super::told::{count, number, rough, when};
use crate::dispatch::{QueueRow, TaskFilter, TaskState, TaskView};
use crate::http::Door;
use crate::http::error::Problem;
use crate::http::path::Asked;
use crate::model::{Name, Timestamp};

const ROWS: u32 = 500;
/// Tasks of one queue that are looked at, the oldest.
const TASKS_SHOWN: u32 = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wish {
    queue: Option<Name>,
}

/// All queues, and what waits in one of them.
pub(super) async fn page(
    State(door): State<Door>,
    wish: Result<Asked<Wish>, Problem>,
) -> Result<Page, Lost> {
    let Asked(Wish { queue }) = wish?;
    let now = door.dispatch.now();
    let rows = door.dispatch.queues(ROWS).await?;
    let waiting = match &queue {
        None => Vec::new(),
        Some(queue) => {
            let (queue, state) = (Some(queue.clone()), Some(TaskState::Waiting));
            let filter = TaskFilter { queue, state, limit: TASKS_SHOWN, ..TaskFilter::default() };
            door.dispatch.tasks(filter).await?
        }
    };
    let body = html! {
        header .head { h1 { "Queues" } }
        section .card #queues data-live { (queues_table(&rows, now, Purpose::Order)) }
        @if let Some(queue) = &queue {
            section .card #waiting data-live {
                h2 { "What waits longest in " (queue) ", and why" }
                @if waiting.is_empty() {
                    (nothing("No task waits", &html! { "Steps that run on the host of their own execution are never in a queue." }))
                } @else { (tasks_table(&waiting, now)) }
                p .muted {
                    "Executions of this queue that no host has begun: "
                    a href={ "/executions?state=pending&queue=" (encoded(queue.as_str())) } { "as a list" } "."
                }
            }
        }
    };
    Ok(Page::new(Place::Queues, "Queues", body))
}

/// Queues as rows; with orders where there is room for them.
pub(super) fn queues_table(rows: &[QueueRow], now: Timestamp, purpose: Purpose) -> Markup {
    if rows.is_empty() {
        let next = html! { "A queue is there once something is sent to it, or once it is paused." };
        return nothing("There is no queue yet", &next);
    }
    html! {
        div .scroll {
            table .rows {
                thead {
                    tr {
                        th { "Queue" } th .num { "Waiting" } th .num { "Running" }
                        th .num .wide { "At a limit" } th .num .wide { "Executions" } th .num .wide { "Oldest" }
                        @if purpose.orders() { th .acts { span .hush { "Orders" } } }
                    }
                }
                tbody {
                    @for row in rows { (one(row, now, purpose)) }
                }
            }
        }
    }
}

fn one(row: &QueueRow, now: Timestamp, purpose: Purpose) -> Markup {
    let path = format!("/queues?queue={}", encoded(row.name.as_str()));
    let oldest = row.oldest_at.map(|at| rough(now.since(at)));
    html! {
        tr data-href=(path) {
            td {
                a .name href=(path) { (row.name) }
                @if let Some(since) = row.paused_at {
                    " " span .badge data-state="paused" { "paused" }
                    span .sub { (when(since, now)) }
                }
            }
            td .num { (number(row.waiting)) }
            td .num { (number(row.running)) }
            td .num .wide { (number(row.blocked)) }
            td .num .wide { (number(row.executions)) }
            td .num .wide { (oldest.unwrap_or_default()) }
            @if purpose.orders() { td .acts { (order(row)) } }
        }
    }
}

fn order(row: &QueueRow) -> Markup {
    let path = format!("POST /v1/queues/{}", encoded(row.name.as_str()));
    if row.paused_at.is_some() {
        Order {
            says: "Resume",
            sends: format!("{path}/resume"),
            done: "The queue goes on",
            ..Order::default()
        }
        .button()
    } else {
        let asks = format!(
            "Pause queue {}? What runs goes on, and nothing of it begins until it is resumed.",
            row.name
        );
        let sends = format!("{path}/pause");
        Order {
            says: "Pause",
            sends,
            asks: Some(asks),
            done: "The queue is paused",
            ..Order::default()
        }
        .button()
    }
}

/// Tasks as rows, each with why it waits.
pub(super) fn tasks_table(tasks: &[TaskView], now: Timestamp) -> Markup {
    html! {
        div .scroll {
            table .rows {
                thead {
                    tr { th { "Step" } th { "Why it waits" } th .num .wide { "Attempt" } th .num { "Called" } }
                }
                tbody {
                    @for TaskView { row, waits: wait } in tasks {
                        tr {
                            td { span .name { (row.step) } span .sub { (row.workflow) " " (link_to(row.execution)) } }
                            td {
                                @match wait {
                                    Some(wait) => { (waits(wait)) }
                                    None => { "It runs." }
                                }
                            }
                            td .num .wide { (count(u64::from(row.attempt), "attempt", "attempts")) }
                            td .num { (when(row.created_at, now)) }
                        }
                    }
                }
            }
        }
    }
}
