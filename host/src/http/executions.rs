//! Executions: list and show.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::Door;
use super::error::Problem;
use super::execution::{Execution, Summary};
use super::path::{Asked, Named, Text, page_default};
use crate::dispatch::{ExecutionFilter, ExecutionRow};
use crate::model::{ExecutionId, ExecutionState, Name, Timestamp};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    state: Option<ExecutionState>,
    workflow: Option<Name>,
    queue: Option<Name>,
    parent: Option<Text<ExecutionId>>,
    #[serde(default = "page_default")]
    limit: u32,
    cursor: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Executions {
    executions: Vec<Summary>,
    next_cursor: Option<String>,
}

/// Executions, newest first.
pub(super) async fn list(
    State(door): State<Door>,
    Asked(asked): Asked<Filter>,
) -> Result<Json<Executions>, Problem> {
    let limit = asked.limit;
    let filter = ExecutionFilter {
        state: asked.state,
        workflow: asked.workflow,
        queue: asked.queue,
        parent: asked.parent.map(|id| id.0),
        after: asked.cursor.as_deref().map(read_cursor).transpose()?,
        limit,
    };
    let rows = door.dispatch.list(filter).await?;
    let full = u32::try_from(rows.len()).is_ok_and(|rows| rows >= limit);
    let next_cursor = rows.last().filter(|_| full).map(cursor_behind);
    let executions = rows.into_iter().map(Summary::from).collect();
    Ok(Json(Executions { executions, next_cursor }))
}

/// One execution.
pub(super) async fn show(
    State(door): State<Door>,
    Named(id): Named<ExecutionId>,
) -> Result<Json<Execution>, Problem> {
    Ok(Json(door.dispatch.show_waiting(id).await?.into()))
}

/// The place behind a row, as clients hand it back.
pub(super) fn cursor_behind(row: &ExecutionRow) -> String {
    format!("{}.{}", row.created_at.as_micros(), row.id)
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
