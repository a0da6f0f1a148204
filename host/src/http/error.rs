//! Problem documents (RFC 9457), and the only place that knows status codes.

use std::any::Any;

use std::error::Error;
use std::fmt;

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::dispatch::{DispatchError, SchemaBreach, StoreError};
use crate::model::Standing;

/// What is answered when something cannot be done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// `urn:stepwell:problem:` and a word; docs/api.md lists them.
    #[serde(rename = "type", serialize_with = "urn")]
    #[schema(value_type = String)]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "number")]
    #[schema(value_type = u16)]
    status: StatusCode,
    detail: String,
    /// The limit that was gone past.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'static str>,
    /// Each place that does not fit a schema.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<SchemaBreach>,
    /// How a module would stand that is refused for what it wants.
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<Box<Standing>>,
    #[serde(skip)]
    retry_after_seconds: Option<u32>,
    /// Whether a key would help.
    #[serde(skip)]
    asks_for_key: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with this signature")]
fn number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

fn urn<S: serde::Serializer>(kind: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("urn:stepwell:problem:{kind}"))
}

/// Its status, the word its type ends in, and its title.
type Shape = (StatusCode, &'static str, &'static str);

const UNAVAILABLE: Shape =
    (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The host cannot do this now");
const TOO_LARGE: Shape = (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large");
const INVALID: Shape = (StatusCode::UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request");
const MALFORMED: Shape = (StatusCode::BAD_REQUEST, "malformed-request", "Malformed request");
const UNKNOWN: StatusCode = StatusCode::NOT_FOUND;
const CONFLICT: StatusCode = StatusCode::CONFLICT;
const UNFIT: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

impl Problem {
    fn new((status, kind, title): Shape, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title,
            status,
            detail: detail.into(),
            limit: None,
            errors: Vec::new(),
            capabilities: None,
            retry_after_seconds: None,
            asks_for_key: false,
        }
    }

    /// The same, naming the limit that was gone past.
    pub(super) fn at(mut self, limit: &'static str) -> Self {
        self.limit = Some(limit);
        self
    }

    fn later(mut self) -> Self {
        self.retry_after_seconds = Some(1);
        self
    }

    /// Its status, its title and its detail, for a page.
    pub(super) fn told(&self) -> (StatusCode, &'static str, &str) {
        (self.status, self.title, &self.detail)
    }

    /// The request cannot be read: it is no JSON, no UTF-8, no number, not whole.
    pub(super) fn malformed(detail: impl fmt::Display) -> Self {
        Self::new(MALFORMED, detail.to_string())
    }

    /// The request can be read and asks for what cannot be.
    pub(super) fn invalid(detail: impl fmt::Display) -> Self {
        Self::new(INVALID, detail.to_string())
    }

    /// A body that goes on beyond its limit.
    pub(super) fn too_large(what: &'static str, max: usize, limit: &'static str) -> Self {
        let detail = format!("{what} has more than the {max} bytes that are allowed ({limit})");
        Self::new(TOO_LARGE, detail).at(limit)
    }

    /// A body that took too long.
    pub(super) fn too_slow(limit: &'static str) -> Self {
        let shape = (StatusCode::REQUEST_TIMEOUT, "too-slow", "Too slow");
        Self::new(shape, format!("the body came too slowly ({limit})")).at(limit)
    }

    /// More bodies come in, or are being acted on, than there is room for.
    pub(super) fn crowded() -> Self {
        let detail = "too many bytes of bodies are being read and acted on (bodies_bytes_max)";
        Self::new(UNAVAILABLE, detail).at("bodies_bytes_max").later()
    }

    /// More is under way than that limit allows.
    pub(super) fn busy(limit: &'static str) -> Self {
        Self::new(UNAVAILABLE, format!("more is under way than there is room for ({limit})"))
            .at(limit)
            .later()
    }

    /// Nothing answers at this path.
    pub(super) fn no_route(path: &str) -> Self {
        let shape = (StatusCode::NOT_FOUND, "no-such-route", "No such route");
        Self::new(shape, format!("nothing answers at {path}; the API begins at /v1"))
    }

    /// Something answers at this path, but not to this method.
    pub(super) fn wrong_method(method: &Method, path: &str) -> Self {
        let shape = (StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "Method not allowed");
        Self::new(shape, format!("{path} does not answer to {method}"))
    }

    /// The host stops while the request is under way.
    pub(super) fn stopping() -> Self {
        Self::new(UNAVAILABLE, "the host stops").later()
    }

    /// The host starts or stops.
    pub(super) fn not_ready(state: impl fmt::Display) -> Self {
        Self::new(UNAVAILABLE, format!("the host is not ready: it is {state}")).later()
    }

    /// Nobody knows who asks.
    pub(super) fn unauthorized(detail: impl Into<String>) -> Self {
        let shape = (StatusCode::UNAUTHORIZED, "unauthorized", "A key is needed");
        Self { asks_for_key: true, ..Self::new(shape, detail) }
    }

    /// Who asks may not.
    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new((StatusCode::FORBIDDEN, "forbidden", "Not allowed"), detail)
    }

    /// Too many wrong keys have come from there.
    pub(super) fn too_many_keys(seconds: u32) -> Self {
        let shape = (StatusCode::TOO_MANY_REQUESTS, "too-many-keys", "Too many wrong keys");
        let detail =
            format!("too many wrong keys came from this address; try again in {seconds} s");
        Self { retry_after_seconds: Some(seconds), ..Self::new(shape, detail) }
    }

    /// A host without keys was asked by a name that may be anybody's.
    pub(super) fn misdirected(name: &str) -> Self {
        let shape = (StatusCode::MISDIRECTED_REQUEST, "misdirected", "Not this host's name");
        let detail = format!(
            "a host without keys answers to localhost and 127.0.0.1 only, not to {name:?}; make a key with \
             `stepwell keys create`, and it answers to every name"
        );
        Self::new(shape, detail)
    }

    /// A change was made, and the audit log does not have it.
    pub(super) fn unrecorded(action: &str) -> Self {
        let detail = format!("{action} was done, and could not be written into the audit log");
        Self::new(UNAVAILABLE, detail).later()
    }

    /// Its status.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// What it says to people.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// A bug of ours. Its cause is in the log, and nobody else's business.
    pub(super) fn own_fault() -> Self {
        let shape = (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error");
        Self::new(shape, "this is a fault of the host; its log says more")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("a problem has text keys only");
        let content = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status, [(header::CONTENT_TYPE, content)], body).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.asks_for_key {
            let challenge = HeaderValue::from_static("Bearer realm=\"stepwell\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<DispatchError> for Problem {
    fn from(error: DispatchError) -> Self {
        use DispatchError as E;
        let detail = error.to_string();
        match error {
            E::UnknownExecution(_) => {
                Self::new((UNKNOWN, "unknown-execution", "Unknown execution"), detail)
            }
            E::UnknownWorkflow { .. } | E::NotInModule { .. } => {
                Self::new((UNKNOWN, "unknown-workflow", "Unknown workflow"), detail)
            }
            E::UnknownModule(_) => Self::new((UNKNOWN, "unknown-module", "Unknown module"), detail),
            E::UnknownDeadLetter(_) => {
                Self::new((UNKNOWN, "unknown-dead-letter", "Unknown dead letter"), detail)
            }
            E::UnknownKey(_) => Self::new((UNKNOWN, "unknown-key", "Unknown key"), detail),
            E::UnknownTask(_) => Self::new((UNKNOWN, "unknown-task", "Unknown task"), detail),
            E::UnknownSchedule(_) => {
                Self::new((UNKNOWN, "unknown-schedule", "Unknown schedule"), detail)
            }
            E::SchedulesFull { .. } => {
                Self::new((CONFLICT, "schedules-full", "Too many schedules"), detail)
                    .at("schedules_max")
            }
            E::ScheduleChanging(_) => Self::new(UNAVAILABLE, detail).later(),
            E::Ambiguous { .. } => {
                Self::new((UNFIT, "ambiguous-workflow", "Ambiguous workflow"), detail)
            }
            E::InvalidInput { breaches, .. } => {
                let problem = Self::new((UNFIT, "invalid-input", "Invalid input"), detail);
                Self { errors: breaches, ..problem }
            }
            E::TooLarge { limit, .. } => Self::new(TOO_LARGE, detail).at(limit),
            E::OutOfBounds { .. } => Self::new(INVALID, detail),
            E::ModuleRefused { .. } => {
                Self::new((UNFIT, "module-refused", "Module refused"), detail)
            }
            E::NotGranted { standing, .. } => {
                let problem = Self::new((CONFLICT, "not-granted", "Not granted"), detail);
                Self { capabilities: Some(standing), ..problem }
            }
            E::IdempotencyConflict(_) => {
                Self::new((CONFLICT, "idempotency-conflict", "Idempotency conflict"), detail)
            }
            E::Ended { .. } => Self::new((CONFLICT, "execution-ended", "Already ended"), detail),
            E::NotRevivable { .. } | E::NotBlocked { .. } => {
                Self::new((CONFLICT, "not-in-state", "Not in this state"), detail)
            }
            E::WentOn { .. } | E::ParentTold { .. } => {
                Self::new((CONFLICT, "went-on", "The workflow went on"), detail)
            }
            E::SignalsFull { .. } => {
                let shape = (StatusCode::TOO_MANY_REQUESTS, "signals-full", "Too many signals");
                Self::new(shape, detail).at("unreceived_signals_max").later()
            }
            E::FollowersFull { .. } => Self::new(UNAVAILABLE, detail).at("followers_max").later(),
            E::Uncertain { .. } => {
                tracing::warn!(cause = %chain(&error), "{detail}");
                let advice = "send it again with the same Idempotency-Key; without one, look \
                              whether the execution is there";
                Self::new(UNAVAILABLE, format!("{detail}; {advice}")).later()
            }
            E::Sandbox(_) => {
                tracing::error!(cause = %chain(&error), "A module could not be examined");
                Self::own_fault()
            }
            E::Store(store) => store.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full { .. } => {
                Self::new(UNAVAILABLE, error.to_string()).at("committer_queue_max").later()
            }
            StoreError::Fenced { .. } | StoreError::Unavailable(_) | StoreError::Unknown(_) => {
                tracing::warn!(cause = %chain(&error), "A request could not be served");
                Self::new(UNAVAILABLE, error.to_string()).later()
            }
            StoreError::Corrupt { .. } | StoreError::Refused { .. } => {
                tracing::error!(cause = %chain(&error), "A request could not be served");
                Self::own_fault()
            }
        }
    }
}

/// An error with all its causes, on one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(deeper) = cause {
        texts.push(deeper.to_string());
        cause = deeper.source();
    }
    texts.join(": ")
}

/// What is answered where a handler has fallen; its cause is in the log.
#[expect(clippy::needless_pass_by_value, reason = "the layer calls it with this signature")]
pub(super) fn after_panic(cause: Box<dyn Any + Send + 'static>) -> Response {
    let said = cause.downcast_ref::<&str>().copied();
    let said = said.or_else(|| cause.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = said.unwrap_or("something"), "A request could not be answered");
    Problem::own_fault().into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ExecutionId;

    fn document(problem: impl Into<Problem>) -> serde_json::Value {
        serde_json::to_value(problem.into()).unwrap()
    }

    #[test]
    fn a_problem_has_the_members_of_rfc_9457() {
        let execution = ExecutionId::from_bytes([7; 16]);

        let document = document(DispatchError::UnknownExecution(execution));

        assert_eq!(document["type"], "urn:stepwell:problem:unknown-execution");
        assert_eq!(document["title"], "Unknown execution");
        assert_eq!(document["status"], 404);
        assert_eq!(document["detail"], format!("there is no execution {execution}"));
        assert_eq!(document.as_object().unwrap().len(), 4);
    }

    #[test]
    fn the_places_that_do_not_fit_are_listed() {
        let breach = SchemaBreach { pointer: "/card".to_owned(), message: "is no text".to_owned() };
        let workflow = crate::model::Name::new("checkout").unwrap();

        let document = document(DispatchError::InvalidInput { workflow, breaches: vec![breach] });

        assert_eq!(document["status"], 422);
        assert_eq!(document["errors"][0]["pointer"], "/card");
    }

    #[test]
    fn a_full_queue_names_its_limit_and_when_to_come_again() {
        let response = Problem::from(StoreError::Full { waiting: 4_096 }).into_response();

        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        assert_eq!(document(StoreError::Full { waiting: 1 })["limit"], "committer_queue_max");
    }

    #[test]
    fn a_fault_of_the_hosts_own_tells_nothing_of_its_cause() {
        let cause = "secret".into();
        let error = StoreError::Corrupt { table: "t", column: "c", row: "r".into(), source: cause };

        let document = document(error);

        assert_eq!(document["status"], 500);
        assert!(!document.to_string().contains("secret"));
    }
}
