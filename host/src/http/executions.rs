//! Executions: list and show.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Door;
use super::error::Problem;
use super::execution::{Execution, Summary};
use super::path::{Asked, Named, Text, page_default};
use crate::dispatch::{Dispatch, ExecutionFilter, ModuleRef};
use crate::model::{ExecutionId, ExecutionState, Name, Timestamp};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Only in this state.
    state: Option<ExecutionState>,
    /// Only of this workflow.
    workflow: Option<Name>,
    /// Only of this module: its digest, the first digits of it, or a name, which means its active version.
    #[param(value_type = Option<String>, format = "module-reference")]
    module: Option<Text<ModuleRef>>,
    /// Only in this queue.
    queue: Option<Name>,
    /// Only with this tag.
    tag: Option<Name>,
    /// Only children of this one.
    #[param(value_type = Option<ExecutionId>)]
    parent: Option<Text<ExecutionId>>,
    /// Only those that failed with this kind.
    failure: Option<String>,
    /// Only those accepted at this time or later.
    since: Option<Timestamp>,
    /// Only those accepted before.
    until: Option<Timestamp>,
    #[serde(default = "page_default")]
    #[param(minimum = 1, maximum = 1_000)]
    limit: u32,
    /// The `next_cursor` of the page before.
    #[param(pattern = r"^[0-9]{1,16}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    cursor: Option<String>,
}

impl Page {
    async fn filter(self, dispatch: &Dispatch) -> Result<ExecutionFilter, Problem> {
        let which = Which {
            state: self.state,
            workflow: self.workflow,
            module: self.module,
            queue: self.queue,
            tag: self.tag,
            parent: self.parent,
            failure: self.failure,
            since: self.since,
            until: self.until,
        };
        which.filter(dispatch, self.cursor.as_deref(), self.limit).await
    }
}

/// Which executions an order is about.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(expecting = "a JSON object", deny_unknown_fields, default)]
#[schema(as = ExecutionFilter)]
pub(super) struct Which {
    pub(super) state: Option<ExecutionState>,
    workflow: Option<Name>,
    #[schema(value_type = Option<String>, format = "module-reference")]
    module: Option<Text<ModuleRef>>,
    queue: Option<Name>,
    tag: Option<Name>,
    #[schema(value_type = Option<ExecutionId>)]
    parent: Option<Text<ExecutionId>>,
    failure: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Which {
    /// As the list has it, behind a cursor.
    pub(super) async fn filter(
        self,
        dispatch: &Dispatch,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<ExecutionFilter, Problem> {
        let module = match self.module {
            Some(Text(module)) => Some(dispatch.module(&module).await?.digest),
            None => None,
        };
        Ok(ExecutionFilter {
            state: self.state,
            workflow: self.workflow,
            queue: self.queue,
            parent: self.parent.map(|id| id.0),
            module,
            failure_kind: self.failure,
            tag: self.tag,
            since: self.since,
            until: self.until,
            after: cursor.map(read_cursor).transpose()?,
            limit,
        })
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Executions {
    /// May be fewer than `limit`, or none, though more follow: `next_cursor` says so.
    executions: Vec<Summary>,
    /// Null after the last.
    next_cursor: Option<String>,
}

/// Executions, newest first.
#[utoipa::path(
    get, path = "/v1/executions", tag = "executions", operation_id = "list_executions",
    params(Page), responses((status = 200, body = Executions)),
)]
pub(super) async fn list(
    State(door): State<Door>,
    Asked(page): Asked<Page>,
) -> Result<Json<Executions>, Problem> {
    let filter = page.filter(&door.dispatch).await?;
    let found = door.dispatch.list(filter).await?;
    let next_cursor = found.next.map(cursor_behind);
    let executions = found.rows.into_iter().map(Summary::from).collect();
    Ok(Json(Executions { executions, next_cursor }))
}

/// One execution.
#[utoipa::path(
    get, path = "/v1/executions/{id}", tag = "executions", operation_id = "show_execution",
    params(("id" = ExecutionId, Path)), responses((status = 200, body = Execution)),
)]
pub(super) async fn show(
    State(door): State<Door>,
    Named(id): Named<ExecutionId>,
) -> Result<Json<Execution>, Problem> {
    Ok(Json(door.dispatch.show_waiting(id).await?.into()))
}

/// The place behind an execution, as clients hand it back.
pub(super) fn cursor_behind((created_at, id): (Timestamp, ExecutionId)) -> String {
    format!("{}.{id}", created_at.as_micros())
}

pub(super) fn read_cursor(text: &str) -> Result<(Timestamp, ExecutionId), Problem> {
    let read = || {
        let (micros, id) = text.split_once('.')?;
        Some((Timestamp::from_micros(micros.parse().ok()?), id.parse().ok()?))
    };
    read().ok_or_else(|| {
        Problem::malformed(format!("{text:?} is no cursor: take the next_cursor of a list"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_list_gave_is_a_cursor() {
        let id = ExecutionId::from_bytes([7; 16]);

        let read = read_cursor(&format!("12.{id}")).unwrap();

        assert_eq!(read, (Timestamp::from_micros(12), id));
        for bad in ["", "12", "12.", ".", "x.y"] {
            assert!(read_cursor(bad).is_err(), "{bad}");
        }
    }
}
