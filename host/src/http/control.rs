//! Acting on an execution: signal, cancel, retry, pause, resume.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Door;
use super::error::Problem;
use super::path::{Asked, Named, NamedPair};
use super::{body, order};
use crate::dispatch::{Force, ModuleRef};
use crate::model::{ExecutionId, ExecutionState, Name, Run, Timestamp};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Sender {
    /// The sender's own id of it: of two with one id, one is received.
    #[param(min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    id: Option<String>,
}

/// Sends a signal, whose payload is the body.
#[utoipa::path(
    post, path = "/v1/executions/{id}/signals/{name}", tag = "executions", operation_id = "signal_execution",
    params(
        ("id" = ExecutionId, Path), ("name" = Name, Path), Sender,
        ("idempotency-key" = Option<String>, Header, max_length = 256, pattern = "^[!-~]([ -~]*[!-~])?$"),
    ),
    request_body = Option<serde_json::Value>, responses((status = 202, description = "It is in the inbox")),
)]
pub(super) async fn signal(
    State(door): State<Door>,
    NamedPair(execution, signal): NamedPair<ExecutionId, Name>,
    Asked(sender): Asked<Sender>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let id = match (sender.id, order::key_of(&headers)?) {
        (Some(id), Some(key)) if id != key => {
            return Err(Problem::invalid("the header Idempotency-Key and the query's id differ"));
        }
        (id, key) => id.or(key),
    };
    let payload = body::payload(body, door.dispatch.limits().payload_bytes_max).await?;
    door.dispatch.signal(execution, signal, payload, id).await?;
    Ok(StatusCode::ACCEPTED)
}

#[derive(Debug, Default, Deserialize, ToSchema, Serialize)]
#[serde(expecting = "a JSON object", deny_unknown_fields, default)]
struct Cancellation {
    reason: String,
    force: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CancelAnswer)]
pub(super) struct Standing {
    id: ExecutionId,
    state: ExecutionState,
    /// Since when it stands still: it ends when it is resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_at: Option<Timestamp>,
}

/// Asks an execution to end. One that has ended stays as it is, and that is what is answered.
#[utoipa::path(
    post, path = "/v1/executions/{id}/cancel", tag = "executions", operation_id = "cancel_execution",
    params(("id" = ExecutionId, Path)), request_body = Option<Cancellation>,
    responses(
        (status = 202, description = "It is asked to end", body = Standing),
        (status = 200, description = "It had ended before", body = Standing),
    ),
)]
pub(super) async fn cancel(
    State(door): State<Door>,
    Named(id): Named<ExecutionId>,
    body: Body,
) -> Result<(StatusCode, Json<Standing>), Problem> {
    let Cancellation { reason, force } = body::order(body).await?;
    let force = if force { Force::Yes } else { Force::No };
    if let Some(state) = door.dispatch.cancel(id, reason, force).await? {
        return Ok((StatusCode::OK, Json(Standing { id, state, paused_at: None })));
    }
    let row = door.dispatch.show(id).await?.row;
    let standing = Standing { id, state: row.state, paused_at: row.paused_at };
    Ok((StatusCode::ACCEPTED, Json(standing)))
}

#[derive(Debug, Default, Deserialize, ToSchema, Serialize)]
#[serde(expecting = "a JSON object", deny_unknown_fields, default)]
struct With {
    #[schema(format = "module-reference")]
    module: Option<String>,
}

impl With {
    async fn read(body: Body) -> Result<Option<ModuleRef>, Problem> {
        let with: Self = body::order(body).await?;
        let module = with.module.as_deref().map(str::parse).transpose();
        module.map_err(|error| Problem::invalid(format!("module: {error}")))
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Revived {
    id: ExecutionId,
    run: Run,
}

/// Begins the next run of an execution that has ended badly or is blocked.
#[utoipa::path(
    post, path = "/v1/executions/{id}/retry", tag = "executions", operation_id = "retry_execution",
    params(("id" = ExecutionId, Path)), request_body = Option<With>,
    responses((status = 202, body = Revived)),
)]
pub(super) async fn retry(
    State(door): State<Door>,
    Named(id): Named<ExecutionId>,
    body: Body,
) -> Result<(StatusCode, Json<Revived>), Problem> {
    let module = With::read(body).await?;
    let run = door.dispatch.retry(id, module.as_ref()).await?;
    Ok((StatusCode::ACCEPTED, Json(Revived { id, run })))
}

/// Has an execution stand still.
#[utoipa::path(
    post, path = "/v1/executions/{id}/pause", tag = "executions", operation_id = "pause_execution",
    params(("id" = ExecutionId, Path)), responses((status = 204)),
)]
pub(super) async fn pause(
    State(door): State<Door>,
    Named(id): Named<ExecutionId>,
) -> Result<StatusCode, Problem> {
    door.dispatch.pause(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has an execution go on that is paused or blocked.
#[utoipa::path(
    post, path = "/v1/executions/{id}/resume", tag = "executions", operation_id = "resume_execution",
    params(("id" = ExecutionId, Path)), request_body = Option<With>, responses((status = 204)),
)]
pub(super) async fn resume(
    State(door): State<Door>,
    Named(id): Named<ExecutionId>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let module = With::read(body).await?;
    door.dispatch.resume(id, module.as_ref()).await?;
    Ok(StatusCode::NO_CONTENT)
}
