//! Orders for many executions.

use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Door;
use super::access::Subject;
use super::body;
use super::error::Problem;
use super::executions::{Which, cursor_behind};
use super::path::{Text, page_default};
use crate::dispatch::{Bulk, BulkAction, Force, ModuleRef};
use crate::model::ExecutionId;

/// To which, and how many of them by this order.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(expecting = "a JSON object", deny_unknown_fields, default)]
#[schema(as = BulkOrder)]
struct Order {
    /// Which executions; `{}` means all. Those that the order makes no sense for are passed by.
    #[serde(deserialize_with = "body::object")]
    #[schema(value_type = Which, required = true)]
    filter: Option<Which>,
    /// How many are looked at.
    #[schema(minimum = 1, maximum = 1_000)]
    limit: u32,
    /// The `next_cursor` of the page before.
    #[schema(pattern = r"^[0-9]{1,16}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    cursor: Option<String>,
    /// Only say to which it would be done.
    dry_run: bool,
    /// Of a cancellation.
    reason: String,
    /// Whether a cancellation ends it without asking the workflow.
    force: bool,
    /// By which module it goes on: of a retry, and of a resumption.
    #[schema(value_type = Option<String>, format = "module-reference")]
    module: Option<Text<ModuleRef>>,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            filter: None,
            limit: page_default(),
            cursor: None,
            dry_run: false,
            reason: String::new(),
            force: false,
            module: None,
        }
    }
}

/// What became of a page.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkAnswer)]
pub(super) struct Answer {
    /// To which it was done; of a dry run, to which it would be.
    done: Vec<ExecutionId>,
    refused: Vec<Refused>,
    dry_run: bool,
    /// Order it again with this, until it is null.
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkRefused)]
struct Refused {
    id: ExecutionId,
    problem: Problem,
}

/// Asks a page of executions to end.
#[utoipa::path(
    post, path = "/v1/bulk/cancel", tag = "executions", operation_id = "cancel_many",
    request_body = Order, responses((status = 200, body = Answer)),
)]
pub(super) async fn cancel(
    State(door): State<Door>,
    body: Body,
) -> Result<(Extension<Subject>, Json<Answer>), Problem> {
    act(&door, body, |order| {
        let force = if order.force { Force::Yes } else { Force::No };
        BulkAction::Cancel(order.reason.clone(), force)
    })
    .await
}

/// Tries a page of executions again that have ended badly or are blocked.
#[utoipa::path(
    post, path = "/v1/bulk/retry", tag = "executions", operation_id = "retry_many",
    request_body = Order, responses((status = 200, body = Answer)),
)]
pub(super) async fn retry(
    State(door): State<Door>,
    body: Body,
) -> Result<(Extension<Subject>, Json<Answer>), Problem> {
    act(&door, body, |order| BulkAction::Retry(order.module.clone().map(|module| module.0))).await
}

/// Has a page of executions stand still.
#[utoipa::path(
    post, path = "/v1/bulk/pause", tag = "executions", operation_id = "pause_many",
    request_body = Order, responses((status = 200, body = Answer)),
)]
pub(super) async fn pause(
    State(door): State<Door>,
    body: Body,
) -> Result<(Extension<Subject>, Json<Answer>), Problem> {
    act(&door, body, |_| BulkAction::Pause).await
}

/// Has a page of executions go on that are paused or blocked.
#[utoipa::path(
    post, path = "/v1/bulk/resume", tag = "executions", operation_id = "resume_many",
    request_body = Order, responses((status = 200, body = Answer)),
)]
pub(super) async fn resume(
    State(door): State<Door>,
    body: Body,
) -> Result<(Extension<Subject>, Json<Answer>), Problem> {
    act(&door, body, |order| BulkAction::Resume(order.module.clone().map(|module| module.0))).await
}

async fn act(
    door: &Door,
    body: Body,
    action: impl Fn(&Order) -> BulkAction,
) -> Result<(Extension<Subject>, Json<Answer>), Problem> {
    let order: Order = body::order(body).await?;
    let action = action(&order);
    let missing = "say which executions by `filter`; {\"filter\": {}} means all of them";
    let which = order.filter.ok_or_else(|| Problem::invalid(missing))?;
    let filter = which.filter(&door.dispatch, order.cursor.as_deref(), order.limit).await?;
    let dry_run = order.dry_run;
    let page = door.dispatch.do_to_many(Bulk { action, filter, dry_run }).await?;
    let refused = page.refused.into_iter();
    let answer = Answer {
        done: page.done,
        refused: refused.map(|(id, error)| Refused { id, problem: error.into() }).collect(),
        dry_run,
        next_cursor: page.next.map(cursor_behind),
    };
    let dry = if dry_run { ", dry run" } else { "" };
    let subject = Subject::of_many(&answer.done, answer.refused.len(), dry);
    Ok((Extension(subject), Json(answer)))
}
