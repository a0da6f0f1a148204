//! What an execution and its steps have said.

use maud::{Markup, html};

use super::answer::Lost;
use super::parts::{encoded, json, nothing, pager};
use super::told::exactly;
use crate::dispatch::{LogFilter, LogLine, LogPage};
use crate::http::Door;
use crate::model::{ExecutionId, Level};

const ROWS: u32 = 500;

/// A page of it; the last one grows as lines come, and is where one begins.
pub(super) async fn tab(
    door: &Door,
    id: ExecutionId,
    filter: &LogFilter,
    after: u64,
) -> Result<Markup, Lost> {
    let from = i64::try_from(after).unwrap_or(i64::MAX);
    let LogPage { lines, next_after } = door.dispatch.logs(id, filter, from, ROWS).await?;
    let all = format!("/executions/{id}?tab=logs");
    let same = wished(&all, filter);
    let next = next_after.map(|after| format!("{same}&after={after}"));
    let first = (after > 0).then_some(same);
    let is_part = *filter != LogFilter::default();
    Ok(html! {
        @if is_part { p .muted .whose { (whose(filter)) " " a href=(all) { "All lines" } } }
        section .card #logs data-live {
            @if lines.is_empty() && is_part {
                (nothing("None here", &html! { "No such line was said" @if next.is_some() { " among the first that were looked at: look further" } "." }))
            } @else if lines.is_empty() {
                (nothing("Nothing was said", &html! { "Workflows and steps write here by " code { "log::info!" } ", and by what they print." }))
            } @else {
                ol .logs { @for line in &lines { (one(line, &all)) } }
            }
        }
        (pager(first.as_deref(), next.as_deref()))
    })
}

/// The address of those lines only.
fn wished(all: &str, filter: &LogFilter) -> String {
    let LogFilter { step, promise, attempt, .. } = filter;
    let mut path = all.to_owned();
    for (name, value) in [
        ("step", step.as_ref().map(|step| encoded(step.as_str()))),
        ("promise", promise.map(|promise| promise.0.to_string())),
        ("attempt", attempt.map(|attempt| attempt.to_string())),
    ] {
        path.extend(value.map(|value| format!("&{name}={value}")));
    }
    path
}

fn whose(filter: &LogFilter) -> Markup {
    let LogFilter { step, promise, attempt, .. } = filter;
    html! {
        "Only what "
        @match step { Some(step) => { "step " strong { (step) } }, None => { "was" } }
        " said"
        @if let Some(promise) = promise { " in call " (promise.0) }
        @if let Some(attempt) = attempt { " in attempt " (attempt) }
        "."
    }
}

fn one(line: &LogLine, all: &str) -> Markup {
    let of_step = LogFilter { step: line.step.clone(), ..LogFilter::default() };
    let level = line.level.map_or("progress", Level::as_str);
    let has_fields = line.fields.as_str() != "null" && line.fields.as_str() != "{}";
    html! {
        li data-level=(level) {
            span .log-at { (exactly(line.at)) }
            span .log-level { (level) }
            span .log-who {
                @match &line.step {
                    Some(step) => { a href=(wished(all, &of_step)) { (step) } @if line.attempt > 1 { " #" (line.attempt) } }
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
