//! The audit log: who changed what, when, and from where.

use axum::extract::State;
use axum::http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::answer::{Lost, Page};
use super::layout::Place;
use super::parts::{nothing, pager, path_of};
use super::told::when;
use crate::dispatch::AuditRow;
use crate::http::Door;
use crate::http::error::Problem;
use crate::http::path::Asked;
use crate::model::{ExecutionId, Timestamp};

const ROWS: u32 = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wish {
    before: Option<i64>,
}

/// The log, newest first.
pub(super) async fn page(
    State(door): State<Door>,
    wish: Result<Asked<Wish>, Problem>,
) -> Result<Page, Lost> {
    let Asked(Wish { before }) = wish?;
    // What was noted here is seen here.
    door.dispatch.write_noted().await?;
    let rows = door.dispatch.audit_log(before, ROWS).await?;
    let now = door.dispatch.now();
    let is_full = u32::try_from(rows.len()).is_ok_and(|rows| rows >= ROWS);
    let next = rows.last().filter(|_| is_full).map(|row| format!("/audit?before={}", row.id));
    let first = before.map(|_| "/audit");
    let body = html! {
        header .head { h1 { "Audit log" } }
        div #audit data-live .card {
            @if rows.is_empty() { (empty(before)) } @else { (table(&rows, now)) }
        }
        (pager(first, next.as_deref()))
    };
    Ok(Page::new(Place::Audit, "Audit log", body))
}

fn empty(before: Option<i64>) -> Markup {
    match before {
        Some(_) => nothing("Nothing is older", &html! { a href="/audit" { "Back to the newest" } }),
        None => nothing(
            "Nothing has been changed",
            &html! { "Every change is written here: who made it, when, and from where." },
        ),
    }
}

fn table(rows: &[AuditRow], now: Timestamp) -> Markup {
    html! {
        div .scroll {
            table .rows .audit {
                thead {
                    tr { th { "What" } th { "Who" } th { "From" } th { "Status" } th .num { "When" } }
                }
                tbody { @for row in rows { (one(row, now)) } }
            }
        }
    }
}

fn one(row: &AuditRow, now: Timestamp) -> Markup {
    let entry = &row.entry;
    html! {
        tr {
            td { span .name { (entry.action) } span .sub { (subject(&entry.subject)) } }
            td {
                (entry.detail.by)
                @if let Some(key) = &entry.key { span .sub .id { (key.prefix()) } }
            }
            td { span .id { (entry.detail.from) } }
            td { (outcome(entry.detail.status)) }
            td .num { (when(entry.at, now)) }
        }
    }
}

/// What it was done to; an execution by a link to it.
fn subject(text: &str) -> Markup {
    let id = text.split([' ', '/']).find_map(|part| part.parse::<ExecutionId>().ok());
    html! {
        @match id {
            Some(id) => a href=(path_of(id)) { (text) },
            None => (text),
        }
    }
}

/// How it was answered, in a word and by its number.
fn outcome(status: u16) -> Markup {
    let code = StatusCode::from_u16(status).unwrap_or_default();
    let (word, tone) = if code.is_client_error() {
        ("refused", "failed")
    } else if code.is_server_error() {
        ("went wrong", "failed")
    } else {
        ("done", "completed")
    };
    html! { span .badge data-state=(tone) title={ "Answered with " (status) } { (word) " " (status) } }
}
