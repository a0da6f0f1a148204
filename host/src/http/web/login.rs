//! The page on which a browser shows a key.

use axum::response::{Html, IntoResponse, Response};
use maud::html;

use super::answer::secure;
use super::layout;
use super::told;

/// The form, after something was said about the last try, if anything was. It leads to an address of this host.
pub(in crate::http) fn page(said: &str, to: &str) -> Response {
    let body = html! {
        form .card .login method="post" action="/login" {
            h1 { "Log in" }
            @if !said.is_empty() { p #said .said role="alert" { (told::sentence(said)) } }
            label for="key" { "Key" }
            input #key name="key" type="password" autocomplete="current-password" spellcheck="false" autocapitalize="none"
                placeholder="sw_…" aria-describedby=[(!said.is_empty()).then_some("said")]
                aria-invalid=[(!said.is_empty()).then_some("true")] required autofocus;
            input #to type="hidden" name="to" value=(to);
            button .primary { "Log in" }
        }
        p .muted { "A key begins with " code { "sw_" } ". An admin makes one on the page Keys, or with " code { "stepwell keys create" } "." }
    };
    secure(Html(layout::bare("Log in", &body).into_string()).into_response())
}
