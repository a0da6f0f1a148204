//! All executions as server-sent events: one as each is accepted, one as it ends.

use std::convert::Infallible;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse::Event;
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::Door;
use super::error::Problem;
use super::events::{Sent, event, stream_of};
use super::executions::read_cursor;
use super::path::{Asked, Span};
use crate::dispatch::{Change, Watcher};
use crate::model::{ExecutionId, ExecutionState, Name, Timestamp};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Behind {
    /// The id of the last event that is known; without one, what happens from now on.
    #[param(pattern = r"^[0-9]{1,16}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    after: Option<String>,
    /// How long the stream lasts at most.
    #[serde(rename = "for")]
    #[param(value_type = Option<String>, format = "wait-text")]
    lasts: Option<Span>,
}

/// What an event says.
#[derive(Debug, Serialize)]
struct Told {
    id: ExecutionId,
    workflow: Name,
    /// `pending` where it was accepted, or how it has ended.
    state: ExecutionState,
    at: Timestamp,
}

/// Every execution as it is accepted and as it ends, on whatever host. A client that comes again gives the id of the last event
/// that it has seen; what happened within five seconds before that one is told again.
#[utoipa::path(
    get, path = "/v1/events", tag = "executions", operation_id = "follow_all",
    params(Behind, ("last-event-id" = Option<String>, Header, pattern = r"^[0-9]{1,16}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")),
    responses((status = 200, content_type = "text/event-stream", body = Sent)),
)]
pub(super) async fn follow(
    State(door): State<Door>,
    Asked(behind): Asked<Behind>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seen = headers.get("last-event-id").map(|id| id.to_str().map_err(Problem::malformed));
    let seen = seen.transpose()?.map(read_cursor).transpose()?;
    let after = behind.after.as_deref().map(read_cursor).transpose()?;
    let watcher = door.dispatch.watch(seen.or(after))?;
    Ok(stream_of(events(door, watcher), behind.lasts))
}

fn events(door: Door, watcher: Watcher) -> impl Stream<Item = Result<Event, Infallible>> {
    let pages = stream::unfold(Some((door, watcher)), async |watching| {
        let (door, mut watcher) = watching?;
        let changes = tokio::select! {
            changes = watcher.next() => changes,
            () = door.closing() => return None,
        };
        Some(match changes {
            Ok(changes) => (changes.into_iter().map(told).collect(), Some((door, watcher))),
            Err(error) => (vec![event(Event::default(), "problem", &Problem::from(error))], None),
        })
    });
    pages.flat_map(|events: Vec<Event>| stream::iter(events).map(Ok))
}

fn told(change: Change) -> Event {
    let Change { execution: id, workflow, state, at } = change;
    let cursor = format!("{}.{id}", at.as_micros());
    event(Event::default().id(cursor), "execution", &Told { id, workflow, state, at })
}
