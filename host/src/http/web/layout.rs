//! What is around every page.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::answer::Page;
use super::assets;

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
    /// None of them.
    Nowhere,
}

/// The navigation: groups of places, each with its address, its name, and the key that goes there after `g`.
const PLACES: [&[(Place, &str, &str, &str)]; 2] = [
    &[
        (Place::Overview, "/", "Overview", "o"),
        (Place::Executions, "/executions", "Executions", "e"),
        (Place::Schedules, "/schedules", "Schedules", "s"),
        (Place::DeadLetters, "/dead-letters", "Dead letters", "d"),
    ],
    &[
        (Place::Modules, "/modules", "Modules", "m"),
        (Place::Queues, "/queues", "Queues", "q"),
        (Place::Hosts, "/hosts", "Hosts", "h"),
    ],
];

/// A document.
pub(super) fn whole(page: &Page) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) " · Stepwell" }
                link rel="icon" type="image/svg+xml" href=(assets::path("icon.svg"));
                link rel="stylesheet" href=(assets::path("style.css"));
                script src=(assets::path("theme.js")) {}
                script type="module" src=(assets::path("main.js")) {}
            }
            body {
                a .skip href="#main" { "Skip to the page" }
                header .top {
                    a .brand href="/" { (logo()) span { "Stepwell" } }
                    (navigation(page.place))
                    div .top-end {
                        span #live .live title="Whether this page follows what happens" { "live" }
                        button #theme .quiet type="button" { "Theme" }
                        button #help .quiet type="button" aria-haspopup="dialog" { "Keys " kbd { "?" } }
                        span .version { (env!("CARGO_PKG_VERSION")) }
                    }
                }
                main #main tabindex="-1" { (page.body) }
                (furniture())
            }
        }
    }
}

fn navigation(here: Place) -> Markup {
    html! {
        nav .places aria-label="Pages" {
            @for group in PLACES {
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

/// What the script fills: a place for what it says, one for questions, and the list of keys.
fn furniture() -> Markup {
    const KEYS: [(&str, &str); 9] = [
        ("/", "search, or the first filter"),
        ("j  k", "next and previous row"),
        ("Enter", "open the row"),
        ("x", "select the row"),
        ("g o", "overview; g e executions, g s schedules, g d dead letters"),
        ("g m", "modules; g q queues, g h hosts"),
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
                h2 #keys-title { "Keys" }
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
