//! Hosts: which live, and how the one that answers stands.

use axum::extract::State;
use maud::{Markup, html};

use super::answer::{Lost, Page};
use super::layout::Place;
use super::parts::{fact, nothing};
use super::told::{rough, when};
use crate::dispatch::{HostRow, NotifierHealth};
use crate::http::Door;
use crate::model::Timestamp;

const ROWS: u32 = 100;

/// Incarnations, newest first, those that live apart.
pub(super) async fn page(State(door): State<Door>) -> Result<Page, Lost> {
    let now = door.dispatch.now();
    let rows = door.dispatch.hosts(ROWS).await?;
    let (alive, gone): (Vec<_>, Vec<_>) = rows.into_iter().partition(|host| host.alive);
    let body = html! {
        header .head { h1 { "Hosts" } }
        div #hosts data-live {
            section .card { h2 { "Alive" } (hosts_table(&alive, now)) }
            section .card {
                h2 { "The host that serves this page" }
                dl .facts { (own(&door, now)) }
            }
            @if !gone.is_empty() {
                section .card { h2 { "Gone" } (hosts_table(&gone, now)) }
            }
        }
    };
    Ok(Page::new(Place::Hosts, "Hosts", body))
}

fn own(door: &Door, now: Timestamp) -> Markup {
    let pool = door.dispatch.pool();
    let hints = match door.dispatch.notifier_health() {
        NotifierHealth::Local => html! { "within this process" },
        NotifierHealth::Connected => html! { "through Redis" },
        NotifierHealth::Lost { since } => {
            html! { "Redis does not answer since " (when(since, now)) "; polls find what hints would have told" }
        }
    };
    html! {
        (fact("State", &html! { (door.state()) }))
        (fact("Version", &html! { (env!("CARGO_PKG_VERSION")) }))
        (fact("Hints", &hints))
        (fact("Connections to the database", &html! { (pool.busy) " busy, " (pool.idle) " idle" }))
    }
}

/// Hosts as rows.
pub(super) fn hosts_table(rows: &[HostRow], now: Timestamp) -> Markup {
    if rows.is_empty() {
        let next = html! { "The one that answers you may just have begun; nothing runs until a host lives." };
        return nothing("No host lives", &next);
    }
    html! {
        div .scroll {
            table .rows {
                thead {
                    tr { th { "Host" } th { "State" } th .num .wide { "Lease" } th .num .wide { "Version" } th .num { "Started" } }
                }
                tbody {
                    @for row in rows {
                        tr {
                            td { span .name { (row.name) } span .sub .id { (row.id) } }
                            td {
                                @if row.alive { span .badge data-state="completed" { "alive" } }
                                @else { span .badge data-state="gone" { "gone" } }
                            }
                            td .num .wide { (lease(row, now)) }
                            td .num .wide { (row.version) }
                            td .num { (when(row.started_at, now)) }
                        }
                    }
                }
            }
        }
    }
}

fn lease(row: &HostRow, now: Timestamp) -> String {
    match row.lease_ends {
        None if row.alive => "does not end".to_owned(),
        Some(ends) if row.alive && ends > now => format!("{} left", rough(ends.since(now))),
        Some(_) if row.alive => "over".to_owned(),
        Some(_) | None => String::new(),
    }
}
