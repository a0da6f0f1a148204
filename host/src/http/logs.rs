//! What workflows and steps have said.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Door;
use super::error::Problem;
use super::path::{Asked, Named, page_default, place};
use crate::dispatch::{LogFilter, LogLine, LogPage};
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
    /// For a line that tells of an attempt which failed and was followed by another: when that began. It ended at the time of
    /// the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt_began_at: Option<Timestamp>,
}

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LogQuery {
    /// Read on behind this one.
    #[serde(default, deserialize_with = "place")]
    #[param(maximum = 9_223_372_036_854_775_807_i64)]
    after: u64,
    /// How many.
    #[serde(default = "page_default")]
    #[param(minimum = 1, maximum = 1_000)]
    limit: u32,
    /// Only those that tell of attempts which failed and were followed by another.
    #[serde(default)]
    failed_attempts: bool,
    /// Only those of this step.
    step: Option<Name>,
    /// Only those of the step's call with this promise.
    #[param(value_type = Option<u32>, maximum = 4_294_967_295_i64)]
    promise: Option<Promise>,
    /// Only those of an attempt with this number; 0 is the workflow itself.
    #[param(maximum = 4_294_967_295_i64)]
    attempt: Option<u32>,
}

impl From<LogLine> for Line {
    fn from(line: LogLine) -> Self {
        let LogLine {
            id,
            run,
            step,
            promise,
            attempt,
            at,
            level,
            message,
            fields,
            attempt_began_at,
        } = line;
        let level = level.map_or("progress", Level::as_str);
        Self { id, at, run, step, promise, attempt, level, message, fields, attempt_began_at }
    }
}

/// A page of an execution's log.
#[utoipa::path(
    get, path = "/v1/executions/{id}/logs", tag = "executions", operation_id = "page_logs",
    params(("id" = ExecutionId, Path), LogQuery), responses((status = 200, body = Logs)),
)]
pub(super) async fn page(
    State(door): State<Door>,
    Named(id): Named<ExecutionId>,
    Asked(asked): Asked<LogQuery>,
) -> Result<Json<Logs>, Problem> {
    let LogQuery { limit, failed_attempts, step, promise, attempt, .. } = asked;
    let after = i64::try_from(asked.after).map_err(Problem::malformed)?;
    let filter = LogFilter { step, promise, attempt, failed_attempts };
    let LogPage { lines, next_after } = door.dispatch.logs(id, &filter, after, limit).await?;
    Ok(Json(Logs { lines: lines.into_iter().map(Line::from).collect(), next_after }))
}
