//! Acting on an execution: signal, cancel, retry, pause, resume.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::Door;
use super::error::Problem;
use super::path::{Asked, Named, NamedPair};
use super::{body, order};
use crate::dispatch::{Force, ModuleRef};
use crate::model::{ExecutionId, ExecutionState, Name, Run, Timestamp};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sender {
    id: Option<String>,
}

/// Sends a signal, whose payload is the body.
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

#[derive(Debug, Default, Deserialize)]
#[serde(expecting = "a JSON object", deny_unknown_fields, default)]
struct Cancellation {
    reason: String,
    force: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Standing {
    id: ExecutionId,
    state: ExecutionState,
    /// Since when it stands still: it ends when it is resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_at: Option<Timestamp>,
}

/// Asks an execution to end. One that has ended stays as it is, and that is what is answered.
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

#[derive(Debug, Default, Deserialize)]
#[serde(expecting = "a JSON object", deny_unknown_fields, default)]
struct With {
    module: Option<String>,
}

impl With {
    async fn read(body: Body) -> Result<Option<ModuleRef>, Problem> {
        let with: Self = body::order(body).await?;
        let module = with.module.as_deref().map(str::parse).transpose();
        module.map_err(|error| Problem::invalid(format!("module: {error}")))
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Revived {
    id: ExecutionId,
    run: Run,
}

/// Begins the next run of an execution that has ended badly or is blocked.
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
pub(super) async fn pause(
    State(door): State<Door>,
    Named(id): Named<ExecutionId>,
) -> Result<StatusCode, Problem> {
    door.dispatch.pause(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has an execution go on that is paused or blocked.
pub(super) async fn resume(
    State(door): State<Door>,
    Named(id): Named<ExecutionId>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let module = With::read(body).await?;
    door.dispatch.resume(id, module.as_ref()).await?;
    Ok(StatusCode::NO_CONTENT)
}
