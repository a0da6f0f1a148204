//! Schedules: what they start and when, and orders to them.

use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::answer::{Lost, Page};
use super::layout::Place;
use super::parts::{Order, encoded, link_to, nothing, pager, why};
use super::told::{count, exactly, when};
use crate::dispatch::ScheduleRow;
use crate::http::Door;
use crate::http::error::Problem;
use crate::http::path::Asked;
use crate::model::{Name, Timestamp};

const ROWS: u32 = 100;
/// How many of its next times are shown.
const NEXT_SHOWN: usize = 5;
/// How many of its last executions are.
const LAST_SHOWN: usize = 3;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wish {
    after: Option<Name>,
}

/// All schedules, by name.
pub(super) async fn page(
    State(door): State<Door>,
    wish: Result<Asked<Wish>, Problem>,
) -> Result<Page, Lost> {
    let Asked(Wish { after }) = wish?;
    let rows = door.dispatch.schedules(after.as_ref(), ROWS).await?;
    let now = door.dispatch.now();
    let is_full = u32::try_from(rows.len()).is_ok_and(|rows| rows >= ROWS);
    let behind = |row: &ScheduleRow| format!("/schedules?after={}", encoded(row.name.as_str()));
    let next = rows.last().filter(|_| is_full).map(behind);
    let first = after.map(|_| "/schedules");
    let body = html! {
        header .head { h1 { "Schedules" } }
        div #schedules data-live {
            @if rows.is_empty() {
                div .card {
                    (nothing("There is no schedule", &html! { "Put one with "
                        code { "stepwell schedules put nightly WORKFLOW --cron '0 3 * * *'" } "." }))
                }
            }
            @for row in &rows { (one(row, now)) }
        }
        (pager(first, next.as_deref()))
    };
    Ok(Page::new(Place::Schedules, "Schedules", body))
}

fn one(row: &ScheduleRow, now: Timestamp) -> Markup {
    let progress = &row.progress;
    html! {
        section .card .schedule {
            header .card-head {
                div {
                    h2 {
                        (row.name)
                        @if row.paused_at.is_some() { " " span .badge data-state="paused" { "paused" } }
                    }
                    p { code { (row.spec.timing) } " starts " a href={ "/executions?workflow=" (encoded(row.spec.workflow.as_str())) } { (row.spec.workflow) } }
                }
                div .row-end { (orders(row)) }
            }
            div .three {
                div {
                    h3 { "Next" }
                    (upcoming(row, now))
                }
                div {
                    h3 { "Last" }
                    @if progress.last.is_empty() { p .muted { "It has started nothing yet." } }
                    ul .plain {
                        @for firing in progress.last.iter().take(LAST_SHOWN) {
                            li { (when(firing.started_at, now)) " " (link_to(firing.execution)) }
                        }
                    }
                }
                div {
                    h3 { "Until now" }
                    p { (count(progress.fired, "start", "starts")) ", " (progress.skipped) " left out, " (progress.failed) " failed" }
                    @if !progress.running.is_empty() { p { (progress.running.len()) " running" } }
                    @if !progress.queued.is_empty() { p { (progress.queued.len()) " waiting for what runs" } }
                    @if let Some(failed) = &progress.last_failure { p { (when(failed.at, now)) ": " (why(&failed.failure)) } }
                }
            }
        }
    }
}

fn upcoming(row: &ScheduleRow, now: Timestamp) -> Markup {
    let first = row.next_at.filter(|_| row.paused_at.is_none());
    let times: Vec<_> =
        std::iter::successors(first, |at| row.spec.next_after(*at)).take(NEXT_SHOWN).collect();
    html! {
        @if let Some(since) = row.paused_at { p .muted { "Paused " (when(since, now)) "." } }
        @else if times.is_empty() { p .muted { "It does not fire any more." } }
        ul .plain {
            @for (place, at) in times.iter().enumerate() {
                li { @if place == 0 { strong { (when(*at, now)) } " " } (exactly(*at)) }
            }
        }
    }
}

fn orders(row: &ScheduleRow) -> Markup {
    let path = format!("/v1/schedules/{}", row.name);
    let to = |verb: &str| format!("POST {path}/{verb}");
    let asks = format!("Remove schedule {}? What it has started goes on.", row.name);
    html! {
        (Order { says: "Start now", sends: to("trigger"), done: "Started", ..Order::default() }.button())
        @if row.paused_at.is_some() {
            (Order { says: "Resume", sends: to("resume"), done: "The schedule goes on", ..Order::default() }.button())
        } @else {
            (Order { says: "Pause", sends: to("pause"), done: "The schedule is paused", ..Order::default() }.button())
        }
        (Order { says: "Remove", sends: format!("DELETE {path}"), asks: Some(asks), done: "The schedule is gone", harms: true,
            ..Order::default() }.button())
    }
}
