//! What workflows and steps have said.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Door;
use super::error::Problem;
use super::path::{Asked, Named, PageAfter};
use crate::dispatch::LogLine;
use crate::model::{ExecutionId, Level, Name, Payload, Promise, Run, Timestamp};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Logs {
    lines: Vec<Line>,
    next_after: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogLine)]
struct Line {
    id: i64,
    at: Timestamp,
    run: Run,
    step: Option<Name>,
    promise: Option<Promise>,
    attempt: u32,
    /// `progress` for a line of progress.
    level: &'static str,
    message: String,
    fields: Payload,
}

impl From<LogLine> for Line {
    fn from(line: LogLine) -> Self {
        let LogLine { id, run, step, promise, attempt, at, level, message, fields } = line;
        let level = level.map_or("progress", Level::as_str);
        Self { id, at, run, step, promise, attempt, level, message, fields }
    }
}

/// A page of an execution's log.
#[utoipa::path(
    get, path = "/v1/executions/{id}/logs", tag = "executions", operation_id = "page_logs",
    params(("id" = ExecutionId, Path), PageAfter), responses((status = 200, body = Logs)),
)]
pub(super) async fn page(
    State(door): State<Door>,
    Named(id): Named<ExecutionId>,
    Asked(asked): Asked<PageAfter>,
) -> Result<Json<Logs>, Problem> {
    let limit = asked.limit;
    let after = i64::try_from(asked.after).map_err(Problem::malformed)?;
    let lines = door.dispatch.logs(id, after, limit).await?;
    let full = u32::try_from(lines.len()).is_ok_and(|lines| lines >= limit);
    let next_after = lines.last().filter(|_| full).map(|line| line.id);
    Ok(Json(Logs { lines: lines.into_iter().map(Line::from).collect(), next_after }))
}
