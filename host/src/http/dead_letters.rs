//! Dead letters: list, count, show, replay, discard.

use std::str::FromStr;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Door;
use super::access::Subject;
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
enum Counting {
    #[default]
    Reset,
    Keep,
}

fn redriving(queue: Option<Name>, attempts: Counting) -> Redriving {
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

/// Which dead letters an order is about, a page of them.
#[derive(Debug, Deserialize, ToSchema, Serialize)]
#[serde(expecting = "a JSON object", deny_unknown_fields, default)]
#[schema(as = LettersOrder)]
struct Many {
    #[serde(deserialize_with = "body::object")]
    #[schema(value_type = Which, required = true)]
    filter: Option<Which>,
    #[schema(value_type = Option<String>, pattern = "^[0-9]{1,15}$")]
    before: Option<Text<i64>>,
    #[schema(minimum = 1, maximum = 1_000)]
    limit: u32,
    queue: Option<Name>,
    attempts: Counting,
}

impl Default for Many {
    fn default() -> Self {
        let (filter, before, queue) = (None, None, None);
        Self { filter, before, limit: page_default(), queue, attempts: Counting::default() }
    }
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

/// Which dead letters are to go, a page of them.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(expecting = "a JSON object", deny_unknown_fields, default)]
#[schema(as = DiscardOrder)]
struct Unwanted {
    #[serde(deserialize_with = "body::object")]
    #[schema(value_type = Which, required = true)]
    filter: Option<Which>,
    #[schema(value_type = Option<String>, pattern = "^[0-9]{1,15}$")]
    before: Option<Text<i64>>,
    #[schema(minimum = 1, maximum = 1_000)]
    limit: u32,
}

impl Default for Unwanted {
    fn default() -> Self {
        Self { filter: None, before: None, limit: page_default() }
    }
}

/// An order for many says of which: a body of nothing is no order for all of them.
fn whole(filter: Option<Which>) -> Result<LetterFilter, Problem> {
    let missing = "say which dead letters by `filter`; {\"filter\": {}} means all of them";
    filter.map(LetterFilter::from).ok_or_else(|| Problem::invalid(missing))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReplayedMany)]
pub(super) struct ReplayedMany {
    replayed: Vec<One>,
    refused: Vec<Refused>,
    next_before: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReplayedLetter)]
struct One {
    id: String,
    execution: ExecutionId,
    run: Run,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RefusedLetter)]
struct Refused {
    id: String,
    problem: Problem,
}

/// Replays a page of dead letters.
#[utoipa::path(
    post, path = "/v1/dead-letters/replay", tag = "dead letters", operation_id = "replay_dead_letters",
    request_body = Many, responses((status = 200, body = ReplayedMany)),
)]
pub(super) async fn replay_all(
    State(door): State<Door>,
    body: Body,
) -> Result<(Extension<Subject>, Json<ReplayedMany>), Problem> {
    let Many { filter, before, limit, queue, attempts } = body::order(body).await?;
    let (how, before) = (redriving(queue, attempts), before.map(|before| before.0));
    let many = door.dispatch.redrive_all(&whole(filter)?, &how, before, limit).await?;
    let replayed = many.redriven.into_iter().map(|redriven| One {
        id: redriven.letter.to_string(),
        execution: redriven.execution,
        run: redriven.run,
    });
    let refused = many.refused.into_iter();
    let refused =
        refused.map(|(id, error)| Refused { id: id.to_string(), problem: Problem::from(error) });
    let answer = ReplayedMany {
        replayed: replayed.collect(),
        refused: refused.collect(),
        next_before: many.next_before.map(|id| id.to_string()),
    };
    let ids: Vec<_> = answer.replayed.iter().map(|one| &*one.id).collect();
    let subject = Subject::of_many(&ids, answer.refused.len(), "");
    Ok((Extension(subject), Json(answer)))
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

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DiscardedMany {
    discarded: u64,
    next_before: Option<String>,
}

/// Removes a page of dead letters.
#[utoipa::path(
    post, path = "/v1/dead-letters/discard", tag = "dead letters", operation_id = "discard_dead_letters",
    request_body = Unwanted, responses((status = 200, body = DiscardedMany)),
)]
pub(super) async fn discard_all(
    State(door): State<Door>,
    body: Body,
) -> Result<(Extension<Subject>, Json<DiscardedMany>), Problem> {
    let Unwanted { filter, before, limit } = body::order(body).await?;
    let before = before.map(|before| before.0);
    let gone = door.dispatch.discard_all(&whole(filter)?, before, limit).await?;
    let next_before = gone.next_before.map(|id| id.to_string());
    let subject = Subject(format!("{} dead letters", gone.count));
    Ok((Extension(subject), Json(DiscardedMany { discarded: gone.count, next_before })))
}
