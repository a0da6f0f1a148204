//! The body of a request on its way out: counted, and bounded.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::runtime::Handle;
use wasmtime_wasi_http::{Error, WasiBody};

/// Why a body broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// It is longer than it may be.
    #[error("the body of the request is too long")]
    Long,
    /// The guest gave it up.
    #[error("the body of the request was given up")]
    GivenUp(#[source] Error),
}

/// A body that is counted.
pub(super) struct Counted {
    body: Kept,
    left: u64,
    crossed: Arc<AtomicU64>,
}

impl Counted {
    pub(super) fn new(body: Kept, bytes_max: u64, crossed: Arc<AtomicU64>) -> Self {
        Self { body, left: bytes_max, crossed }
    }
}

/// A body that is taken to its end, whether anybody wants it or not. Many clients write the whole body before they look at
/// the answer: were it closed under them, they would tell their guest of that, and not of what the answer says. It ends with
/// the attempt at the latest, because then nobody writes any more.
pub(super) struct Kept {
    body: Option<WasiBody>,
    io: Handle,
}

impl Kept {
    pub(super) fn new(body: WasiBody, io: Handle) -> Self {
        Self { body: Some(body), io }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(body) = self.body.take() {
            self.io.spawn(take_unwanted(body));
        }
    }
}

async fn take_unwanted(mut body: WasiBody) {
    while let Some(Ok(_unwanted)) = body.frame().await {}
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let Some(body) = &mut self.body.body else { return Poll::Ready(None) };
        let Some(frame) = std::task::ready!(Pin::new(body).poll_frame(context)) else {
            self.body.body = None;
            return Poll::Ready(None);
        };
        let frame = frame.map_err(Broken::GivenUp);
        let length = match &frame {
            Ok(frame) => frame.data_ref().map_or(0, Bytes::len) as u64,
            Err(_) => 0,
        };
        self.crossed.fetch_add(length, Ordering::Relaxed);
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(frame))
            }
            None => Poll::Ready(Some(Err(Broken::Long))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
