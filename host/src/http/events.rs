//! A journal as server-sent events: one an entry, as it is written.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::Door;
use super::error::Problem;
use super::journal::Line;
use super::path::{Asked, Named};
use crate::dispatch::{Entry, Followed, Follower};
use crate::model::{ExecutionId, ExecutionState, Seq};

/// How long a stream is silent at most, so that nobody in between takes it for dead.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15);
/// Tells a proxy not to keep events back until it has many.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Behind {
    #[serde(default)]
    after: u64,
}

#[derive(Debug, Serialize)]
struct End {
    state: ExecutionState,
}

/// Every entry behind the last that the client has seen, those to come as they come, and an end when the execution has one.
pub(super) async fn follow(
    State(door): State<Door>,
    Named(id): Named<ExecutionId>,
    Asked(behind): Asked<Behind>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = last_seen(&headers)?.unwrap_or(behind.after);
    let follower = door.dispatch.follow(id, Seq(after)).await?;
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE_EVERY);
    Ok(([UNBUFFERED], Sse::new(events(door, follower)).keep_alive(keep_alive)).into_response())
}

/// What a client says that comes again. It comes to the address it came to at first, so this goes before what that says.
fn last_seen(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(given) = headers.get("last-event-id") else { return Ok(None) };
    let seq = given.to_str().ok().and_then(|text| text.parse().ok());
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
fn event(event: Event, kind: &str, told: &impl Serialize) -> Event {
    let mut data = serde_json::to_string(told).expect("what is told has text keys only");
    data.retain(|letter| !matches!(letter, '\r' | '\n'));
    event.event(kind).data(data)
}
