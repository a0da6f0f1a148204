//! Dead letters: list, count, show, replay, discard. Orders for many are in `redrive`.

use std::str::FromStr;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Door;
use super::body;
use super::error::Problem;
use super::path::{Asked, Named, Text, page_default};
use crate::dispatch::{Attempts, DeadLetter, LetterCount, LetterFilter, Redriving};
use crate::model::{ExecutionId, Failure, Name, Payload, Promise, Run, Timestamp};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    #[param(value_type = Option<ExecutionId>)]
    execution: Option<Text<ExecutionId>>,
    workflow: Option<Name>,
    step: Option<Name>,
    queue: Option<Name>,
    kind: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    before: Option<i64>,
    #[serde(default = "page_default")]
    #[param(minimum = 1, maximum = 1_000)]
    limit: u32,
}

impl Filter {
    fn which(self) -> LetterFilter {
        LetterFilter {
            execution: self.execution.map(|id| id.0),
            workflow: self.workflow,
            step: self.step,
            queue: self.queue,
            kind: self.kind,
            since: self.since,
            until: self.until,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetters)]
pub(super) struct Letters {
    dead_letters: Vec<Letter>,
    next_before: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub(super) struct Letter {
    id: String,
    execution: ExecutionId,
    run: Run,
    workflow: Name,
    promise: Promise,
    step: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<Name>,
    attempts: u32,
    failure: Failure,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Payload, required = false)]
    input: Option<Payload>,
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
            queue: letter.queue,
            attempts: letter.attempts,
            failure: letter.failure,
            created_at: letter.created_at,
            input: None,
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
#[utoipa::path(
    get, path = "/v1/dead-letters", tag = "dead letters", operation_id = "list_dead_letters",
    params(Filter), responses((status = 200, body = Letters)),
)]
pub(super) async fn list(
    State(door): State<Door>,
    Asked(asked): Asked<Filter>,
) -> Result<Json<Letters>, Problem> {
    let (limit, before) = (asked.limit, asked.before);
    let rows = door.dispatch.dead_letters(&asked.which(), before, limit).await?;
    let full = u32::try_from(rows.len()).is_ok_and(|rows| rows >= limit);
    let next_before = rows.last().filter(|_| full).map(|letter| letter.id.to_string());
    Ok(Json(Letters { dead_letters: rows.into_iter().map(Letter::from).collect(), next_before }))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LetterCounts)]
pub(super) struct Counts {
    counts: Vec<Count>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LetterCount)]
struct Count {
    workflow: Name,
    step: Name,
    count: u64,
    oldest: Timestamp,
    newest: Timestamp,
}

impl From<LetterCount> for Count {
    fn from(counted: LetterCount) -> Self {
        let LetterCount { workflow, step, count, oldest, newest } = counted;
        Self { workflow, step, count, oldest, newest }
    }
}

/// How many there are of each step, most first.
#[utoipa::path(
    get, path = "/v1/dead-letters/counts", tag = "dead letters", operation_id = "count_dead_letters",
    params(Which), responses((status = 200, body = Counts)),
)]
pub(super) async fn count(
    State(door): State<Door>,
    Asked(which): Asked<Which>,
) -> Result<Json<Counts>, Problem> {
    let counted = door.dispatch.count_dead_letters(&which.into()).await?;
    Ok(Json(Counts { counts: counted.into_iter().map(Count::from).collect() }))
}

/// One dead letter, with what its step was called with.
#[utoipa::path(
    get, path = "/v1/dead-letters/{id}", tag = "dead letters", operation_id = "show_dead_letter",
    params(("id" = i64, Path)), responses((status = 200, body = Letter)),
)]
pub(super) async fn show(
    State(door): State<Door>,
    Named(LetterId(id)): Named<LetterId>,
) -> Result<Json<Letter>, Problem> {
    let letter = door.dispatch.dead_letter(id).await?;
    let input = door.dispatch.argument_of(&letter).await?;
    Ok(Json(Letter { input, ..letter.into() }))
}

#[derive(Debug, Default, Deserialize, ToSchema, Serialize)]
#[serde(expecting = "a JSON object", deny_unknown_fields, default)]
#[schema(as = ReplayOrder)]
struct How {
    queue: Option<Name>,
    attempts: Counting,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Counting {
    #[default]
    Reset,
    Keep,
}

/// How a dead letter is replayed.
pub(super) fn redriving(queue: Option<Name>, attempts: Counting) -> Redriving {
    let attempts = match attempts {
        Counting::Reset => Attempts::Reset,
        Counting::Keep => Attempts::Keep,
    };
    Redriving { queue, attempts }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Replayed)]
pub(super) struct Replayed {
    execution: ExecutionId,
    run: Run,
}

/// Takes the execution back to the step that failed.
#[utoipa::path(
    post, path = "/v1/dead-letters/{id}/replay", tag = "dead letters", operation_id = "replay_dead_letter",
    params(("id" = i64, Path)), request_body = Option<How>, responses((status = 202, body = Replayed)),
)]
pub(super) async fn replay(
    State(door): State<Door>,
    Named(LetterId(id)): Named<LetterId>,
    body: Body,
) -> Result<(StatusCode, Json<Replayed>), Problem> {
    let How { queue, attempts } = body::order(body).await?;
    let redriven = door.dispatch.redrive(id, &redriving(queue, attempts)).await?;
    let replayed = Replayed { execution: redriven.execution, run: redriven.run };
    Ok((StatusCode::ACCEPTED, Json(replayed)))
}

#[derive(Debug, Default, Deserialize, ToSchema, Serialize, IntoParams)]
#[serde(expecting = "a JSON object", deny_unknown_fields, default)]
#[schema(as = LetterFilter)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    #[schema(value_type = Option<ExecutionId>)]
    #[param(value_type = Option<ExecutionId>)]
    execution: Option<Text<ExecutionId>>,
    workflow: Option<Name>,
    step: Option<Name>,
    queue: Option<Name>,
    kind: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl From<Which> for LetterFilter {
    fn from(which: Which) -> Self {
        let Which { execution, workflow, step, queue, kind, since, until } = which;
        let execution = execution.map(|id| id.0);
        Self { execution, workflow, step, queue, kind, since, until }
    }
}

/// Removes a dead letter.
#[utoipa::path(
    delete, path = "/v1/dead-letters/{id}", tag = "dead letters", operation_id = "discard_dead_letter",
    params(("id" = i64, Path)), responses((status = 204)),
)]
pub(super) async fn discard(
    State(door): State<Door>,
    Named(LetterId(id)): Named<LetterId>,
) -> Result<StatusCode, Problem> {
    door.dispatch.discard(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
