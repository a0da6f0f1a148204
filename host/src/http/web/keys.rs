//! Keys: who has one and what it may do, making one, revoking one.

use axum::extract::State;
use maud::{Markup, html};

use super::answer::{Lost, Page};
use super::layout::Place;
use super::parts::{Order, nothing};
use super::told::when;
use crate::dispatch::KeyRow;
use crate::http::Door;
use crate::http::caller::Caller;
use crate::model::{KeyId, Name, Role, Timestamp};

const ROWS: u32 = 500;

/// Which key is the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The first, which closes the door.
    First,
    Another,
}

impl Next {
    fn is_first(self) -> bool {
        self == Self::First
    }

    fn title(self) -> &'static str {
        if self.is_first() { "Make the first key" } else { "Make a key" }
    }
}

/// What a role allows, in a few words.
fn allows(role: Role) -> &'static str {
    match role {
        Role::Read => "see everything but keys and the audit log",
        Role::Start => "start executions, and follow those whose id is known",
        Role::Operate => "signal, cancel, retry, pause, schedules, dead letters; and read",
        Role::Deploy => "upload modules, activate and grant; and read",
        Role::Admin => "everything, keys and the audit log too",
    }
}

/// All keys, and a form that makes one.
pub(super) async fn page(State(door): State<Door>, caller: Caller) -> Result<Page, Lost> {
    let now = door.dispatch.now();
    let rows = door.dispatch.keys(ROWS).await?;
    let is_cut = u32::try_from(rows.len()).is_ok_and(|rows| rows >= ROWS);
    let next =
        if caller.holder().is_none() && rows.is_empty() { Next::First } else { Next::Another };
    let (good, revoked): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.revoked_at.is_none());
    let known = Known::of(&caller, &good, now);
    let body = html! {
        header .head {
            h1 { "Keys" }
            div .row-end {
                button #new-key .primary type="button" aria-haspopup="dialog" { (next.title()) }
            }
        }
        div #key-list data-live {
            section .card {
                @if next.is_first() { (open_door()) }
                @else if good.is_empty() { (nothing("No key is good", &html! { "None has been made, or all are revoked." })) }
                @else { (table(&good, &known)) }
            }
            @if !revoked.is_empty() {
                section .card { h2 { "Revoked" } (gone(&revoked, now)) }
            }
            p .muted {
                "A key that a host was started with (" code { "STEPWELL_ADMIN_KEY" } ") is in no list, and is changed where that host is started. "
                @if is_cut { "The list shows the " (ROWS) " made last." }
            }
        }
        (form(next))
        (shown_once(next))
    };
    Ok(Page::new(Place::Keys, "Keys", body))
}

/// What is needed to tell of a key.
struct Known {
    now: Timestamp,
    /// Whose page it is.
    own: Option<KeyId>,
    /// The only one that makes others, where there is but one.
    only_admin: Option<KeyId>,
}

impl Known {
    fn of(caller: &Caller, good: &[KeyRow], now: Timestamp) -> Self {
        let own = caller.holder().map(|holder| holder.id.clone());
        let mut admins = good.iter().filter(|row| row.scope.roles.contains(&Role::Admin));
        let first = admins.next().map(|row| row.id.clone());
        let only_admin = first.filter(|_| admins.next().is_none());
        Self { now, own, only_admin }
    }

    fn revoke(&self, row: &KeyRow) -> Markup {
        let mut asks = format!("Revoke {}? Whoever shows it is refused from then on.", row.name);
        if self.own.as_ref() == Some(&row.id) {
            asks += " You are logged in with it, and will be logged out.";
        }
        if self.only_admin.as_ref() == Some(&row.id) {
            asks += " It is the last key of an admin: then only a host that is started with STEPWELL_ADMIN_KEY can make others.";
        }
        Order {
            says: "Revoke",
            sends: format!("DELETE /v1/keys/{}", row.id),
            asks: Some(asks),
            done: "The key is revoked",
            harms: true,
            ..Order::default()
        }
        .button()
    }
}

fn open_door() -> Markup {
    nothing(
        "There are no keys, so none is asked for",
        &html! {
            "Whoever reaches this host may do everything; from other machines nobody does, unless it was started with "
            code { "--insecure-no-auth" } ". From the first key on, which is an admin's, everybody must show one: programs and the command line too."
        },
    )
}

fn table(rows: &[KeyRow], known: &Known) -> Markup {
    html! {
        div .scroll {
            table .rows {
                thead {
                    tr {
                        th { "Key" } th { "Roles" } th .num .wide { "Made" } th .num .wide { "Last used" }
                        th .acts { span .hush { "Orders" } }
                    }
                }
                tbody {
                    @for row in rows {
                        tr {
                            td {
                                span .name { (row.name) }
                                @if known.own.as_ref() == Some(&row.id) { " " span .tag { "yours" } }
                                span .sub .id { (row.id.prefix()) }
                            }
                            td { (scope(row)) }
                            td .num .wide { (when(row.created_at, known.now)) }
                            td .num .wide { (used(row, known.now)) }
                            td .acts { (known.revoke(row)) }
                        }
                    }
                }
            }
        }
    }
}

fn gone(rows: &[KeyRow], now: Timestamp) -> Markup {
    html! {
        div .scroll {
            table .rows {
                thead {
                    tr { th { "Key" } th { "Roles" } th .num .wide { "Made" } th .num .wide { "Last used" } th .num { "Revoked" } }
                }
                tbody {
                    @for row in rows {
                        tr {
                            td { span .name { (row.name) } span .sub .id { (row.id.prefix()) } }
                            td { (scope(row)) }
                            td .num .wide { (when(row.created_at, now)) }
                            td .num .wide { (used(row, now)) }
                            td .num { @if let Some(at) = row.revoked_at { (when(at, now)) } }
                        }
                    }
                }
            }
        }
    }
}

fn scope(row: &KeyRow) -> Markup {
    let workflows = row.scope.workflows.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
    html! {
        @for role in &row.scope.roles { span .tag { (role) } " " }
        @if !workflows.is_empty() { span .sub { "only " (workflows) } }
    }
}

fn used(row: &KeyRow, now: Timestamp) -> Markup {
    html! {
        @match row.last_used_at {
            Some(at) => { (when(at, now)) }
            None => { span .muted { "never" } }
        }
    }
}

/// The form that makes a key; the script opens it and sends what it says.
fn form(next: Next) -> Markup {
    html! {
        dialog #make-key aria-labelledby="make-key-title" {
            form {
                h2 #make-key-title { (next.title()) }
                label { "Name: whose it is, or what for" input name="name" maxlength="128" required autocomplete="off"; }
                fieldset .choices {
                    legend { "What it may do" }
                    @for role in Role::ALL {
                        label {
                            input type="checkbox" name="role" value=(role)
                                checked[next.is_first() && role == Role::Admin] disabled[next.is_first() && role == Role::Admin];
                            span { strong { (role) } " " (allows(role)) }
                        }
                    }
                }
                label #make-key-workflows hidden {
                    "Only these workflows, one a line; none means any"
                    textarea name="workflows" spellcheck="false" {}
                }
                @if next.is_first() { p .muted { "The first key is an admin's: without one, nobody could make the next." } }
                p .said role="alert" hidden {}
                div .row-end {
                    button .quiet type="button" data-closes { "Back" }
                    button .primary { "Make it" }
                }
            }
        }
    }
}

/// Where a key is shown that was just made; after the first, whoever made it logs in with it.
fn shown_once(next: Next) -> Markup {
    html! {
        dialog #made-key aria-labelledby="made-key-title" data-then=[next.is_first().then_some("/login?to=%2Fkeys")] {
            h2 #made-key-title { "The new key" }
            p { "Keep it where secrets are kept: it is not shown again." }
            pre #made-key-text .secret tabindex="0" aria-label="The key" {}
            @if next.is_first() { p .muted { "From now on everybody must show a key. You log in with this one next." } }
            div .row-end {
                button #made-key-copy type="button" { "Copy" }
                button .primary type="button" data-closes { "I have kept it" }
            }
        }
    }
}
