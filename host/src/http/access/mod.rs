//! Who may pass the door: every request goes through [`guard`] before its route, and what it changed into the audit log after.
//!
//! What a route needs stands in [`rules`]. Where no keys are in force, whoever reaches the host may do everything, so it is
//! reached over the loopback address only, by a name that nobody else can own.

mod login;
mod origin;
mod throttle;
mod watch;

pub(super) use login::routes;
pub(super) use throttle::Throttle;

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use futures::FutureExt;
use ipnet::IpNet;
use tracing::Instrument;

use super::Door;
use super::caller::{self, Caller, Shown, origin_address};
use super::door::{Weight, count_end};
use super::error::{Problem, after_panic};
use super::path::Named;
use super::rules::{self, Need, Rule};
use super::web;
use crate::dispatch::{AuditDetail, KeyHolder, NewAudit};
use crate::model::{ExecutionId, KeyId};
use throttle::Admitted;

/// How a door is guarded.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Whether keys are asked for also where there is none yet.
    pub keys: Keys,
    /// From where this host is reached.
    pub reach: Reach,
    /// Proxies that are believed when they say for whom they ask.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether the line is encrypted, so that cookies need no other.
    pub line: Line,
}

/// When keys are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keys {
    /// From the first one on.
    #[default]
    OnceThereIsOne,
    /// Always.
    Always,
}

/// From where a host is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Only from its own machine.
    #[default]
    Loopback,
    /// From others too.
    Network,
}

/// How requests come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Line {
    /// As they are.
    #[default]
    Plain,
    /// Encrypted.
    Tls,
}

/// Of a part of a path that may be a key, so much is written down: what keys are found by.
const SHOWN_MAX: usize = 19;
/// Ids that are written down of many.
const NAMED_MAX: usize = 5;

/// What a change was done to, where the path does not say it: put beside an answer for the audit log.
#[derive(Debug, Clone)]
pub(super) struct Subject(pub(super) String);

impl Subject {
    /// Many at once: how many it was done to and how many were refused, the first of them, and what else there is to say.
    pub(super) fn of_many<T: Display>(done: &[T], refused: usize, more: &str) -> Self {
        let named = done.iter().take(NAMED_MAX).map(T::to_string).collect::<Vec<_>>().join(", ");
        let behind = if done.len() > NAMED_MAX { ", …" } else { "" };
        Self(format!("{} done, {refused} refused{more}: {named}{behind}", done.len()))
    }
}

/// Lets pass who may, and writes down what was changed.
pub(super) async fn guard(State(door): State<Door>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let rule = {
        let route = parts.extensions.get::<MatchedPath>();
        rules::rule(&parts.method, route.map(MatchedPath::as_str))
    };
    let caller = match admit(&door, rule, &parts).await {
        Ok(caller) => caller,
        Err(refused) => return *refused,
    };
    let subject = subject(&parts.uri);
    let shown = Shown::by(&parts.headers).map(|shown| shown.text().to_owned());
    let allowed = allow(&door, rule, &caller, &mut parts).await;
    parts.extensions.insert(caller.clone());
    let (reader, caller_of_answer) = (Reader::of(rule, &parts), caller.clone());
    let weight = parts.extensions.get::<Weight>().cloned();
    let answering = async move {
        // What was read takes room until it has been acted on.
        let _weight = weight;
        match allowed {
            Ok(()) => next.run(Request::from_parts(parts, body)).await,
            Err(problem) => reader.told(problem, Some(&caller_of_answer)),
        }
    };
    if rule.action.is_empty() || rule.need == Need::Open {
        let response = answering.await;
        return match shown.filter(|_| caller.key().is_some()) {
            Some(text) => watch::while_known(&door, text, response),
            None if rule.need == Need::Open => response,
            None => watch::while_open(&door, response),
        };
    }
    let door_of_task = door.clone();
    let changing =
        async move { change(&door_of_task, &caller, (rule.action, subject), answering).await };
    apart(&door, changing).await
}

/// Has it done in a task of its own: whoever hangs up after a change takes no entry with him.
async fn apart(door: &Door, work: impl Future<Output = Response> + Send + 'static) -> Response {
    let Ok(place) = Arc::clone(&door.changes).try_acquire_owned() else {
        count_end("changes_max");
        return Problem::busy("changes_max").into_response();
    };
    let working = async move {
        let _place = place;
        work.await
    };
    let working = door.requests.spawn(working.in_current_span());
    working.await.unwrap_or_else(|_fallen| Problem::own_fault().into_response())
}

/// Has a change made, and writes down that it was, however it went.
async fn change(
    door: &Door,
    caller: &Caller,
    (action, subject): (&'static str, String),
    answering: impl Future<Output = Response>,
) -> Response {
    let answered = AssertUnwindSafe(answering).catch_unwind().await;
    let mut response = answered.unwrap_or_else(after_panic);
    let told = response.extensions_mut().remove::<Subject>();
    let subject = told.map_or(subject, |Subject(told)| told);
    match write_down(door, caller, (action, subject), response.status()).await {
        Ok(()) => response,
        Err(problem) => problem.into_response(),
    }
}

/// Writes an entry of the audit log.
async fn write_down(
    door: &Door,
    caller: &Caller,
    (action, subject): (&str, String),
    status: StatusCode,
) -> Result<(), Problem> {
    let detail = AuditDetail {
        by: caller.name().to_owned(),
        from: caller.from.to_string(),
        status: status.as_u16(),
    };
    let entry = NewAudit {
        at: door.dispatch.now(),
        key: caller.key().cloned(),
        action: action.to_owned(),
        subject,
        detail,
    };
    // Where nothing was changed nobody waits for that to be durable, and whoever is refused makes the others wait for nothing.
    let written = if action == "execution.start" || status == StatusCode::FORBIDDEN {
        door.dispatch.audit_soon(entry);
        Ok(())
    } else {
        door.dispatch.audit(entry).await
    };
    written.map_err(|error| {
        let cause: &dyn std::error::Error = &error;
        tracing::error!(error = cause, action, "A change is missing in the audit log");
        if status.is_success() { Problem::unrecorded(action) } else { error.into() }
    })
}

/// The path, without what all paths of the API begin with.
pub(super) fn subject(uri: &Uri) -> String {
    let is_key = |part: &str| {
        let part = part.to_ascii_lowercase();
        part.starts_with("sw_") || part.starts_with("sw%5f")
    };
    let shown = |part: &str| match part.get(..SHOWN_MAX) {
        // Somebody has given a whole key where its beginning is asked for.
        Some(beginning) if is_key(part) => format!("{beginning}…"),
        _ => part.to_owned(),
    };
    let parts: Vec<_> = uri.path().trim_start_matches("/v1/").split('/').map(shown).collect();
    parts.join("/")
}

/// Whether a request of this kind needs a key, once there is one.
pub(super) fn needs_key(method: &str, route: &str) -> bool {
    rules::rule_of(method, route).need != Need::Open
}

/// Who reads an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// A person, in a browser.
    Person,
    Program,
}

impl Reader {
    fn of(rule: Rule, request: &Parts) -> Self {
        let is_shown = rule.is_page() && is_safe(&request.method);
        if is_shown { Self::by(&request.headers) } else { Self::Program }
    }

    /// By what it accepts.
    fn by(headers: &HeaderMap) -> Self {
        let accepts = headers.get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok());
        let is_browser = accepts.is_some_and(|accepts| accepts.contains("text/html"));
        if is_browser { Self::Person } else { Self::Program }
    }

    /// Why not, so that it can be read.
    fn told(self, problem: Problem, caller: Option<&Caller>) -> Response {
        match self {
            Self::Person => web::refusal(problem, caller),
            Self::Program => problem.into_response(),
        }
    }
}

/// Who asks, where he may ask at all.
async fn admit(door: &Door, rule: Rule, request: &Parts) -> Result<Caller, Box<Response>> {
    let reader = Reader::of(rule, request);
    let refuse = |problem: Problem| Box::new(reader.told(problem, None));
    let (headers, uri) = (&request.headers, &request.uri);
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
    let Some(ConnectInfo(peer)) = peer else { return Err(refuse(Problem::own_fault())) };
    let from = origin_address(peer.ip(), headers, &door.access.trusted_proxies);
    // Without a look at the database: a host lives while that is away, and probes ask whether it does.
    if rule.need == Need::Open {
        return Ok(Caller::new(None, from));
    }
    if !keys_in_force(door).await.map_err(refuse)? {
        check_page(door, request).map_err(refuse)?;
        return Ok(Caller::new(None, from));
    }
    let Some(shown) = Shown::by(headers) else {
        return Err(Box::new(strangers_answer(reader, uri)));
    };
    let holder = recognise(door, shown, from).await.map_err(|problem| match shown {
        // Whose session has ended is sent to open another. All pages that are open lose its cookie by this, or they would go on
        // to show a wrong key, and so have their user wait for the login.
        Shown::Cookie(_) if problem.status() == StatusCode::UNAUTHORIZED => {
            let mut answer = strangers_answer(reader, uri);
            let line = origin::line(&door.access, peer.ip(), headers);
            answer.headers_mut().insert(header::SET_COOKIE, login::no_cookie(line));
            Box::new(answer)
        }
        _ => refuse(problem),
    })?;
    if matches!(shown, Shown::Cookie(_)) && !is_safe(&request.method) {
        let is_ours = headers.contains_key(origin::DASHBOARD) && origin::is_from_here(headers, uri);
        if !is_ours {
            let detail = "a session changes nothing but for the dashboard's own pages; programs \
                          send `Authorization: Bearer KEY`";
            return Err(refuse(Problem::forbidden(detail)));
        }
    }
    Ok(Caller::new(Some(holder), from))
}

async fn keys_in_force(door: &Door) -> Result<bool, Problem> {
    Ok(door.access.keys == Keys::Always || door.dispatch.has_keys().await?)
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Without keys, a browser on this machine could be made to ask for anybody whose page it shows.
fn check_page(door: &Door, request: &Parts) -> Result<(), Problem> {
    let (headers, uri) = (&request.headers, &request.uri);
    let name = origin::asked_for(headers, uri).unwrap_or("localhost");
    if door.access.reach == Reach::Loopback && !origin::means_this_machine(name) {
        return Err(Problem::misdirected(name));
    }
    if !is_safe(&request.method) && origin::is_from_elsewhere(headers, uri) {
        return Err(Problem::forbidden("the page of another site sent this"));
    }
    Ok(())
}

/// Whose key that is. Who has shown many wrong ones is not looked up for a while; known keys pass all the same, because many
/// may share an address.
async fn recognise(door: &Door, shown: Shown<'_>, from: IpAddr) -> Result<KeyHolder, Problem> {
    let unknown = || Problem::unauthorized("this key is not known, or was revoked");
    // Each has its place: no other site makes a browser send a header, and no program needs a cookie.
    let is_session = KeyId::is_of_session(shown.text());
    if is_session != matches!(shown, Shown::Cookie(_)) {
        return Err(unknown());
    }
    if let Some(holder) = door.dispatch.recognise_again(shown.text()).await? {
        return Ok(holder);
    }
    // Counted before it is looked up, or many that come at once would all be.
    let admitted = door.throttle.admit(from, shown.text());
    match admitted {
        Admitted::New | Admitted::Beside => {}
        Admitted::Again => return Err(unknown()),
        Admitted::Not { seconds } => return Err(Problem::too_many_keys(seconds)),
    }
    let looked_up = door.dispatch.recognise(shown.text()).await;
    if matches!(looked_up, Ok(None)) {
        door.throttle.condemn(from, shown.text());
        tracing::warn!(%from, "A wrong key was shown");
    } else if admitted == Admitted::New {
        door.throttle.give_back(from, shown.text());
    }
    looked_up?.ok_or_else(unknown)
}

/// What is answered to who shows no key.
fn strangers_answer(reader: Reader, uri: &Uri) -> Response {
    match reader {
        Reader::Person => Redirect::to(&login::address(uri)).into_response(),
        Reader::Program => {
            let detail = "a key is needed: send `Authorization: Bearer KEY`";
            Problem::unauthorized(detail).into_response()
        }
    }
}

/// Refuses who has not the role, and who asks for an execution that the key is not for.
async fn allow(door: &Door, rule: Rule, caller: &Caller, parts: &mut Parts) -> Result<(), Problem> {
    if rule.need == Need::Open {
        return Ok(());
    }
    caller.check(rule.need)?;
    if rule.need == Need::Follow && caller.is_limited() {
        // As the handler reads it, so that both mean the same one.
        let Named(id) = Named::<ExecutionId>::from_request_parts(parts, &()).await?;
        caller.may_start(&door.dispatch.show(id).await?.row.workflow)?;
    }
    Ok(())
}

/// The key that a browser shows, for who logs out.
fn session(headers: &HeaderMap) -> Option<&str> {
    caller::cookie(headers)
}
