//! Bodies: those that come in are timed and counted, those that go out say when they are through.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

use super::line::{Line, UnderWay};
use super::lines::count_end;

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(in crate::http) enum BodyFault {
    /// The client is too slow: it may send it again, and faster.
    #[error("the body came too slowly")]
    Slow {
        /// The limit.
        limit: &'static str,
    },
    /// Too much is on its way in: later there is room.
    #[error("too many bytes of bodies are on their way in")]
    Crowded,
    /// It broke off.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
}

/// A body that comes in, within the time that it has.
#[derive(Debug)]
pub(super) struct Paced {
    body: Incoming,
    line: Arc<Line>,
    /// Runs while nothing comes.
    pause: Option<Pin<Box<Sleep>>>,
    /// Runs from when it was first waited for.
    whole: Option<Pin<Box<Sleep>>>,
    counted: usize,
    ended: bool,
}

impl Paced {
    pub(super) fn new(body: Incoming, line: Arc<Line>) -> Self {
        let ended = body.is_end_stream();
        Self { body, line, pause: None, whole: None, counted: 0, ended }
    }

    /// The limit that it has gone beyond while nothing came.
    fn is_late(&mut self, cx: &mut Context<'_>) -> Option<&'static str> {
        let limits = &self.line.lines.limits;
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

    fn take_in(&mut self, bytes: usize) -> Result<(), BodyFault> {
        self.pause = None;
        self.counted = self.counted.saturating_add(bytes);
        if self.line.lines.take_in(bytes) { Ok(()) } else { Err(BodyFault::Crowded) }
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
            self.take_in(frame.data_ref().map_or(0, Bytes::len))?;
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
        self.line.lines.let_go(self.counted);
        if !self.ended {
            self.line.leave_unread();
        }
    }
}

/// A body that goes out, and with it the request.
#[derive(Debug)]
pub(super) struct Answer {
    body: Body,
    under_way: UnderWay,
}

impl Answer {
    pub(super) fn new(body: Body, under_way: UnderWay) -> Self {
        under_way.gives();
        Self { body, under_way }
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
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_ready() {
            self.under_way.gives();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
