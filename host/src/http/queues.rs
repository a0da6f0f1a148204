//! Queues: list, pause, resume.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Door;
use super::error::Problem;
use super::path::{Asked, Named, page_default};
use crate::dispatch::QueueRow;
use crate::model::{Name, Timestamp};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    #[serde(default = "page_default")]
    #[param(minimum = 1, maximum = 1_000)]
    limit: u32,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Queues {
    queues: Vec<Queue>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Queue {
    name: Name,
    paused_at: Option<Timestamp>,
    waiting: u64,
    running: u64,
    blocked: u64,
    oldest_at: Option<Timestamp>,
    executions: u64,
}

impl From<QueueRow> for Queue {
    fn from(row: QueueRow) -> Self {
        let QueueRow { name, paused_at, waiting, running, blocked, oldest_at, executions, .. } =
            row;
        Self { name, paused_at, waiting, running, blocked, oldest_at, executions }
    }
}

/// Queues by name.
#[utoipa::path(
    get, path = "/v1/queues", tag = "queues", operation_id = "list_queues",
    params(Page), responses((status = 200, body = Queues)),
)]
pub(super) async fn list(
    State(door): State<Door>,
    Asked(page): Asked<Page>,
) -> Result<Json<Queues>, Problem> {
    let rows = door.dispatch.queues(page.limit).await?;
    Ok(Json(Queues { queues: rows.into_iter().map(Queue::from).collect() }))
}

/// Has a queue stand still.
#[utoipa::path(
    post, path = "/v1/queues/{name}/pause", tag = "queues", operation_id = "pause_queue",
    params(("name" = Name, Path)), responses((status = 204)),
)]
pub(super) async fn pause(
    State(door): State<Door>,
    Named(queue): Named<Name>,
) -> Result<StatusCode, Problem> {
    door.dispatch.pause_queue(&queue).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a queue go on.
#[utoipa::path(
    post, path = "/v1/queues/{name}/resume", tag = "queues", operation_id = "resume_queue",
    params(("name" = Name, Path)), responses((status = 204)),
)]
pub(super) async fn resume(
    State(door): State<Door>,
    Named(queue): Named<Name>,
) -> Result<StatusCode, Problem> {
    door.dispatch.resume_queue(&queue).await?;
    Ok(StatusCode::NO_CONTENT)
}
