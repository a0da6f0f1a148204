//! Removing what has ended for long, by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Door;
use super::access::Subject;
use super::body;
use super::error::Problem;
use super::path::Span;
use crate::dispatch::{CleanedUp, CleanupOrder, Removable};
use crate::model::ExecutionState;

/// A week.
const OLDER_THAN: Duration = Duration::from_hours(7 * 24);

#[derive(Debug, Deserialize, ToSchema, Serialize)]
#[serde(expecting = "a JSON object", deny_unknown_fields, default)]
#[schema(as = CleanupOrder)]
struct Order {
    #[schema(value_type = String, format = "duration-text")]
    older_than: Span,
    #[schema(value_type = Vec<Ended>)]
    states: Vec<ExecutionState>,
    dead_letters: bool,
    logs: bool,
    dry_run: bool,
}

/// States that something ends in.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it is the description of a part of the order")]
enum Ended {
    Completed,
    Failed,
    TimedOut,
    Cancelled,
}

impl Default for Order {
    fn default() -> Self {
        let terminal = ExecutionState::ALL.into_iter().filter(|state| state.is_terminal());
        Self {
            older_than: Span(OLDER_THAN),
            states: terminal.collect(),
            dead_letters: true,
            logs: false,
            dry_run: false,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Cleanup {
    /// By state.
    #[schema(value_type = BTreeMap<String, u64>)]
    executions: BTreeMap<&'static str, u64>,
    dead_letters: u64,
    logs: u64,
    results: u64,
    /// Whether there may be more: order it again.
    more: bool,
    dry_run: bool,
}

impl From<CleanedUp> for Cleanup {
    fn from(cleaned: CleanedUp) -> Self {
        let CleanedUp { removed, more } = cleaned;
        let Removable { executions, dead_letters, logs, results } = removed;
        let executions = executions.into_iter().map(|(state, count)| (state.as_str(), count));
        Self { executions: executions.collect(), dead_letters, logs, results, more, dry_run: false }
    }
}

/// Removes a part of what is old, or counts it.
#[utoipa::path(
    post, path = "/v1/cleanup", tag = "retention", operation_id = "clean_up",
    request_body = Option<Order>, responses((status = 200, body = Cleanup)),
)]
pub(super) async fn clean_up(
    State(door): State<Door>,
    body: Body,
) -> Result<(Extension<Subject>, Json<Cleanup>), Problem> {
    let Order { older_than, states, dead_letters, logs, dry_run } = body::order(body).await?;
    let order = CleanupOrder { older_than: older_than.0, states, dead_letters, logs };
    if dry_run {
        let removed = door.dispatch.count_cleanup(&order).await?;
        let counted = CleanedUp { removed, more: false };
        return Ok(told(Cleanup { dry_run: true, ..counted.into() }));
    }
    Ok(told(door.dispatch.clean_up(&order).await?.into()))
}

fn told(cleaned: Cleanup) -> (Extension<Subject>, Json<Cleanup>) {
    let executions = cleaned.executions.values().sum::<u64>();
    let dry = if cleaned.dry_run { ", dry run" } else { "" };
    let Cleanup { dead_letters, logs, .. } = &cleaned;
    let subject =
        format!("{executions} executions, {dead_letters} dead letters, {logs} lines of logs{dry}");
    (Extension(Subject(subject)), Json(cleaned))
}
