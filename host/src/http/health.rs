//! Whether the host lives, and whether it works.

use std::fmt;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Door;
use super::error::Problem;
use crate::dispatch::NotifierHealth;
use crate::model::Timestamp;

/// Where a host stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HostState {
    /// It does not take work yet.
    Starting,
    /// It carries orders out.
    Ready,
    /// It takes nothing new and finishes what runs.
    Draining,
    /// It does nothing more.
    Stopped,
}

impl fmt::Display for HostState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Stopped => "stopped",
        })
    }
}

/// Greets whoever opens the address in a browser.
pub(super) fn welcome() -> &'static str {
    concat!("Stepwell ", env!("CARGO_PKG_VERSION"), ". The API begins at /v1; see docs/api.md.\n")
}

/// The process lives: it answers.
#[utoipa::path(get, path = "/health", tag = "host", operation_id = "health", responses((status = 200, body = Value)))]
pub(super) async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// What a host that works says of itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Readiness {
    status: HostState,
    /// How hints travel.
    notifier: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    notifier_lost_since: Option<Timestamp>,
}

impl Readiness {
    /// A host whose hints do not reach others is ready all the same: polling finds what hints would have told.
    fn of(status: HostState, notifier: NotifierHealth) -> Result<Self, Problem> {
        if status != HostState::Ready {
            return Err(Problem::not_ready(status));
        }
        let (notifier, notifier_lost_since) = match notifier {
            NotifierHealth::Local => ("in-process", None),
            NotifierHealth::Connected => ("redis", None),
            NotifierHealth::Lost { since } => ("lost", Some(since)),
        };
        Ok(Self { status, notifier, notifier_lost_since })
    }
}

/// The host carries orders out.
#[utoipa::path(get, path = "/ready", tag = "host", operation_id = "ready", responses((status = 200, body = Readiness)))]
pub(super) async fn ready(State(door): State<Door>) -> Result<Json<Readiness>, Problem> {
    Readiness::of(door.state(), door.dispatch.notifier_health()).map(Json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(notifier: NotifierHealth) -> Value {
        serde_json::to_value(Readiness::of(HostState::Ready, notifier).unwrap()).unwrap()
    }

    #[test]
    fn a_ready_host_says_how_its_hints_travel() {
        let local = told(NotifierHealth::Local);
        let connected = told(NotifierHealth::Connected);
        let lost = told(NotifierHealth::Lost { since: Timestamp::default() });

        assert_eq!(local, json!({ "status": "ready", "notifier": "in-process" }));
        assert_eq!(connected, json!({ "status": "ready", "notifier": "redis" }));
        let since = "1970-01-01T00:00:00.000000Z";
        let expected =
            json!({ "status": "ready", "notifier": "lost", "notifier_lost_since": since });
        assert_eq!(lost, expected);
    }

    #[test]
    fn a_host_that_is_not_ready_says_why() {
        for state in [HostState::Starting, HostState::Draining, HostState::Stopped] {
            let refused = Readiness::of(state, NotifierHealth::Local).unwrap_err();

            let document = serde_json::to_value(refused).unwrap();
            assert_eq!(document["status"], 503);
            let detail = document["detail"].as_str().unwrap();
            assert_eq!(detail, format!("the host is not ready: it is {state}"));
        }
    }
}
