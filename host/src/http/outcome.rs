//! The result of an execution.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Door;
use super::error::Problem;
use super::path::{Asked, Named, Span};
use crate::dispatch::Progress;
use crate::model::{ExecutionId, ExecutionState, Failure, Payload};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    wait: Option<Span>,
}

/// How it ended, or how it stands.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    state: ExecutionState,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
}

/// The result: 200 where the execution has ended, 202 where it has not, after waiting for it as long as was asked.
pub(super) async fn result(
    State(door): State<Door>,
    Named(id): Named<ExecutionId>,
    Asked(asked): Asked<Wait>,
) -> Result<(StatusCode, Json<Outcome>), Problem> {
    let wait = asked.wait.map_or(Duration::ZERO, |wait| wait.0);
    let progress = tokio::select! {
        progress = door.dispatch.result(id, wait) => progress?,
        () = door.closing() => door.dispatch.result(id, Duration::ZERO).await?,
    };
    Ok(match progress {
        Progress::Ended(ended) => {
            let (result, failure) = match ended.outcome {
                Ok(result) => (Some(result), None),
                Err(failure) => (None, Some(failure)),
            };
            (StatusCode::OK, Json(Outcome { state: ended.state, result, failure }))
        }
        Progress::In(state) => {
            (StatusCode::ACCEPTED, Json(Outcome { state, result: None, failure: None }))
        }
    })
}
