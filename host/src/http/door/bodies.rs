//! Bodies: those that come in are timed and weighed, those that go out say when they are through.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

use super::line::{Line, UnderWay};
use super::lines::count_end;

/// Answers are given out in pieces of so many bytes at most.
const PIECE_BYTES: usize = 64 << 10;

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(in crate::http) enum BodyFault {
    /// The client is too slow: it may send it again, and faster.
    #[error("the body came too slowly")]
    Slow {
        /// The limit.
        limit: &'static str,
    },
    /// Too much comes in or is being acted on: later there is room.
    #[error("too many bytes of bodies are being read and acted on")]
    Crowded,
    /// It broke off.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
}

/// What has come in of a body. It counts until nobody holds this any longer: whoever reads the body, and whoever acts on what
/// was read.
#[derive(Debug, Clone)]
pub(in crate::http) struct Weight(Arc<Weighed>);

#[derive(Debug)]
struct Weighed {
    line: Arc<Line>,
    bytes: AtomicUsize,
}

impl Weight {
    pub(super) fn none(line: Arc<Line>) -> Self {
        Self(Arc::new(Weighed { line, bytes: AtomicUsize::new(0) }))
    }

    fn line(&self) -> &Line {
        &self.0.line
    }

    /// Takes bytes in, if all bodies together have room for them.
    fn add(&self, bytes: usize) -> Result<(), BodyFault> {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        if self.line().lines.take_in(bytes) { Ok(()) } else { Err(BodyFault::Crowded) }
    }
}

impl Drop for Weighed {
    fn drop(&mut self) {
        self.line.lines.let_go(*self.bytes.get_mut());
    }
}

/// A body that comes in, within the time that it has.
#[derive(Debug)]
pub(super) struct Paced {
    body: Incoming,
    weight: Weight,
    /// Runs while nothing comes.
    pause: Option<Pin<Box<Sleep>>>,
    /// Runs from when it was first waited for.
    whole: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

impl Paced {
    pub(super) fn new(body: Incoming, weight: Weight) -> Self {
        let ended = body.is_end_stream();
        Self { body, weight, pause: None, whole: None, ended }
    }

    /// The limit that it has gone beyond while nothing came.
    fn is_late(&mut self, cx: &mut Context<'_>) -> Option<&'static str> {
        let limits = &self.weight.0.line.lines.limits;
        let mut is_over = |timer: &mut Option<Pin<Box<Sleep>>>, timeout| {
            timer.get_or_insert_with(|| Box::pin(sleep(timeout))).as_mut().poll(cx).is_ready()
        };
        if is_over(&mut self.whole, limits.body_timeout) {
            Some("body_timeout")
        } else if is_over(&mut self.pause, limits.body_idle_timeout) {
            Some("body_idle_timeout")
        } else {
            None
        }
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => {
                let Some(limit) = self.is_late(cx) else { return Poll::Pending };
                count_end(limit);
                return Poll::Ready(Some(Err(BodyFault::Slow { limit })));
            }
            Poll::Ready(frame) => frame,
        };
        self.ended = frame.is_none() || self.body.is_end_stream();
        Poll::Ready(frame.map(|frame| {
            let frame = frame?;
            self.pause = None;
            self.weight.add(frame.data_ref().map_or(0, Bytes::len))?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Paced {
    fn drop(&mut self) {
        if !self.ended {
            self.weight.line().leave_unread();
        }
    }
}

/// A body that goes out, and with it the request, until the client has taken it.
///
/// It goes out in pieces, and its last byte by itself: by HTTP/2 a piece is taken where there is room for a byte of it, and then lies
/// where nobody counts it; the next one waits until the client has made room for all of it.
#[derive(Debug)]
pub(super) struct Answer {
    body: Body,
    under_way: UnderWay,
    line: Arc<Line>,
    /// How long it is, where that is known.
    bytes: usize,
    /// What was read of it and not given out.
    rest: Bytes,
}

impl Answer {
    pub(super) fn to(line: Arc<Line>, under_way: UnderWay, response: Response) -> Response<Self> {
        let bytes = length(response.body());
        line.lines.give_out(bytes);
        under_way.gives();
        response.map(|body| Self { body, under_way, line, bytes, rest: Bytes::new() })
    }
}

/// How long a body is that goes out, where that is known.
pub(super) fn length(body: &Body) -> usize {
    let exact = body.size_hint().exact();
    exact.map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.line.lines.gave_out(self.bytes);
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.under_way.is_asked();
        if self.rest.is_empty() {
            let frame = match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(frame) => frame.transpose()?,
            };
            self.under_way.gives();
            let Some(frame) = frame else { return Poll::Ready(None) };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        self.under_way.gives();
        let last_byte = usize::from(self.rest.len() > 1 && self.body.is_end_stream());
        let length = (self.rest.len() - last_byte).min(PIECE_BYTES);
        let piece = self.rest.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (of_body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(of_body.lower() + rest);
        hint
    }
}
