//! A journal as server-sent events: one an entry, as it is written.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Door;
use super::error::Problem;
use super::journal::Line;
use super::path::{Asked, Named, Span, place};
use crate::dispatch::{Entry, Followed, Follower};
use crate::model::{ExecutionId, ExecutionState, Seq};

/// How long a stream is silent at most, so that nobody in between takes it for dead.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15);
/// Tells a proxy not to keep events back until it has many.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Behind {
    /// The seq of the last entry that is known.
    #[serde(default, deserialize_with = "place")]
    #[param(maximum = 9_223_372_036_854_775_807_i64)]
    after: u64,
    /// How long the stream lasts at most.
    #[serde(rename = "for")]
    #[param(value_type = Option<String>, format = "duration-text")]
    lasts: Option<Span>,
}

/// An event as the wire has it.
#[derive(Debug, ToSchema)]
#[schema(as = ServerSentEvent)]
#[expect(dead_code, reason = "it is the description of a line of the stream")]
pub(super) struct Sent {
    /// By which a client that comes again says what it has seen.
    #[schema(required = false)]
    id: String,
    /// What `data` is.
    event: String,
    /// JSON.
    data: String,
}

#[derive(Debug, Serialize)]
struct End {
    state: ExecutionState,
}

/// Every entry behind the last that the client has seen, those to come as they come, and an end when the execution has one.
#[utoipa::path(
    get, path = "/v1/executions/{id}/events", tag = "executions", operation_id = "follow_execution",
    params(("id" = ExecutionId, Path), Behind, ("last-event-id" = Option<u64>, Header, maximum = 9_223_372_036_854_775_807_i64)),
    responses((status = 200, content_type = "text/event-stream", body = Sent)),
)]
pub(super) async fn follow(
    State(door): State<Door>,
    Named(id): Named<ExecutionId>,
    Asked(behind): Asked<Behind>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = last_seen(&headers)?.unwrap_or(behind.after);
    let follower = door.dispatch.follow(id, Seq(after)).await?;
    Ok(stream_of(events(door, follower), behind.lasts))
}

/// Events as they come, until there are no more or the time is over.
pub(super) fn stream_of(
    events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static,
    lasts: Option<Span>,
) -> Response {
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE_EVERY);
    let over = async move {
        match lasts {
            Some(Span(lasts)) => tokio::time::sleep(lasts).await,
            None => std::future::pending().await,
        }
    };
    let events = events.take_until(Box::pin(over));
    ([UNBUFFERED], Sse::new(events).keep_alive(keep_alive)).into_response()
}

/// What a client says that comes again. It comes to the address it came to at first, so this goes before what that says.
fn last_seen(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(given) = headers.get("last-event-id") else { return Ok(None) };
    let seq = given.to_str().ok().and_then(|text| text.parse().ok());
    let seq = seq.filter(|seq| i64::try_from(*seq).is_ok());
    seq.map(Some).ok_or_else(|| {
        Problem::malformed("the header Last-Event-ID is no seq: it is the id of an event")
    })
}

/// A page of entries is held at a time, and the next is read when its events are on their way.
fn events(door: Door, follower: Follower) -> impl Stream<Item = Result<Event, Infallible>> {
    let pages = stream::unfold(Some((door, follower)), async |following| {
        let (door, mut follower) = following?;
        let followed = tokio::select! {
            followed = follower.next() => followed,
            () = door.closing() => return None,
        };
        Some(match followed {
            Ok(Followed::Entries(entries)) => {
                (entries.into_iter().map(entry).collect(), Some((door, follower)))
            }
            Ok(Followed::Ended(state)) => {
                (vec![event(Event::default(), "end", &End { state })], None)
            }
            Err(error) => (vec![event(Event::default(), "problem", &Problem::from(error))], None),
        })
    });
    pages.flat_map(|events: Vec<Event>| stream::iter(events).map(Ok))
}

fn entry(entry: Entry) -> Event {
    let line = Line::from(entry);
    event(Event::default().id(line.seq.to_string()), line.kind, &line)
}

/// One line of data, whatever line ends a payload was written with: within JSON they stand between its parts only.
pub(super) fn event(event: Event, kind: &str, told: &impl Serialize) -> Event {
    let mut data = serde_json::to_string(told).expect("what is told has text keys only");
    data.retain(|letter| !matches!(letter, '\r' | '\n'));
    event.event(kind).data(data)
}
