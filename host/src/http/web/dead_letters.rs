//! Dead letters: steps whose attempts ran out, to be replayed or discarded.

use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::answer::{Lost, Page};
use super::layout::Place;
use super::parts::{self, Order, encoded, link_to, nothing, pager, why};
use super::told::{count, when};
use crate::dispatch::{DeadLetter, LetterCount, LetterFilter};
use crate::http::Door;
use crate::http::error::Problem;
use crate::http::path::Asked;
use crate::model::{Name, Timestamp};

const ROWS: u32 = 50;
/// Steps whose letters are counted, those with the most.
const COUNTS_SHOWN: usize = 8;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wish {
    workflow: String,
    step: String,
    queue: String,
    kind: String,
    before: Option<i64>,
}

impl Wish {
    /// A line for each field of the form: its name, its label, and what it holds.
    fn fields(&self) -> [(&'static str, &'static str, &str); 4] {
        [
            ("workflow", "Workflow", &self.workflow),
            ("step", "Step", &self.step),
            ("queue", "Queue", &self.queue),
            ("kind", "Kind of failure", &self.kind),
        ]
    }

    fn filter(&self) -> Result<LetterFilter, Problem> {
        Ok(LetterFilter {
            workflow: read(&self.workflow)?,
            step: read(&self.step)?,
            queue: read(&self.queue)?,
            kind: Some(self.kind.trim().to_owned()).filter(|kind| !kind.is_empty()),
            ..LetterFilter::default()
        })
    }

    fn is_narrow(&self) -> bool {
        self.fields().iter().any(|(_, _, value)| !value.is_empty())
    }

    fn path(&self, before: Option<i64>) -> String {
        let fields = self.fields();
        let named = fields.iter().filter(|(_, _, value)| !value.is_empty());
        let mut query: Vec<_> =
            named.map(|(name, _, value)| format!("{name}={}", encoded(value))).collect();
        query.extend(before.map(|before| format!("before={before}")));
        format!("/dead-letters?{}", query.join("&"))
    }
}

fn read(text: &str) -> Result<Option<Name>, Problem> {
    let text = text.trim();
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(Problem::malformed) }
}

/// The list.
pub(super) async fn page(
    State(door): State<Door>,
    wish: Result<Asked<Wish>, Problem>,
) -> Result<Page, Lost> {
    let Asked(wish) = wish?;
    let filter = wish.filter()?;
    let letters = door.dispatch.dead_letters(&filter, wish.before, ROWS).await?;
    let counts = door.dispatch.count_dead_letters(&LetterFilter::default()).await?;
    let now = door.dispatch.now();
    let is_full = u32::try_from(letters.len()).is_ok_and(|rows| rows >= ROWS);
    let next = letters.last().filter(|_| is_full).map(|letter| wish.path(Some(letter.id)));
    let first = wish.before.map(|_| wish.path(None));
    let body = html! {
        header .head { h1 { "Dead letters" } }
        @if !counts.is_empty() { (by_step(&counts)) (form(&wish)) }
        div data-bulk {
            (bulk())
            div #list data-live .card {
                @if letters.is_empty() { (empty(&wish)) } @else { (table(&letters, now)) }
            }
        }
        (pager(first.as_deref(), next.as_deref()))
    };
    Ok(Page::new(Place::DeadLetters, "Dead letters", body))
}

fn by_step(counts: &[LetterCount]) -> Markup {
    html! {
        ul .chips aria-label="Dead letters by step" {
            @for counted in counts.iter().take(COUNTS_SHOWN) {
                li {
                    a .chip href={ "/dead-letters?workflow=" (encoded(counted.workflow.as_str())) "&step=" (encoded(counted.step.as_str())) } {
                        (counted.workflow) " › " (counted.step) " " strong { (counted.count) }
                    }
                }
            }
        }
    }
}

fn form(wish: &Wish) -> Markup {
    html! {
        search {
            form .filters method="get" action="/dead-letters" {
                @for (name, label, value) in wish.fields() {
                    label { (label) input name=(name) value=(value) placeholder="any" data-search[name == "workflow"]; }
                }
                div .row-end {
                    @if wish.is_narrow() { a .button .quiet href="/dead-letters" { "Clear" } }
                    button { "Filter" }
                }
            }
        }
    }
}

fn bulk() -> Markup {
    html! {
        div .bulk role="group" aria-label="Orders for the selected dead letters" hidden {
            span .bulk-count { "0 selected" }
            button type="button" data-each="POST /v1/dead-letters/{id}/replay"
                data-asks="Replay the selected dead letters? Each execution goes back to the step that failed." { "Replay" }
            button type="button" .danger data-each="DELETE /v1/dead-letters/{id}"
                data-asks="Discard the selected dead letters? Their executions stay as they are." { "Discard" }
        }
    }
}

fn empty(wish: &Wish) -> Markup {
    if wish.is_narrow() {
        nothing(
            "No dead letter is like that",
            &html! { a href="/dead-letters" { "Clear the filters" } " to see all of them." },
        )
    } else {
        nothing(
            "No dead letters",
            &html! { "A step whose attempts ran out is kept here, to be replayed once its cause is mended." },
        )
    }
}

fn table(letters: &[DeadLetter], now: Timestamp) -> Markup {
    html! {
        div .scroll {
            table .rows .stack {
                thead {
                    tr {
                        th .box { input type="checkbox" data-all aria-label="Select all on this page"; }
                        th { "Step" } th { "Failure" } th .num .wide { "Attempts" } th .num { "When" }
                        th .acts { span .hush { "Orders" } }
                    }
                }
                tbody { @for letter in letters { (one(letter, now)) } }
            }
        }
    }
}

fn one(letter: &DeadLetter, now: Timestamp) -> Markup {
    let path = format!("/v1/dead-letters/{}", letter.id);
    let replay = Order {
        says: "Replay",
        sends: format!("POST {path}/replay"),
        done: "The execution goes back to this step",
        ..Order::default()
    };
    let discard = Order {
        says: "Discard",
        sends: format!("DELETE {path}"),
        asks: Some("Discard this dead letter? Its execution stays as it is.".to_owned()),
        done: "It is discarded",
        harms: true,
        ..Order::default()
    };
    html! {
        tr {
            td .box { input type="checkbox" value=(letter.id) aria-label={ "Select dead letter " (letter.id) " of " (letter.step) }; }
            td .whole { span .name { (letter.step) } span .sub { (letter.workflow) " " (link_to(letter.execution)) } }
            td .whole {
                details .quiet-details data-load=(path) {
                    summary { (why(&letter.failure)) }
                    (parts::failure(&letter.failure))
                    h3 { "What the step was called with" }
                    pre .json data-input tabindex="0" { "…" }
                }
            }
            td .num .wide { (count(u64::from(letter.attempts), "attempt", "attempts")) }
            td .num { (when(letter.created_at, now)) }
            td .acts { (replay.button()) " " (discard.button()) }
        }
    }
}
