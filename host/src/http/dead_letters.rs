//! Dead letters: list, show, replay, discard.

use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Door;
use super::error::Problem;
use super::path::{Asked, Named, Text, page_default};
use crate::dispatch::DeadLetter;
use crate::model::{ExecutionId, Failure, Name, Promise, Run, Timestamp};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    execution: Option<Text<ExecutionId>>,
    before: Option<i64>,
    #[serde(default = "page_default")]
    limit: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct Letters {
    dead_letters: Vec<Letter>,
    next_before: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Letter {
    id: String,
    execution: ExecutionId,
    run: Run,
    workflow: Name,
    promise: Promise,
    step: Name,
    attempts: u32,
    failure: Failure,
    created_at: Timestamp,
}

impl From<DeadLetter> for Letter {
    fn from(letter: DeadLetter) -> Self {
        Self {
            id: letter.id.to_string(),
            execution: letter.execution,
            run: letter.run,
            workflow: letter.workflow,
            promise: letter.promise,
            step: letter.step,
            attempts: letter.attempts,
            failure: letter.failure,
            created_at: letter.created_at,
        }
    }
}

/// A dead letter, as a path names it.
#[derive(Debug)]
pub(super) struct LetterId(i64);

impl FromStr for LetterId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = |_no_number| {
            format!("{text:?} is no dead letter id: it is a number, see GET /v1/dead-letters")
        };
        text.parse().map(Self).map_err(refused)
    }
}

/// Dead letters, newest first.
pub(super) async fn list(
    State(door): State<Door>,
    Asked(asked): Asked<Filter>,
) -> Result<Json<Letters>, Problem> {
    let (limit, execution) = (asked.limit, asked.execution.map(|id| id.0));
    let rows = door.dispatch.dead_letters(execution, asked.before, limit).await?;
    let full = u32::try_from(rows.len()).is_ok_and(|rows| rows >= limit);
    let next_before = rows.last().filter(|_| full).map(|letter| letter.id.to_string());
    Ok(Json(Letters { dead_letters: rows.into_iter().map(Letter::from).collect(), next_before }))
}

/// One dead letter.
pub(super) async fn show(
    State(door): State<Door>,
    Named(LetterId(id)): Named<LetterId>,
) -> Result<Json<Letter>, Problem> {
    Ok(Json(door.dispatch.dead_letter(id).await?.into()))
}

#[derive(Debug, Serialize)]
pub(super) struct Replayed {
    execution: ExecutionId,
    run: Run,
}

/// Takes the execution back to the step that failed.
pub(super) async fn replay(
    State(door): State<Door>,
    Named(LetterId(id)): Named<LetterId>,
) -> Result<(StatusCode, Json<Replayed>), Problem> {
    let redriven = door.dispatch.redrive(id).await?;
    let replayed = Replayed { execution: redriven.execution, run: redriven.run };
    Ok((StatusCode::ACCEPTED, Json(replayed)))
}

/// Removes a dead letter.
pub(super) async fn discard(
    State(door): State<Door>,
    Named(LetterId(id)): Named<LetterId>,
) -> Result<StatusCode, Problem> {
    door.dispatch.discard(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
