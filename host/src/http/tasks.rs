//! Tasks: list and show, and why each waits.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Door;
use super::error::Problem;
use super::path::{Asked, Named, Text, page_default};
use crate::dispatch::{TaskFilter, TaskState, TaskView, Wait};
use crate::model::{ExecutionId, Failure, HostId, Name, Promise, Run, TaskId, Timestamp};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    queue: Option<Name>,
    step: Option<Name>,
    #[param(value_type = Option<ExecutionId>)]
    execution: Option<Text<ExecutionId>>,
    state: Option<Standing>,
    #[serde(default = "page_default")]
    #[param(minimum = 1, maximum = 1_000)]
    limit: u32,
    #[param(pattern = r"^[0-9]{1,16}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TaskState)]
enum Standing {
    Waiting,
    Running,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Tasks {
    tasks: Vec<Task>,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Task {
    id: TaskId,
    execution: ExecutionId,
    run: Run,
    workflow: Name,
    promise: Promise,
    step: Name,
    state: Standing,
    queue: Name,
    tags: Vec<Name>,
    priority: i32,
    attempt: u32,
    losses: u32,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    schedule_by: Option<Timestamp>,
    owner: Option<HostId>,
    last_failure: Option<Failure>,
    waits: Option<Waits>,
}

/// Why something waits, for programs and as a sentence.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Waits {
    #[serde(flatten)]
    wait: Wait,
    message: String,
}

impl From<Wait> for Waits {
    fn from(wait: Wait) -> Self {
        Self { message: wait.to_string(), wait }
    }
}

impl From<TaskView> for Task {
    fn from(TaskView { row, waits }: TaskView) -> Self {
        Self {
            id: row.id,
            execution: row.execution,
            run: row.run,
            workflow: row.workflow,
            promise: row.promise,
            step: row.step,
            state: if row.owner.is_some() { Standing::Running } else { Standing::Waiting },
            queue: row.routing.queue,
            tags: row.routing.tags,
            priority: row.routing.priority,
            attempt: row.attempt,
            losses: row.losses,
            created_at: row.created_at,
            started_at: row.started_at,
            schedule_by: row.schedule_by,
            owner: row.owner,
            last_failure: row.last_failure,
            waits: waits.map(Waits::from),
        }
    }
}

/// Tasks, the oldest first.
#[utoipa::path(
    get, path = "/v1/tasks", tag = "tasks", operation_id = "list_tasks",
    params(Filter), responses((status = 200, body = Tasks)),
)]
pub(super) async fn list(
    State(door): State<Door>,
    Asked(asked): Asked<Filter>,
) -> Result<Json<Tasks>, Problem> {
    let limit = asked.limit;
    let state = asked.state.map(|state| match state {
        Standing::Waiting => TaskState::Waiting,
        Standing::Running => TaskState::Running,
    });
    let filter = TaskFilter {
        queue: asked.queue,
        step: asked.step,
        execution: asked.execution.map(|id| id.0),
        state,
        after: asked.cursor.as_deref().map(read_cursor).transpose()?,
        limit,
    };
    let views = door.dispatch.tasks(filter).await?;
    let full = u32::try_from(views.len()).is_ok_and(|rows| rows >= limit);
    let next_cursor = views.last().filter(|_| full).map(cursor_behind);
    Ok(Json(Tasks { tasks: views.into_iter().map(Task::from).collect(), next_cursor }))
}

/// One task.
#[utoipa::path(
    get, path = "/v1/tasks/{id}", tag = "tasks", operation_id = "show_task",
    params(("id" = TaskId, Path)), responses((status = 200, body = Task)),
)]
pub(super) async fn show(
    State(door): State<Door>,
    Named(id): Named<TaskId>,
) -> Result<Json<Task>, Problem> {
    Ok(Json(door.dispatch.task(id).await?.into()))
}

/// The place behind a row, as clients hand it back.
fn cursor_behind(view: &TaskView) -> String {
    format!("{}.{}", view.row.created_at.as_micros(), view.row.id)
}

fn read_cursor(text: &str) -> Result<(Timestamp, TaskId), Problem> {
    let read = || {
        let (micros, id) = text.split_once('.')?;
        Some((Timestamp::from_micros(micros.parse().ok()?), id.parse().ok()?))
    };
    read().ok_or_else(|| {
        Problem::malformed(format!("{text:?} is no cursor: take the next_cursor of a list"))
    })
}
