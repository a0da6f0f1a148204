//! The journal of an execution: as a list for people, and without its payloads for the timeline.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use maud::{Markup, html};
use serde::Serialize;

use super::answer::Lost;
use super::parts::{json, nothing, pager, why};
use super::told::{count, exactly, span};
use crate::dispatch::ExecutionRow;
use crate::http::Door;
use crate::http::error::Problem;
use crate::http::journal::Line;
use crate::http::path::{Asked, Named, PageAfter};
use crate::model::{ExecutionId, Name, Payload, Promise, Run, Seq};

const ROWS: u32 = 100;
/// Promises of one call-many whose name is known where they settle.
const NAMED_MAX: u32 = 10_000;

/// A part of a journal.
#[derive(Debug, Serialize)]
pub(super) struct Entries {
    entries: Vec<Line>,
    next_after: Option<Seq>,
}

/// What happened and when, without payloads: a timeline of thousands of steps needs no more.
pub(super) async fn entries(
    State(door): State<Door>,
    Named(id): Named<ExecutionId>,
    Asked(asked): Asked<PageAfter>,
) -> Result<Json<Entries>, Problem> {
    let slice = door.dispatch.journal(id, Seq(asked.after), asked.limit).await?;
    let next_after = slice.entries.last().filter(|_| slice.more).map(|entry| entry.seq);
    let entries = slice.entries.into_iter().map(|entry| Line::from(entry).bare()).collect();
    Ok(Json(Entries { entries, next_after }))
}

/// A page of it.
pub(super) async fn tab(door: &Door, row: &ExecutionRow, after: u64) -> Result<Markup, Lost> {
    let slice = door.dispatch.journal(row.id, Seq(after), ROWS).await?;
    let path = |after: u64| format!("/executions/{}?tab=journal&after={after}", row.id);
    let next = slice.entries.last().filter(|_| slice.more).map(|last| path(last.seq.0));
    let first = (after > 0).then(|| path(0));
    let lines: Vec<Line> = slice.entries.into_iter().map(Line::from).collect();
    Ok(html! {
        section .card #journal data-live {
            @if lines.is_empty() {
                (nothing("The journal ends here", &html! { a href=(path(0)) { "Read it from its beginning." } }))
            } @else {
                @let names = names(&lines);
                ol .journal { @for line in &lines { (entry(line, row, &names)) } }
            }
        }
        (pager(first.as_deref(), next.as_deref()))
    })
}

/// What each promise is called, as far as this page says so.
fn names(lines: &[Line]) -> HashMap<(Run, Promise), Name> {
    let mut names = HashMap::new();
    for line in lines {
        let (Some(first), Some(name)) = (line.fields.promise, &line.fields.name) else { continue };
        let count = line.fields.count.unwrap_or(1).min(NAMED_MAX);
        let promises = (0..count).map(|place| Promise(first.0.saturating_add(place)));
        names.extend(promises.map(|promise| ((line.run, promise), name.clone())));
    }
    names
}

fn entry(line: &Line, row: &ExecutionRow, names: &HashMap<(Run, Promise), Name>) -> Markup {
    let whole = serde_json::to_string(line).expect("what is told has text keys only");
    let offset = line.at.since(row.created_at);
    html! {
        li #{ "entry-" (line.seq) } {
            details {
                summary {
                    span .seq { (line.seq) }
                    span .kind data-kind=(line.kind) { (line.kind) }
                    span .what { (what(line, names)) }
                    span .muted .offset { "+" (span(offset)) }
                }
                p .muted { (exactly(line.at)) " · run " (line.run) }
                (json(&Payload::from_checked(whole)))
            }
        }
    }
}

fn what(line: &Line, names: &HashMap<(Run, Promise), Name>) -> Markup {
    let fields = &line.fields;
    let of_promise = fields.promise.and_then(|promise| names.get(&(line.run, promise)));
    html! {
        @if let Some(name) = fields.name.as_ref().or(of_promise) { strong { (name) } " " }
        @if let Some(many) = fields.count { (count(u64::from(many), "call", "calls")) " " }
        @if let Some(millis) = fields.milliseconds { (span(std::time::Duration::from_millis(millis))) " " }
        @if let Some(state) = fields.state { (state) " " }
        @if let Some(promise) = fields.promise { span .muted { "promise " (promise) " " } }
        @if let Some(attempt) = fields.attempt.filter(|attempt| *attempt > 1) { span .muted { "attempt " (attempt) " " } }
        @if let Some(failure) = &fields.failure { (why(failure)) }
    }
}
