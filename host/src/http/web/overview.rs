//! The first page: what runs, what waits, what failed, at a glance.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::answer::{Lost, Page};
use super::executions::table;
use super::graph::{Graph, Row};
use super::hosts::hosts_table;
use super::layout::Place;
use super::parts::{Purpose, in_words, nothing};
use super::queues::queues_table;
use super::told::{self, number};
use crate::dispatch::{Counts, ExecutionFilter, HostRow};
use crate::http::{Door, health};
use crate::model::{ExecutionState, History, Part};

/// Rows of each list here: the whole of it is on its own page.
const FEW: u32 = 6;
/// Incarnations that are looked at for those that live.
const HOSTS_LOOKED_AT: u32 = 100;

/// The overview for a browser, a greeting for everybody else.
pub(super) async fn page(State(door): State<Door>, headers: HeaderMap) -> Result<Response, Lost> {
    let accepts = headers.get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok());
    let mut response = if accepts.is_some_and(|accepts| accepts.contains("text/html")) {
        overview(&door).await?.into_response()
    } else {
        health::welcome().into_response()
    };
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept"));
    Ok(response)
}

async fn overview(door: &Door) -> Result<Page, Lost> {
    let dispatch = &door.dispatch;
    let now = dispatch.now();
    let counts = door.board.counts(dispatch).await?;
    let queues = dispatch.queues(FEW).await?;
    let hosts = dispatch.hosts(HOSTS_LOOKED_AT).await?;
    let alive: Vec<HostRow> = hosts.into_iter().filter(|host| host.alive).collect();
    let blocked = of_state(door, ExecutionState::Blocked).await?;
    let failed = of_state(door, ExecutionState::Failed).await?;
    let body = html! {
        header .head { h1 { "Overview" } }
        div #overview data-live {
            @if counts.executions.iter().all(|(_, count)| *count == 0) { (first_steps()) }
            (tiles(&counts, alive.len()))
            (graphs(door.board.history()))
            @if !blocked.is_empty() {
                section .card {
                    h2 { "Blocked: these wait for a person" }
                    (table(&blocked, now, Purpose::Look))
                }
            }
            div .two {
                section .card {
                    h2 { a href="/executions?state=failed" { "Failed last" } }
                    @if failed.is_empty() {
                        (nothing("Nothing has failed", &html! { "What fails is listed here, newest first." }))
                    } @else { (table(&failed, now, Purpose::Look)) }
                }
                section .card {
                    h2 { a href="/queues" { "Queues" } }
                    (queues_table(&queues, now, Purpose::Look))
                }
            }
            section .card {
                h2 { a href="/hosts" { "Hosts" } }
                (hosts_table(&alive, now))
            }
        }
    };
    Ok(Page::new(Place::Overview, "Overview", body))
}

async fn of_state(
    door: &Door,
    state: ExecutionState,
) -> Result<Vec<crate::dispatch::ExecutionRow>, Lost> {
    let filter = ExecutionFilter { state: Some(state), limit: FEW, ..ExecutionFilter::default() };
    Ok(door.dispatch.list(filter).await?.rows)
}

/// What to do on a host that has run nothing.
fn first_steps() -> Markup {
    html! {
        section .card {
            h2 { "This host is ready, and nothing has run on it yet" }
            ol .steps {
                li { "Deploy a module: " code { "stepwell deploy my_module.wasm" } }
                li { "Start one of its workflows, here under " a href="/modules" { "Modules" } " or by " code { "stepwell run WORKFLOW --input '{}'" } }
                li { "Look at what happens under " a href="/executions" { "Executions" } }
            }
        }
    }
}

fn tiles(counts: &Counts, hosts: usize) -> Markup {
    let of = |state: ExecutionState| {
        counts.executions.iter().find(|(counted, _)| *counted == state).map_or(0, |(_, n)| *n)
    };
    html! {
        ul .tiles aria-label="Executions by state" {
            @for state in ExecutionState::ALL {
                li {
                    a .tile href={ "/executions?state=" (state) } data-state=(state) data-none[of(state) == 0] {
                        span .tile-name { (in_words(state)) }
                        span .tile-count { (number(of(state))) }
                    }
                }
            }
            li {
                a .tile href="/dead-letters" data-state="dead" data-none[counts.dead_letters == 0] {
                    span .tile-name { "dead letters" }
                    span .tile-count { (number(counts.dead_letters)) }
                }
            }
            li {
                a .tile href="/hosts" data-state="hosts" {
                    span .tile-name { "hosts" }
                    span .tile-count { (hosts) }
                }
            }
        }
    }
}

fn graphs(history: &History) -> Markup {
    let parts = history.parts();
    let sum = |count: fn(&Part) -> u64| parts.iter().map(count).sum::<u64>();
    let row = |name, class, value: fn(&Part) -> f64| Row {
        name,
        class,
        values: parts.iter().map(value).collect(),
    };
    let (completed, failed) = (sum(|part| part.completed), sum(|part| part.failed));
    let ends = Graph {
        title: "Executions ended",
        sentence: format!(
            "In the last 15 minutes {completed} executions completed and {failed} failed on this host."
        ),
        rows: vec![
            row("completed", "good", |part| per_second(part.completed)),
            row("failed", "bad", |part| per_second(part.failed)),
            row("cancelled", "odd", |part| per_second(part.cancelled)),
        ],
        told: rate,
    };
    let spans = Graph {
        title: "From acceptance to end",
        sentence: "How long the executions that ended on this host took, by median and by the slowest twentieth.".to_owned(),
        rows: vec![
            row("p50", "calm", |part| seconds(part.span_of(50))),
            row("p95", "odd", |part| seconds(part.span_of(95))),
        ],
        told: |seconds| told::span(Duration::from_secs_f64(seconds.max(0.0))),
    };
    let (steps, step_failures) = (sum(|part| part.steps), sum(|part| part.step_failures));
    let attempts = Graph {
        title: "Attempts of steps",
        sentence: format!(
            "In the last 15 minutes {steps} attempts brought a result and {step_failures} failed on this host."
        ),
        rows: vec![
            row("completed", "calm", |part| per_second(part.steps)),
            row("failed", "bad", |part| per_second(part.step_failures)),
        ],
        told: rate,
    };
    html! {
        section .card aria-labelledby="graphs-title" {
            h2 #graphs-title {
                "The last 15 minutes " span .muted { "on the host that serves this page; /metrics has all hosts" }
            }
            div .graphs { (ends.bars()) (spans.lines()) (attempts.bars()) }
        }
    }
}

fn per_second(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from) / History::PART.as_secs_f64()
}

fn seconds(span: Option<Duration>) -> f64 {
    span.map_or(0.0, |span| span.as_secs_f64())
}

fn rate(per_second: f64) -> String {
    if per_second >= 10.0 || per_second.fract() == 0.0 {
        format!("{per_second:.0}/s")
    } else {
        format!("{per_second:.1}/s")
    }
}
