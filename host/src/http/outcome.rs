//! The result of an execution.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Door;
use super::error::Problem;
use super::path::{Asked, Named, Span};
use crate::dispatch::Progress;
use crate::model::{ExecutionId, ExecutionState, Failure, Payload};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wait {
    /// How long to wait for the end, at most 60s.
    #[param(value_type = Option<String>, format = "wait-text")]
    wait: Option<Span>,
}

/// How it ended, or how it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Outcome {
    state: ExecutionState,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Payload, required = false)]
    result: Option<Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
}

/// The result: 200 where the execution has ended, 202 where it has not, after waiting for it as long as was asked.
#[utoipa::path(
    get, path = "/v1/executions/{id}/result", tag = "executions", operation_id = "await_result",
    params(("id" = ExecutionId, Path), Wait),
    responses(
        (status = 200, description = "It has ended", body = Outcome),
        (status = 202, description = "It has not ended", body = Outcome),
    ),
)]
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
