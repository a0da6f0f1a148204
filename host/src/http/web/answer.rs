//! What a browser is answered: a page, or a page that says why there is none.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::layout::{self, Place};
use super::told;
use crate::dispatch::DispatchError;
use crate::http::caller::Caller;
use crate::http::error::Problem;

/// Nothing but our own files, sent as files: no script or style within a page, and no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A whole page. What is around it depends on who looks, so [`draw`] adds that.
#[derive(Debug, Clone)]
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
        let mut response = StatusCode::OK.into_response();
        response.extensions_mut().insert(self);
        response
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
        } else if status == StatusCode::FORBIDDEN {
            "Log in with a key that has the role, or ask an admin for one."
        } else if status == StatusCode::TOO_MANY_REQUESTS {
            "Wait, and open the page again."
        } else {
            "Mend the address, or go back."
        };
        let body = html! {
            section .lost {
                p .lost-status { (status.as_u16()) }
                h1 { (title) }
                p { (told::sentence(detail)) }
                p .muted { (next) }
                p { a .button href="/" { "Overview" } " " a .button href="/executions" { "Executions" } }
            }
        };
        (status, Page::new(Place::Nowhere, title, body)).into_response()
    }
}

/// Why there is no page, drawn for whoever asked; a stranger is shown nothing but that.
pub(in crate::http) fn refusal(problem: Problem, caller: Option<&Caller>) -> Response {
    secure(drawn(Lost(problem).into_response(), caller))
}

/// Draws each page for whoever asked, and says what a browser may do with it.
pub(super) async fn draw(request: Request, next: Next) -> Response {
    let caller: Option<Caller> = request.extensions().get().cloned();
    secure(drawn(next.run(request).await, caller.as_ref()))
}

fn drawn(mut response: Response, caller: Option<&Caller>) -> Response {
    let Some(page) = response.extensions_mut().remove::<Page>() else { return response };
    let whole = match caller {
        Some(caller) => layout::whole(&page, caller),
        None => layout::bare(&page.title, &page.body),
    };
    *response.body_mut() = Body::from(whole.into_string());
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}

/// Says what a browser may do with an answer.
pub(super) fn secure(mut response: Response) -> Response {
    const KEEP: HeaderName = header::CACHE_CONTROL;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not none at all: then browsers would no longer say which page a form was sent from.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(KEEP).or_insert(HeaderValue::from_static("no-store"));
    response
}
