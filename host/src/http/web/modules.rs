//! Modules: versions, what they hold, what they may touch, and a form that starts a workflow.

use axum::extract::State;
use maud::{Markup, html};
use serde_json::Value;

use super::answer::{Lost, Page};
use super::layout::Place;
use super::parts::{Order, fact, json, nothing, tags};
use super::told::{bytes, count, exactly, when};
use crate::dispatch::{ModuleRef, ModuleRow};
use crate::http::Door;
use crate::http::error::Problem;
use crate::http::path::Named;
use crate::model::{
    Capabilities, Payload, Standing, StepSpec, Timestamp, WorkflowSpec, format_duration,
};

/// How many workflows of a module are named in the list.
const NAMED: usize = 8;

/// Modules by name: the active version of each.
pub(super) async fn list(State(door): State<Door>) -> Result<Page, Lost> {
    let rows = door.dispatch.modules().await?;
    let now = door.dispatch.now();
    let mut active: Vec<_> = rows.iter().filter(|row| row.activated_at.is_some()).collect();
    active.sort_by(|one, other| one.name.cmp(&other.name));
    let versions = |row: &ModuleRow| rows.iter().filter(|other| other.name == row.name).count();
    let body = html! {
        header .head { h1 { "Modules" } }
        div #modules data-live .card {
            @if active.is_empty() {
                (nothing("No module has been deployed", &html! { "Build one for " code { "wasm32-wasip2" } " and type "
                    code { "stepwell deploy my_module.wasm" } "." }))
            } @else {
                div .scroll {
                    table .rows {
                        thead {
                            tr { th { "Module" } th { "Workflows" } th .num .wide { "Steps" } th .num .wide { "Versions" } th .num .wide { "Active since" } }
                        }
                        tbody { @for row in &active { (summary(row, versions(row), now)) } }
                    }
                }
            }
        }
    };
    Ok(Page::new(Place::Modules, "Modules", body))
}

fn summary(row: &ModuleRow, versions: usize, now: Timestamp) -> Markup {
    let path = format!("/modules/{}", row.name);
    html! {
        tr data-href=(path) {
            td { a .name href=(path) { (row.name) } span .sub .id { (row.digest.short()) " · " span .whole-word { (bytes(row.size)) } } }
            td {
                @for spec in row.manifest.workflows.iter().take(NAMED) { span .tag { (spec.name) } " " }
                @if let Some(more @ 1..) = row.manifest.workflows.len().checked_sub(NAMED) {
                    span .muted { "and " (more) " more" }
                }
            }
            td .num .wide { (row.manifest.steps.len()) }
            td .num .wide { (versions) }
            td .num .wide { @if let Some(at) = row.activated_at { (when(at, now)) } }
        }
    }
}

/// One module: the active one of a name, or one version.
pub(super) async fn page(
    State(door): State<Door>,
    named: Result<Named<ModuleRef>, Problem>,
) -> Result<Page, Lost> {
    let Named(named) = named?;
    let module = door.dispatch.module(&named).await?;
    let versions = door.dispatch.modules().await?;
    let versions: Vec<_> = versions.into_iter().filter(|row| row.name == module.name).collect();
    let standing = door.dispatch.standing(&module.name).await?;
    let now = door.dispatch.now();
    let is_active =
        versions.iter().any(|row| row.digest == module.digest && row.activated_at.is_some());
    // The name means the active version, which is what anybody would start.
    let start = if is_active { module.name.to_string() } else { module.digest.to_string() };
    let body = html! {
        header .head {
            div {
                p .crumbs { a href="/modules" { "Modules" } }
                h1 { (module.name) }
                p .standing {
                    @if is_active { span .badge data-state="completed" { "active" } }
                    @else { span .badge data-state="gone" { "not active" } }
                    " " span .id { (module.digest) }
                }
            }
        }
        dl .facts .card {
            (fact("Size", &html! { (bytes(module.size)) }))
            (fact("Uploaded", &exactly(module.created_at)))
            @if !module.manifest.sdk.is_empty() { (fact("Built by", &html! { (module.manifest.sdk) })) }
        }
        @if !module.manifest.workflows.is_empty() {
            section .card {
                h2 { "Workflows" }
                @for spec in &module.manifest.workflows { (workflow(spec, &start)) }
            }
        }
        @if !module.manifest.steps.is_empty() {
            section .card { h2 { "Steps" } @for spec in &module.manifest.steps { (step(spec)) } }
        }
        section .card #capabilities data-live { (capabilities(&module, &standing)) }
        section .card #versions data-live { (all_versions(&versions, now)) }
    };
    Ok(Page::new(Place::Modules, module.name.to_string(), body))
}

fn workflow(spec: &WorkflowSpec, named: &str) -> Markup {
    html! {
        details .spec #{ "workflow-" (spec.name) } {
            summary {
                span .name { (spec.name) }
                @if !spec.doc.is_empty() { span .muted { (first_line(&spec.doc)) } }
            }
            @if !spec.doc.is_empty() { p .doc { (spec.doc) } }
            dl .facts {
                (fact("Queue", &html! { (spec.options.routing.queue) " " (tags(&spec.options.routing.tags)) }))
                @if let Some(most) = spec.options.max_duration { (fact("At most", &html! { (format_duration(most)) })) }
                (fact("Executions", &html! { a href={ "/executions?workflow=" (super::parts::encoded(spec.name.as_str())) } { "all of them" } }))
            }
            h3 { "Start it" }
            form .start data-start=(spec.name) data-module=(named) data-schema=(spec.input) {
                div .start-fields {}
                div .row-end { button .primary { "Start" } }
            }
            (schemas(&spec.input, &spec.output))
        }
    }
}

fn step(spec: &StepSpec) -> Markup {
    let options = &spec.options;
    html! {
        details .spec {
            summary {
                span .name { (spec.name) }
                @if !spec.doc.is_empty() { span .muted { (first_line(&spec.doc)) } }
            }
            @if !spec.doc.is_empty() { p .doc { (spec.doc) } }
            dl .facts {
                (fact("Queue", &html! { (options.routing.queue) " " (tags(&options.routing.tags)) }))
                (fact("Attempts", &html! { (count(u64::from(options.retry.max_attempts), "at most", "at most")) }))
                (fact("One takes at most", &html! { (format_duration(options.timeout)) }))
                @if let Some(most) = options.max_concurrent { (fact("At once", &html! { (most) })) }
                @if let Some(rate) = &options.rate { (fact("Rate", &html! { (rate) })) }
                @if options.cached { (fact("Result", &html! { "kept, and answers later calls" })) }
                @if options.idempotent { (fact("Result", &html! { "once for one input" })) }
            }
            (schemas(&spec.input, &spec.output))
        }
    }
}

fn schemas(input: &Value, output: &Value) -> Markup {
    html! {
        details .quiet-details {
            summary { "Schemas" }
            div .two {
                div { h3 { "Input" } (json(&Payload::of(input))) }
                div { h3 { "Result" } (json(&Payload::of(output))) }
            }
        }
    }
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
}

fn capabilities(module: &ModuleRow, standing: &Standing) -> Markup {
    let rows = of_each_kind(&standing.wants, &standing.granted);
    let grant = Order {
        says: "Grant what it wants",
        sends: format!("PUT /v1/modules/{}/grants", module.name),
        body: Some(r#"{"wanted":true}"#),
        asks: Some(format!(
            "Grant to every version of {} all that the active one wants?",
            module.name
        )),
        done: "Granted",
        ..Order::default()
    };
    html! {
        header .card-head {
            h2 { "Capabilities" }
            @if !standing.is_whole() { div .row-end { (grant.button()) } }
        }
        @if rows.is_empty() {
            (nothing("It wants nothing of the world", &html! { "Its steps can only compute; what they touch would be listed here, and granted or not." }))
        } @else {
            div .scroll {
                table .rows {
                    thead { tr { th { "Kind" } th { "What" } th { "Wanted" } th { "Granted" } } }
                    tbody {
                        @for (kind, what, wanted, granted) in &rows {
                            tr {
                                td { (kind) }
                                td { code { (what) } }
                                td { (if *wanted { "yes" } else { "no" }) }
                                td data-bad[*wanted && !*granted] { (if *granted { "yes" } else { "no" }) }
                            }
                        }
                    }
                }
            }
            @if let (Some(by), Some(at)) = (&standing.granted_by, standing.granted_at) {
                p .muted { "Granted last by " (by) ", " (exactly(at)) "." }
            }
        }
    }
}

/// Everything that is wanted or granted: its kind, its text, and which of both it is.
fn of_each_kind(
    wants: &Capabilities,
    granted: &Capabilities,
) -> Vec<(&'static str, String, bool, bool)> {
    let kinds = [
        ("HTTP", &wants.http, &granted.http),
        ("folder", &wants.dir, &granted.dir),
        ("variable", &wants.env, &granted.env),
        ("secret", &wants.secret, &granted.secret),
    ];
    let mut rows = Vec::new();
    for (kind, wants, granted) in kinds {
        let beyond = granted.iter().filter(|what| !wants.contains(what));
        let all = wants.iter().chain(beyond);
        rows.extend(
            all.map(|what| (kind, what.clone(), wants.contains(what), granted.contains(what))),
        );
    }
    rows
}

fn all_versions(versions: &[ModuleRow], now: Timestamp) -> Markup {
    html! {
        h2 { "Versions" }
        div .scroll {
            table .rows {
                thead { tr { th { "Digest" } th { "State" } th .num { "Uploaded" } th .num .wide { "Size" } th .acts { span .hush { "Orders" } } } }
                tbody {
                    @for row in versions {
                        tr {
                            td { a .id href={ "/modules/" (row.digest) } { (row.digest.short()) } }
                            td { @if row.activated_at.is_some() { span .badge data-state="completed" { "active" } } }
                            td .num { (when(row.created_at, now)) }
                            td .num .wide { (bytes(row.size)) }
                            td .acts { @if row.activated_at.is_none() { (activate(row)) } }
                        }
                    }
                }
            }
        }
    }
}

fn activate(row: &ModuleRow) -> Markup {
    let body = format!(r#"{{"digest":"{}"}}"#, row.digest);
    let asks = format!(
        "New executions of {} begin with version {}. Those that run keep theirs.",
        row.name,
        row.digest.short()
    );
    Order {
        says: "Activate",
        sends: format!("POST /v1/modules/{}/activate", row.name),
        body: Some(&body),
        asks: Some(asks),
        done: "It is the active version now",
        ..Order::default()
    }
    .button()
}
