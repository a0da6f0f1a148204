//! What a browser is answered: a page, or a page that says why there is none.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{Markup, html};

use super::layout::{self, Place};
use crate::dispatch::DispatchError;
use crate::http::error::Problem;

/// Nothing but our own files, sent as files: no script or style within a page, and no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A whole page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) place: Place,
    pub(super) title: String,
    pub(super) body: Markup,
}

impl Page {
    pub(super) fn new(place: Place, title: impl Into<String>, body: Markup) -> Self {
        Self { place, title: title.into(), body }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        Html(layout::whole(&self).into_string()).into_response()
    }
}

/// Why there is no page, as a page.
#[derive(Debug)]
pub(super) struct Lost(Problem);

impl From<Problem> for Lost {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<DispatchError> for Lost {
    fn from(error: DispatchError) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Lost {
    fn into_response(self) -> Response {
        let (status, title, detail) = self.0.told();
        let next = if status == StatusCode::NOT_FOUND {
            "It may have been removed by retention, or belong to another cluster."
        } else if status.is_server_error() {
            "Try again in a moment; the host's log says more."
        } else {
            "Mend the address, or go back."
        };
        let body = html! {
            section .lost {
                p .lost-status { (status.as_u16()) }
                h1 { (title) }
                p { (detail) }
                p .muted { (next) }
                p { a .button href="/" { "Overview" } " " a .button href="/executions" { "Executions" } }
            }
        };
        (status, Page::new(Place::Nowhere, title, body)).into_response()
    }
}

/// Says what a browser may do with an answer.
pub(super) async fn secure(mut response: Response) -> Response {
    const KEEP: HeaderName = header::CACHE_CONTROL;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(KEEP).or_insert(HeaderValue::from_static("no-store"));
    response
}
