//! Orders for many dead letters: replay, discard.

use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Door;
use super::access::Subject;
use super::body;
use super::dead_letters::{Counting, Which, redriving};
use super::error::Problem;
use super::path::{Text, page_default};
use crate::dispatch::ManyLetters;
use crate::model::{ExecutionId, Name, Run};

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
    /// Only say which would be replayed.
    dry_run: bool,
}

impl Default for Many {
    fn default() -> Self {
        let (filter, before, queue) = (None, None, None);
        let (limit, attempts) = (page_default(), Counting::default());
        Self { filter, before, limit, queue, attempts, dry_run: false }
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
    /// Only say which would be discarded.
    dry_run: bool,
}

impl Default for Unwanted {
    fn default() -> Self {
        Self { filter: None, before: None, limit: page_default(), dry_run: false }
    }
}

impl Unwanted {
    /// An order for many says of which: a body of nothing is no order for all of them.
    fn order(self) -> Result<ManyLetters, Problem> {
        let Self { filter, before, limit, dry_run } = self;
        let missing = "say which dead letters by `filter`; {\"filter\": {}} means all of them";
        let filter = filter.ok_or_else(|| Problem::invalid(missing))?.into();
        Ok(ManyLetters { filter, before: before.map(|before| before.0), limit, dry_run })
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReplayedMany)]
pub(super) struct ReplayedMany {
    /// Those that are replayed; of a dry run, those that would be.
    replayed: Vec<One>,
    refused: Vec<Refused>,
    dry_run: bool,
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
    let Many { filter, before, limit, queue, attempts, dry_run } = body::order(body).await?;
    let order = Unwanted { filter, before, limit, dry_run }.order()?;
    let many = door.dispatch.redrive_all(&order, &redriving(queue, attempts)).await?;
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
        dry_run,
        next_before: many.next_before.map(|id| id.to_string()),
    };
    let ids: Vec<_> = answer.replayed.iter().map(|one| &*one.id).collect();
    let dry = if dry_run { ", dry run" } else { "" };
    let subject = Subject::of_many(&ids, answer.refused.len(), dry);
    Ok((Extension(subject), Json(answer)))
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DiscardedMany {
    discarded: usize,
    /// Those that are gone; of a dry run, those that would be.
    ids: Vec<String>,
    dry_run: bool,
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
    let order = body::order::<Unwanted>(body).await?.order()?;
    let dry_run = order.dry_run;
    let gone = door.dispatch.discard_all(&order).await?;
    let ids: Vec<_> = gone.ids.iter().map(i64::to_string).collect();
    let next_before = gone.next_before.map(|id| id.to_string());
    let dry = if dry_run { ", dry run" } else { "" };
    let subject = Subject::of_many(&ids, 0, dry);
    let answer = DiscardedMany { discarded: ids.len(), ids, dry_run, next_before };
    Ok((Extension(subject), Json(answer)))
}
