//! Logging in and out with a browser: a key is given once, and a session's own key is kept in a cookie that no script reads.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::super::body::{self, Bound};
use super::super::error::Problem;
use super::super::path::Asked;
use super::caller::{COOKIE_NAME, Caller, Shown, origin_address};
use super::{Door, Line, keys_in_force, origin, recognise, session, write_down};
use crate::model::SESSION_FOR;

/// The longest form.
const FORM_BYTES_MAX: usize = 4 << 10;
/// The longest address that somebody is sent back to.
const TO_BYTES_MAX: usize = 1 << 10;
/// Nothing but this page, its style, and a form that goes here.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const STYLE: &str = include_str!("login.css");
const PAGE: &str = include_str!("login.html");

/// Where somebody without a session is sent.
pub(super) fn address(uri: &Uri) -> String {
    let wanted = uri.path_and_query().map_or("/", |wanted| wanted.as_str());
    if wanted == "/" || wanted.len() > TO_BYTES_MAX {
        return "/login".to_owned();
    }
    let encoded: String = url_encoded(wanted);
    format!("/login?to={encoded}")
}

fn url_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// These routes.
pub(in crate::http) fn routes() -> Router<Door> {
    Router::new()
        .route("/login", get(show).post(log_in))
        .route("/login.css", get(style))
        .route("/logout", post(log_out))
}

#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(default)]
    to: String,
}

#[derive(Debug, Deserialize)]
struct Form {
    key: String,
    #[serde(default)]
    to: String,
}

/// Somewhere on this host, whatever somebody wrote into a link.
fn back_to(to: &str) -> &str {
    let is_here = to.starts_with('/') && !to.starts_with("//");
    let is_plain =
        to.len() <= TO_BYTES_MAX && to.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if is_here && is_plain { to } else { "/" }
}

async fn show(State(door): State<Door>, Asked(wanted): Asked<Wanted>) -> Result<Response, Problem> {
    if !keys_in_force(&door).await? {
        return Ok(Redirect::to(back_to(&wanted.to)).into_response());
    }
    Ok(page(StatusCode::OK, "", &wanted.to))
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

fn page(status: StatusCode, said: &str, to: &str) -> Response {
    let said = if said.is_empty() {
        String::new()
    } else {
        format!("<p class=\"said\" role=\"alert\">{}</p>", escaped(said))
    };
    let page = PAGE.replace("{said}", &said).replace("{to}", &escaped(back_to(to)));
    let mut response = (status, page).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

async fn log_in(
    State(door): State<Door>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    uri: Uri,
    body: Body,
) -> Result<Response, Problem> {
    if origin::is_from_elsewhere(&headers, &uri) {
        return Err(Problem::forbidden("the page of another site sent this"));
    }
    let from = origin_address(peer.ip(), &headers, &door.access.trusted_proxies);
    let bound = Bound { what: "the form", max: FORM_BYTES_MAX, limit: "form_bytes_max" };
    let bytes = body::read(body, bound).await?;
    let form: Form = serde_urlencoded::from_bytes(&bytes)
        .map_err(|error| Problem::malformed(format!("the form: {error}")))?;
    let nobody = Caller::new(None, from);
    let holder = match recognise(&door, Shown::Bearer(form.key.trim()), from).await {
        Ok(holder) => holder,
        Err(problem) => {
            let status = problem.status();
            if status == StatusCode::UNAUTHORIZED {
                write_down(&door, &nobody, ("login", "refused".to_owned()), status).await?;
            }
            return Ok(page(status, problem.detail(), &form.to));
        }
    };
    let (key, _ends_at) = door.dispatch.open_session(&holder).await?;
    let caller = Caller::new(Some(holder), from);
    let subject = key.id().to_string();
    write_down(&door, &caller, ("login", subject), StatusCode::SEE_OTHER).await?;
    let age = SESSION_FOR.as_secs();
    let secure = secure(&door);
    let cookie = format!(
        "{COOKIE_NAME}={}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}",
        key.reveal().as_str()
    );
    Ok(set_cookie(Redirect::to(back_to(&form.to)), &cookie))
}

/// A browser sends it over an encrypted line only, where the line is one.
fn secure(door: &Door) -> &'static str {
    if door.access.line == Line::Tls { "; Secure" } else { "" }
}

fn set_cookie(answer: impl IntoResponse, cookie: &str) -> Response {
    let mut response = answer.into_response();
    let mut value = HeaderValue::from_str(cookie).expect("it is made of plain characters");
    value.set_sensitive(true);
    response.headers_mut().insert(header::SET_COOKIE, value);
    response
}

async fn log_out(
    State(door): State<Door>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    if !origin::is_from_here(&headers, &uri) {
        return Err(Problem::forbidden("only a page of this host logs out"));
    }
    let from = origin_address(peer.ip(), &headers, &door.access.trusted_proxies);
    if let Some(session) = session(&headers) {
        let holder = door.dispatch.recognise(session).await?;
        door.dispatch.end_session(session).await?;
        if holder.is_some() {
            let caller = Caller::new(holder, from);
            let status = StatusCode::SEE_OTHER;
            write_down(&door, &caller, ("logout", "session".to_owned()), status).await?;
        }
    }
    let gone =
        format!("{COOKIE_NAME}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict{}", secure(&door));
    Ok(set_cookie(Redirect::to("/login"), &gone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_host() {
        for to in
            ["https://evil.example", "//evil.example", "/\\evil.example", "", "a", "/\r\nx: y"]
        {
            assert_eq!(back_to(to), "/", "{to:?}");
        }
        assert_eq!(back_to("/executions?state=failed"), "/executions?state=failed");
    }

    #[test]
    fn what_is_wanted_travels_encoded() {
        let wanted = Uri::from_static("/executions?state=failed&limit=5");

        assert_eq!(address(&wanted), "/login?to=/executions%3Fstate%3Dfailed%26limit%3D5");
        assert_eq!(address(&Uri::from_static("/")), "/login");
    }
}
