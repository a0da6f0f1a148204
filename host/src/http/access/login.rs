//! Logging in and out with a browser: a key is given once, and a session's own key is kept in a cookie that no script reads.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::super::body::{self, Bound};
use super::super::caller::{COOKIE_NAME, Caller, Shown, origin_address};
use super::super::error::Problem;
use super::super::path::Asked;
use super::super::web;
use super::{Door, Line, Reader, apart, keys_in_force, origin, recognise, session, write_down};
use crate::model::SESSION_FOR;

/// The longest form,
const FORM_BYTES_MAX: usize = 4 << 10;
/// and how long it may take to come.
const FORM_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest address that somebody is sent back to.
const TO_BYTES_MAX: usize = 1 << 10;

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
    Router::new().route("/login", get(show).post(log_in)).route("/logout", post(log_out))
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

async fn show(
    State(door): State<Door>,
    headers: HeaderMap,
    wanted: Result<Asked<Wanted>, Problem>,
) -> Response {
    let to = wanted.map(|Asked(Wanted { to })| to).unwrap_or_default();
    match keys_in_force(&door).await {
        Ok(true) => page(StatusCode::OK, "", &to),
        Ok(false) => Redirect::to(back_to(&to)).into_response(),
        Err(problem) => Reader::by(&headers).told(problem, None),
    }
}

fn page(status: StatusCode, said: &str, to: &str) -> Response {
    let mut response = web::login(said, back_to(to));
    *response.status_mut() = status;
    response
}

/// A request by a form of ours.
#[derive(Debug, Clone, Copy)]
struct Sent<'a> {
    headers: &'a HeaderMap,
    uri: &'a Uri,
    peer: IpAddr,
}

impl Sent<'_> {
    fn from(&self, door: &Door) -> IpAddr {
        origin_address(self.peer, self.headers, &door.access.trusted_proxies)
    }

    fn line(&self, door: &Door) -> Line {
        origin::line(&door.access, self.peer, self.headers)
    }
}

/// A cookie with this in it, for so many seconds.
fn cookie(line: Line, value: &str, seconds: u64) -> HeaderValue {
    // It goes over an encrypted line only, where the browser's is one.
    let secure = match line {
        Line::Tls => "; Secure",
        Line::Plain => "",
    };
    let text = format!(
        "{COOKIE_NAME}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    );
    let mut cookie = HeaderValue::from_str(&text).expect("it is made of plain characters");
    cookie.set_sensitive(true);
    cookie
}

/// Takes the cookie from a browser.
pub(super) fn no_cookie(line: Line) -> HeaderValue {
    cookie(line, "", 0)
}

async fn log_in(
    State(door): State<Door>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    uri: Uri,
    body: Body,
) -> Response {
    // Whoever it is has shown no key yet: he takes nobody's place while he writes.
    let form = match read_form(&headers, &uri, body).await {
        Ok(form) => form,
        Err(problem) => return Reader::by(&headers).told(problem, None),
    };
    let door_of_task = door.clone();
    let opening = async move {
        let sent = Sent { headers: &headers, uri: &uri, peer: peer.ip() };
        let opened = open(&door_of_task, sent, form).await;
        opened.unwrap_or_else(|problem| Reader::by(&headers).told(problem, None))
    };
    apart(&door, opening).await
}

async fn read_form(headers: &HeaderMap, uri: &Uri, body: Body) -> Result<Form, Problem> {
    if origin::is_from_elsewhere(headers, uri) {
        return Err(Problem::forbidden("the page of another site sent this"));
    }
    let bound = Bound { what: "the form", max: FORM_BYTES_MAX, limit: "form_bytes_max" };
    let bytes = body::read_briefly(body, bound, (FORM_TIMEOUT, "form_timeout")).await?;
    serde_urlencoded::from_bytes(&bytes)
        .map_err(|error| Problem::malformed(format!("the form: {error}")))
}

async fn open(door: &Door, sent: Sent<'_>, form: Form) -> Result<Response, Problem> {
    let from = sent.from(door);
    let holder = match recognise(door, Shown::Bearer(form.key.trim()), from).await {
        Ok(holder) => holder,
        // It is in the host's log: nobody fills the database by guessing.
        Err(problem) => return Ok(page(problem.status(), problem.detail(), &form.to)),
    };
    // Whoever logs in anew leaves no session behind that nobody would end.
    if let Some(session) = session(sent.headers) {
        door.dispatch.end_session(session).await?;
    }
    let (key, _ends_at) = door.dispatch.open_session(&holder).await?;
    let caller = Caller::new(Some(holder), from);
    let subject = key.id().to_string();
    write_down(door, &caller, ("login", subject), StatusCode::SEE_OTHER).await?;
    let cookie = cookie(sent.line(door), key.reveal().as_str(), SESSION_FOR.as_secs());
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(back_to(&form.to))).into_response())
}

async fn log_out(
    State(door): State<Door>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let door_of_task = door.clone();
    let closing = async move {
        let sent = Sent { headers: &headers, uri: &uri, peer: peer.ip() };
        let closed = close(&door_of_task, sent).await;
        closed.unwrap_or_else(|problem| Reader::by(&headers).told(problem, None))
    };
    apart(&door, closing).await
}

async fn close(door: &Door, sent: Sent<'_>) -> Result<Response, Problem> {
    if !origin::is_from_here(sent.headers, sent.uri) {
        return Err(Problem::forbidden("only a page of this host logs out"));
    }
    if let Some(session) = session(sent.headers) {
        let from = sent.from(door);
        // A cookie of no session is taken away, and that is all.
        if let Ok(holder) = recognise(door, Shown::Cookie(session), from).await {
            door.dispatch.end_session(session).await?;
            let caller = Caller::new(Some(holder), from);
            let status = StatusCode::SEE_OTHER;
            write_down(door, &caller, ("logout", "session".to_owned()), status).await?;
        }
    }
    let gone = no_cookie(sent.line(door));
    Ok(([(header::SET_COOKIE, gone)], Redirect::to("/login")).into_response())
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
