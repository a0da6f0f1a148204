//! Queues: list, pause, resume.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Door;
use super::error::Problem;
use super::path::{Asked, Named, page_default};
use crate::dispatch::QueueRow;
use crate::model::{Name, Timestamp};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    #[serde(default = "page_default")]
    limit: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct Queues {
    queues: Vec<Queue>,
}

#[derive(Debug, Serialize)]
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
        let QueueRow { name, paused_at, waiting, running, blocked, oldest_at, executions } = row;
        Self { name, paused_at, waiting, running, blocked, oldest_at, executions }
    }
}

/// Queues by name.
pub(super) async fn list(
    State(door): State<Door>,
    Asked(page): Asked<Page>,
) -> Result<Json<Queues>, Problem> {
    let rows = door.dispatch.queues(page.limit).await?;
    Ok(Json(Queues { queues: rows.into_iter().map(Queue::from).collect() }))
}

/// Has a queue stand still.
pub(super) async fn pause(
    State(door): State<Door>,
    Named(queue): Named<Name>,
) -> Result<StatusCode, Problem> {
    door.dispatch.pause_queue(&queue).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a queue go on.
pub(super) async fn resume(
    State(door): State<Door>,
    Named(queue): Named<Name>,
) -> Result<StatusCode, Problem> {
    door.dispatch.resume_queue(&queue).await?;
    Ok(StatusCode::NO_CONTENT)
}
