//! A stream lasts no longer than the key that it was opened with.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use futures::StreamExt;

use super::Door;

/// How often it is asked whether the key of a stream is still good. That is mostly answered from memory, which is renewed often
/// enough for the 5 s that are promised.
const ASKED_EVERY: Duration = Duration::from_millis(500);

/// The same answer; where it is a stream, it ends when the key is revoked or its session is over.
pub(super) fn while_known(door: &Door, key: String, response: Response) -> Response {
    let dispatch = door.dispatch.clone();
    until(response, async move {
        // That it cannot be asked ends no stream.
        while !matches!(dispatch.recognise(&key).await, Ok(None)) {
            tokio::time::sleep(ASKED_EVERY).await;
        }
    })
}

/// The same for who needed no key, and now does.
pub(super) fn while_open(door: &Door, response: Response) -> Response {
    let door = door.clone();
    until(response, async move {
        while !matches!(super::keys_in_force(&door).await, Ok(true)) {
            tokio::time::sleep(ASKED_EVERY).await;
        }
    })
}

fn until(response: Response, end: impl Future<Output = ()> + Send + 'static) -> Response {
    let content = response.headers().get(CONTENT_TYPE);
    if content.is_none_or(|content| content.as_bytes() != b"text/event-stream") {
        return response;
    }
    response.map(|body| Body::from_stream(body.into_data_stream().take_until(Box::pin(end))))
}
