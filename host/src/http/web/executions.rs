//! Executions: a list with filters, and orders for those that are selected.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::answer::{Lost, Page};
use super::layout::Place;
use super::parts::{Purpose, in_words, nothing, pager, path_of, standing, tags, why};
use super::told::{span, when};
use crate::dispatch::{Dispatch, ExecutionFilter, ExecutionRow, ModuleRef, Names};
use crate::http::Door;
use crate::http::error::Problem;
use crate::http::executions::{cursor_behind, read_cursor};
use crate::http::path::Asked;
use crate::model::{ExecutionId, ExecutionState, Name, Timestamp};

const ROWS: u32 = 50;
/// How many names a field offers.
const NAMES_OFFERED: usize = 100;
/// Fields that are shown at once; the others when somebody wants them.
const FIELDS_FIRST: usize = 2;

/// What the form asks for, as it was written: a field that is left empty says nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wish {
    /// An id, or the name of a workflow.
    q: String,
    state: String,
    workflow: String,
    module: String,
    queue: String,
    tag: String,
    failure: String,
    parent: String,
    since: String,
    until: String,
    cursor: String,
}

impl Wish {
    /// A line for each field of the form: its name, its label, and what it holds.
    fn fields(&self) -> [(&'static str, &'static str, &str); 8] {
        [
            ("workflow", "Workflow", &self.workflow),
            ("queue", "Queue", &self.queue),
            ("module", "Module", &self.module),
            ("tag", "Tag", &self.tag),
            ("failure", "Failed with", &self.failure),
            ("parent", "Parent", &self.parent),
            ("since", "Since", &self.since),
            ("until", "Until", &self.until),
        ]
    }

    async fn filter(&self, dispatch: &Dispatch) -> Result<ExecutionFilter, Problem> {
        let module = match read::<ModuleRef>(&self.module)? {
            Some(module) => Some(dispatch.module(&module).await?.digest),
            None => None,
        };
        Ok(ExecutionFilter {
            module,
            tag: read(&self.tag)?,
            failure_kind: read(&self.failure)?,
            since: read(&self.since)?,
            until: read(&self.until)?,
            state: read(&self.state)?,
            workflow: read(&self.workflow)?,
            queue: read(&self.queue)?,
            parent: read(&self.parent)?,
            after: Some(self.cursor.as_str())
                .filter(|cursor| !cursor.is_empty())
                .map(read_cursor)
                .transpose()?,
            limit: ROWS,
        })
    }

    fn is_narrow(&self) -> bool {
        !self.state.is_empty() || self.fields().iter().any(|(_, _, value)| !value.is_empty())
    }

    /// The address of the same list from another place on.
    fn path(&self, cursor: Option<&str>) -> String {
        let fields = self.fields();
        let named = fields.iter().map(|(name, _, value)| (*name, *value));
        let all =
            named.chain([("state", self.state.as_str()), ("cursor", cursor.unwrap_or_default())]);
        let query: Vec<_> = all
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", super::parts::encoded(value)))
            .collect();
        format!("/executions?{}", query.join("&"))
    }
}

/// What a field that is empty shows.
fn example(field: &str) -> &'static str {
    match field {
        "since" | "until" => "2027-01-31T08:00:00Z",
        _ => "any",
    }
}

fn read<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<Option<T>, Problem> {
    let text = text.trim();
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(Problem::malformed) }
}

/// The list.
pub(super) async fn page(
    State(door): State<Door>,
    wish: Result<Asked<Wish>, Problem>,
) -> Result<Response, Lost> {
    let Asked(wish) = wish?;
    if let Some(found) = sought(&wish)? {
        return Ok(Redirect::to(&found).into_response());
    }
    let found = door.dispatch.list(wish.filter(&door.dispatch).await?).await?;
    let (rows, now) = (found.rows, door.dispatch.now());
    let next = found.next.map(|place| wish.path(Some(&cursor_behind(place))));
    let first = (!wish.cursor.is_empty()).then(|| wish.path(None));
    let modules = if rows.is_empty() { door.dispatch.modules().await?.len() } else { 1 };
    let names = door.dispatch.names(NAMES_OFFERED).await?;
    let body = html! {
        header .head {
            h1 { "Executions" }
            div .row-end { a .button .primary href="/modules" { "Start one" } }
        }
        (form(&wish, &names))
        div data-bulk {
            (bulk())
            div #list data-live .card {
                @if rows.is_empty() { (empty(&wish, modules, next.as_deref())) } @else { (table(&rows, now, Purpose::Order)) }
            }
        }
        (pager(first.as_deref(), next.as_deref()))
    };
    Ok(Page::new(Place::Executions, "Executions", body).into_response())
}

/// Where what was typed into the search leads: an id to its execution, all else to the workflow of that name.
fn sought(wish: &Wish) -> Result<Option<String>, Problem> {
    let text = wish.q.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(id) = text.parse::<ExecutionId>() {
        return Ok(Some(path_of(id)));
    }
    let name: Name = text.parse().map_err(Problem::malformed)?;
    Ok(Some(Wish { workflow: name.to_string(), ..Wish::default() }.path(None)))
}

fn form(wish: &Wish, names: &Names) -> Markup {
    let fields = wish.fields();
    let (first, more) = fields.split_at(FIELDS_FIRST);
    let is_open = more.iter().any(|(_, _, value)| !value.is_empty());
    html! {
        search {
            form method="get" action="/executions" {
                div .filters {
                label { "Find" input name="q" type="search" placeholder="id or workflow" data-search; }
                label { "State"
                    select name="state" data-submits {
                        option value="" { "any" }
                        @for state in ExecutionState::ALL {
                            option value=(state) selected[state.as_str() == wish.state] { (in_words(state)) }
                        }
                    }
                }
                @for field in first { (one_field(*field)) }
                div .row-end {
                    @if wish.is_narrow() { a .button .quiet href="/executions" { "Clear" } }
                    button { "Filter" }
                }
                }
                details .more open[is_open] {
                    summary { "More filters" }
                    div .filters { @for field in more { (one_field(*field)) } }
                }
                (offered("workflow", &names.workflows))
                (offered("module", &names.modules))
                (offered("tag", &names.tags))
            }
        }
    }
}

fn one_field((name, label, value): (&str, &str, &str)) -> Markup {
    let list = matches!(name, "workflow" | "module" | "tag").then(|| format!("known-{name}"));
    html! {
        label { (label) input name=(name) value=(value) placeholder=(example(name)) list=[list]; }
    }
}

/// Names that a field offers; others may be written all the same.
fn offered(field: &str, names: &[Name]) -> Markup {
    html! { datalist id={ "known-" (field) } { @for name in names { option value=(name) {} } } }
}

/// What can be done with those that are selected. Shown while there are any.
fn bulk() -> Markup {
    let one = "POST /v1/executions/{id}/";
    html! {
        div .bulk role="group" aria-label="Orders for the selected executions" hidden {
            span .bulk-count { "0 selected" }
            button type="button" data-each={ (one) "pause" } { "Pause" }
            button type="button" data-each={ (one) "resume" } { "Resume" }
            button type="button" data-each={ (one) "retry" } { "Retry" }
            button type="button" .danger data-each={ (one) "cancel" }
                data-asks="Cancel the selected executions? Each may compensate before it ends." { "Cancel" }
        }
    }
}

fn empty(wish: &Wish, modules: usize, next: Option<&str>) -> Markup {
    if let Some(next) = next {
        nothing(
            "Nothing is like that so far",
            &html! { "Many executions were looked through: " a href=(next) { "look further" } ", or narrow the time." },
        )
    } else if wish.is_narrow() {
        nothing(
            "Nothing is like that",
            &html! { a href="/executions" { "Clear the filters" } " to see all executions." },
        )
    } else if modules == 0 {
        nothing(
            "No module has been deployed",
            &html! { "Deploy one with " code { "stepwell deploy my_module.wasm" } ", then start a workflow of it." },
        )
    } else {
        nothing(
            "Nothing has been started",
            &html! { "Choose a workflow among the " a href="/modules" { "modules" } ", or type "
            code { "stepwell run WORKFLOW --input '{}'" } "." },
        )
    }
}

/// Executions as rows; with boxes where they can be selected.
pub(super) fn table(rows: &[ExecutionRow], now: Timestamp, purpose: Purpose) -> Markup {
    html! {
        div .scroll {
            table .rows .stack {
                thead {
                    tr {
                        @if purpose.orders() {
                            th .box { input type="checkbox" data-all aria-label="Select all on this page"; }
                        }
                        th { "Workflow" } th { "State" }
                        @if purpose.orders() { th .wide { "Queue" } }
                        th .num { "Created" } th .num .wide { "Took" }
                    }
                }
                tbody {
                    @for row in rows { (one(row, now, purpose)) }
                }
            }
        }
    }
}

fn one(row: &ExecutionRow, now: Timestamp, purpose: Purpose) -> Markup {
    let end = row.completed_at.unwrap_or(now);
    let took = row.started_at.map(|from| span(end.since(from)));
    html! {
        tr data-href=(path_of(row.id)) {
            @if purpose.orders() {
                td .box { input type="checkbox" value=(row.id) aria-label={ "Select " (row.workflow) " " (row.id) }; }
            }
            td {
                a .name href=(path_of(row.id)) { (row.workflow) }
                span .sub .id { (row.id) }
                @if let Some(failure) = &row.failure { span .sub { (why(failure)) } }
            }
            td { (standing(row.state, row.paused_at)) }
            @if purpose.orders() { td .wide { (row.routing.queue) " " (tags(&row.routing.tags)) } }
            td .num { (when(row.created_at, now)) }
            td .num .wide { (took.unwrap_or_default()) }
        }
    }
}
