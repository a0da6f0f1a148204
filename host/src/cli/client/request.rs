//! What is asked, and what comes back.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use serde::Serialize;
use tokio::time::Sleep;
use url::Url;

use super::line::Fault;

/// How long a server may take to answer: the largest modules take a minute to compile.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(300);

pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A request.
#[derive(Debug)]
pub(in crate::cli) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) lasts: Duration,
}

impl Request {
    pub(super) fn new(method: Method, url: Url) -> Self {
        let (headers, body) = (HeaderMap::new(), whole(Bytes::new()));
        Self { method, url, headers, body, lasts: ANSWER_TIMEOUT }
    }

    /// With an order, as JSON.
    pub(in crate::cli) fn json(self, order: &impl Serialize) -> Self {
        let text = serde_json::to_vec(order).expect("an order has texts for names");
        self.body("application/json", whole(text.into()))
    }

    /// With bytes that come in pieces.
    pub(in crate::cli) fn pieces<S>(self, kind: &'static str, bytes: usize, pieces: S) -> Self
    where
        S: futures::Stream<Item = Bytes> + Send + 'static,
    {
        use futures::StreamExt;

        let pieces = pieces.map(|piece| Ok(Frame::data(piece)));
        let mut request = self.body(kind, StreamBody::new(pieces).boxed_unsync());
        request.headers.insert(CONTENT_LENGTH, bytes.into());
        request
    }

    /// What comes back may come for so long.
    pub(in crate::cli) fn lasting(self, lasts: Duration) -> Self {
        Self { lasts, ..self }
    }

    fn body(mut self, kind: &'static str, body: Body) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Self { body, ..self }
    }
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// What comes back, read as it comes.
#[derive(Debug)]
pub(in crate::cli) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Incoming,
    /// When it has lasted for too long.
    pub(super) over: Pin<Box<Sleep>>,
}

impl Response {
    /// The next piece; none at the end. Dropping the future loses nothing.
    pub(in crate::cli) async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            let frame = tokio::select! {
                frame = self.body.frame() => frame,
                () = &mut self.over => return Err(Fault::late()),
            };
            let Some(frame) = frame.transpose().map_err(|error| Fault::of(&error))? else {
                return Ok(None);
            };
            // What is no piece is a trailer, and says nothing to us.
            let Ok(piece) = frame.into_data() else { continue };
            return Ok(Some(piece));
        }
    }

    /// All of it.
    pub(super) async fn text(mut self) -> Result<String, Fault> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.chunk().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
