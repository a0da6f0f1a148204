//! What is around every page.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::answer::Page;
use super::assets;
use crate::dispatch::KeyHolder;
use crate::http::caller::Caller;
use crate::http::rules::Need;
use crate::model::Role;

/// Which part of the navigation a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Overview,
    Executions,
    Schedules,
    DeadLetters,
    Modules,
    Queues,
    Hosts,
    Keys,
    Audit,
    /// None of them.
    Nowhere,
}

/// A place: where it is, its name, the key that goes there after `g`.
type Entry = (Place, &'static str, &'static str, &'static str);

/// The navigation: groups of places, and what each group needs to be opened.
const PLACES: [(Need, &[Entry]); 3] = [
    (
        Need::Page,
        &[
            (Place::Overview, "/", "Overview", "o"),
            (Place::Executions, "/executions", "Executions", "e"),
            (Place::Schedules, "/schedules", "Schedules", "s"),
            (Place::DeadLetters, "/dead-letters", "Dead letters", "d"),
        ],
    ),
    (
        Need::Page,
        &[
            (Place::Modules, "/modules", "Modules", "m"),
            (Place::Queues, "/queues", "Queues", "q"),
            (Place::Hosts, "/hosts", "Hosts", "h"),
        ],
    ),
    (
        Need::Admin,
        &[(Place::Keys, "/keys", "Keys", "k"), (Place::Audit, "/audit", "Audit log", "a")],
    ),
];

/// A document, as who looks at it may see it.
pub(super) fn whole(page: &Page, caller: &Caller) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                (head(&page.title))
                script type="module" src=(assets::path("main.js")) {}
            }
            body {
                a .skip href="#main" { "Skip to the page" }
                header .top {
                    a .brand href="/" { (logo()) span { "Stepwell" } }
                    (navigation(page.place, caller))
                    div .top-end {
                        (who(caller.holder()))
                        span #live .live title="Whether this page follows what happens" { "live" }
                        button #theme .quiet type="button" { "Theme" }
                        button #help .quiet type="button" aria-haspopup="dialog" { "Keyboard " kbd { "?" } }
                        span .version { (env!("CARGO_PKG_VERSION")) }
                    }
                }
                main #main tabindex="-1" { (page.body) }
                (furniture())
            }
        }
    }
}

/// A document for who is not known: nothing is around it.
pub(super) fn bare(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                (head(title))
                script type="module" src=(assets::path("login.js")) {}
            }
            body .bare {
                main #main {
                    p .brand { (logo()) span { "Stepwell" } }
                    (body)
                }
            }
        }
    }
}

fn head(title: &str) -> Markup {
    html! {
        meta charset="utf-8";
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta name="color-scheme" content="light dark";
        title { (title) " · Stepwell" }
        link rel="icon" type="image/svg+xml" href=(assets::path("icon.svg"));
        link rel="stylesheet" href=(assets::path("style.css"));
        script src=(assets::path("theme.js")) {}
    }
}

fn navigation(here: Place, caller: &Caller) -> Markup {
    html! {
        nav .places aria-label="Pages" {
            @for (need, group) in PLACES {
                @if caller.may(need) {
                    ul {
                        @for (place, path, name, key) in group {
                            li {
                                a href=(path) data-go=(key) aria-current=[(*place == here).then_some("page")] {
                                    (name)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Who is logged in, and the way out.
fn who(holder: Option<&KeyHolder>) -> Markup {
    html! {
        div .who {
            @if let Some(holder) = holder {
                div {
                    span .who-name title={ "The key " (holder.id.prefix()) } { (breakable(&holder.name)) }
                    span .who-roles { (in_words(&holder.roles)) }
                }
                form method="post" action="/logout" { button { "Log out" } }
            } @else {
                a href="/keys" title="Whoever reaches this host may do everything" { "Open: there are no keys" }
            }
        }
    }
}

/// A name that may be broken where its words are.
fn breakable(name: &str) -> Markup {
    html! { @for word in name.split_inclusive('_') { (word) wbr; } }
}

/// Roles, as they are written.
pub(super) fn in_words(roles: &[Role]) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
}

/// What the script fills: a place for what it says, one for questions, and the list of keys.
fn furniture() -> Markup {
    const KEYS: [(&str, &str); 10] = [
        ("/", "search, or the first filter"),
        ("j  k", "next and previous row"),
        ("Enter", "open the row"),
        ("x", "select the row"),
        ("g o", "overview; g e executions, g s schedules, g d dead letters"),
        ("g m", "modules; g q queues, g h hosts"),
        ("g k", "keys; g a audit log"),
        ("+  −  0", "zoom the timeline in, out, and to all of it"),
        ("t", "light, dark, or as the system is"),
        ("Esc", "close what is open"),
    ];
    html! {
        div #toasts role="status" aria-live="polite" {}
        dialog #ask aria-labelledby="ask-title" {
            form method="dialog" {
                h2 #ask-title {}
                p #ask-text {}
                div #ask-fields {}
                div .row-end {
                    button value="no" .quiet { "Back" }
                    button value="yes" #ask-yes .primary { "Do it" }
                }
            }
        }
        dialog #keys aria-labelledby="keys-title" {
            form method="dialog" {
                h2 #keys-title { "Keyboard" }
                dl .keys {
                    @for (key, what) in KEYS { dt { kbd { (key) } } dd { (what) } }
                }
                div .row-end { button .primary { "Close" } }
            }
        }
    }
}

/// Steps that lead down to the water.
fn logo() -> Markup {
    PreEscaped(include_str!("assets/icon.svg").to_owned())
}
