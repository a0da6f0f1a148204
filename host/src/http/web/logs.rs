//! What an execution and its steps have said.

use maud::{Markup, html};

use super::answer::Lost;
use super::parts::{json, nothing, pager};
use super::told::exactly;
use crate::dispatch::LogLine;
use crate::http::Door;
use crate::model::{ExecutionId, Level};

const ROWS: u32 = 500;

/// A page of it; the last one grows as lines come, and is where one begins.
pub(super) async fn tab(door: &Door, id: ExecutionId, after: u64) -> Result<Markup, Lost> {
    let from = i64::try_from(after).unwrap_or(i64::MAX);
    let lines = door.dispatch.logs(id, from, ROWS).await?;
    let path = |after: i64| format!("/executions/{id}?tab=logs&after={after}");
    let is_full = u32::try_from(lines.len()).is_ok_and(|rows| rows >= ROWS);
    let next = lines.last().filter(|_| is_full).map(|line| path(line.id));
    let first = (after > 0).then(|| path(0));
    Ok(html! {
        section .card #logs data-live {
            @if lines.is_empty() {
                (nothing("Nothing was said", &html! { "Workflows and steps write here by " code { "log::info!" } ", and by what they print." }))
            } @else {
                ol .logs { @for line in &lines { (one(line)) } }
            }
        }
        (pager(first.as_deref(), next.as_deref()))
    })
}

fn one(line: &LogLine) -> Markup {
    let level = line.level.map_or("progress", Level::as_str);
    let has_fields = line.fields.as_str() != "null" && line.fields.as_str() != "{}";
    html! {
        li data-level=(level) {
            span .log-at { (exactly(line.at)) }
            span .log-level { (level) }
            span .log-who {
                @match &line.step {
                    Some(step) => { (step) @if line.attempt > 1 { " #" (line.attempt) } }
                    None => { "workflow" }
                }
            }
            span .log-text {
                (line.message)
                @if has_fields { details { summary { "fields" } (json(&line.fields)) } }
            }
        }
    }
}
