//! Schedules: put, list, show, pause, resume, start by hand, remove.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Door;
use super::body::{self, Bound};
use super::error::Problem;
use super::order::{key_of, one_key};
use super::path::{Asked, Named, Text, page_default};
use crate::dispatch::{ScheduleRow, Scheduled};
use crate::model::{ExecutionId, Failed, Firing, Missed, Name, Progress, ScheduleSpec, Timestamp};

/// How many of its next times are shown.
const NEXT_SHOWN: usize = 5;
/// What the order has beside the payload in it.
const BESIDE_INPUT_BYTES: usize = 64 << 10;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Schedules {
    schedules: Vec<Schedule>,
    next_after: Option<Name>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Schedule {
    name: Name,
    /// As it was put, with every default.
    spec: ScheduleSpec,
    paused_at: Option<Timestamp>,
    /// Its next times; none while it is paused.
    next: Vec<Timestamp>,
    /// What it has started last, newest first.
    last: Vec<Firing>,
    running: Vec<ExecutionId>,
    queued: Vec<Timestamp>,
    fired: u64,
    skipped: u64,
    failed: u64,
    last_failure: Option<Failed>,
    last_missed: Option<Missed>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<ScheduleRow> for Schedule {
    fn from(row: ScheduleRow) -> Self {
        let ScheduleRow { name, spec, progress, paused_at, next_at, .. } = row;
        let first = next_at.filter(|_| paused_at.is_none());
        let next = std::iter::successors(first, |at| spec.next_after(*at));
        let next = next.take(NEXT_SHOWN).collect();
        let Progress { running, queued, last, fired, skipped, failed, .. } = progress;
        Self {
            name,
            spec,
            paused_at,
            next,
            last: last.into(),
            running: running.into(),
            queued: queued.into(),
            fired,
            skipped,
            failed,
            last_failure: progress.last_failure,
            last_missed: progress.last_missed,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Puts a schedule (201), or changes the one of that name (200).
#[utoipa::path(
    put, path = "/v1/schedules/{name}", tag = "schedules", operation_id = "put_schedule",
    params(("name" = String, Path, min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")), request_body = ScheduleSpec,
    responses((status = 201, body = Schedule), (status = 200, description = "It was changed", body = Schedule)),
)]
pub(super) async fn put(
    State(door): State<Door>,
    Named(name): Named<Name>,
    body: Body,
) -> Result<Response, Problem> {
    let max = door.dispatch.limits().payload_bytes_max.saturating_add(BESIDE_INPUT_BYTES);
    let bound = Bound { what: "the schedule", max, limit: "payload_bytes_max" };
    let spec: ScheduleSpec = body::parse(&body::read(body, bound).await?)?;
    let (status, row) = match door.dispatch.put_schedule(&name, &spec).await? {
        Scheduled::Created(row) => (StatusCode::CREATED, row),
        Scheduled::Changed(row) => (StatusCode::OK, row),
    };
    Ok((status, Json(Schedule::from(*row))).into_response())
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    #[param(value_type = Option<Name>)]
    after: Option<Text<Name>>,
    #[serde(default = "page_default")]
    #[param(minimum = 1, maximum = 1_000)]
    limit: u32,
}

/// Schedules by name.
#[utoipa::path(
    get, path = "/v1/schedules", tag = "schedules", operation_id = "list_schedules",
    params(Page), responses((status = 200, body = Schedules)),
)]
pub(super) async fn list(
    State(door): State<Door>,
    Asked(page): Asked<Page>,
) -> Result<Json<Schedules>, Problem> {
    let after = page.after.map(|name| name.0);
    let rows = door.dispatch.schedules(after.as_ref(), page.limit).await?;
    let full = u32::try_from(rows.len()).is_ok_and(|rows| rows >= page.limit);
    let next_after = rows.last().filter(|_| full).map(|row| row.name.clone());
    Ok(Json(Schedules { schedules: rows.into_iter().map(Schedule::from).collect(), next_after }))
}

/// One schedule.
#[utoipa::path(
    get, path = "/v1/schedules/{name}", tag = "schedules", operation_id = "show_schedule",
    params(("name" = String, Path, min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")), responses((status = 200, body = Schedule)),
)]
pub(super) async fn show(
    State(door): State<Door>,
    Named(name): Named<Name>,
) -> Result<Json<Schedule>, Problem> {
    Ok(Json(door.dispatch.schedule(&name).await?.into()))
}

/// Removes a schedule. What it has started goes on.
#[utoipa::path(
    delete, path = "/v1/schedules/{name}", tag = "schedules", operation_id = "remove_schedule",
    params(("name" = String, Path, min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")), responses((status = 204)),
)]
pub(super) async fn remove(
    State(door): State<Door>,
    Named(name): Named<Name>,
) -> Result<StatusCode, Problem> {
    door.dispatch.remove_schedule(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a schedule stand still.
#[utoipa::path(
    post, path = "/v1/schedules/{name}/pause", tag = "schedules", operation_id = "pause_schedule",
    params(("name" = String, Path, min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")), responses((status = 200, body = Schedule)),
)]
pub(super) async fn pause(
    State(door): State<Door>,
    Named(name): Named<Name>,
) -> Result<Json<Schedule>, Problem> {
    Ok(Json(door.dispatch.pause_schedule(&name).await?.into()))
}

/// Has a schedule go on from now.
#[utoipa::path(
    post, path = "/v1/schedules/{name}/resume", tag = "schedules", operation_id = "resume_schedule",
    params(("name" = String, Path, min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")), responses((status = 200, body = Schedule)),
)]
pub(super) async fn resume(
    State(door): State<Door>,
    Named(name): Named<Name>,
) -> Result<Json<Schedule>, Problem> {
    Ok(Json(door.dispatch.resume_schedule(&name).await?.into()))
}

#[derive(Debug, Default, Deserialize, ToSchema, Serialize)]
#[serde(expecting = "a JSON object", deny_unknown_fields, default)]
#[schema(as = TriggerOrder)]
struct Keyed {
    #[schema(min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    idempotency_key: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Triggered {
    id: ExecutionId,
    created: bool,
}

/// Starts now what a schedule starts (201; 200 where its key had done so before).
#[utoipa::path(
    post, path = "/v1/schedules/{name}/trigger", tag = "schedules", operation_id = "trigger_schedule",
    params(("name" = String, Path, min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$"), ("idempotency-key" = Option<String>, Header, max_length = 256, pattern = "^[!-~]([ -~]*[!-~])?$")),
    request_body = Option<Keyed>,
    responses((status = 201, body = Triggered), (status = 200, description = "Its key had done so before", body = Triggered)),
)]
pub(super) async fn trigger(
    State(door): State<Door>,
    Named(name): Named<Name>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let Keyed { idempotency_key } = body::order(body).await?;
    let key = one_key(idempotency_key, key_of(&headers)?)?;
    let started = door.dispatch.trigger(&name, key.as_deref()).await?;
    let status = if started.created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(Triggered { id: started.id, created: started.created })).into_response())
}
