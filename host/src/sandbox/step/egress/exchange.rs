//! One request and its response, on the threads that do I/O.

use std::error::Error as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::CONTENT_ENCODING;
use hyper::http::{Request, Response};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, WasiBody};

use super::order::Destination;
use super::outgoing::{Broken, Counted, Kept};
use super::refusal::Refusal;
use super::scrub::Scrubber;
use super::{Links, Patience, connect, order};
use crate::sandbox::step::secret::Placed;

/// Pieces of a response that wait for the guest.
const PIECES_MAX: usize = 2;
/// The most headers of a response.
const HEADERS_MAX: usize = 128;
/// The least that the client can be told to buffer.
const BUFFER_BYTES_MIN: usize = 8 << 10;

/// Everything that one request needs beside itself.
pub(super) struct Exchange {
    pub(super) to: Destination,
    pub(super) links: Arc<Links>,
    pub(super) patience: Patience,
    pub(super) at_once: Arc<Semaphore>,
    /// Bytes that have crossed, for the guest's fuel.
    pub(super) crossed: Arc<AtomicU64>,
    /// The secrets that its body may hold.
    pub(super) in_body: Vec<Placed>,
    pub(super) scrubber: Scrubber,
    /// Some secret may be sent there, so nothing may come back that cannot be looked through.
    pub(super) is_secretive: bool,
}

type Sent = UnsyncBoxBody<Bytes, Broken>;
type Piece = Result<Frame<Bytes>, Error>;
type Pieces = mpsc::Sender<Piece>;
type Head = oneshot::Sender<Result<Response<WasiBody>, Error>>;

impl Exchange {
    /// Sends a request, hands the head of its response over, and then the body piece by piece.
    pub(super) async fn run(mut self, request: Request<Kept>, head: Head) {
        let mut whole = std::pin::pin!(tokio::time::sleep(self.patience.whole));
        let mut driving = JoinSet::new();
        let opened = tokio::select! {
            opened = self.open(request, &mut driving) => opened,
            () = &mut whole => Err(self.late()),
        };
        let (parts, body) = match opened {
            Ok(response) => response.into_parts(),
            Err(refusal) => return told(head, Err(refusal.into())),
        };
        let (pieces, piped) = mpsc::channel(PIECES_MAX);
        let piped = Piped(piped).boxed_unsync();
        told(head, Ok(Response::from_parts(parts, piped)));
        let pumped = tokio::select! {
            pumped = self.pump(body, &pieces) => pumped,
            () = &mut whole => Err(self.late()),
        };
        if let Err(refusal) = pumped {
            let _unheard = pieces.send(Err(refusal.into())).await;
        }
    }

    fn late(&self) -> Refusal {
        let max = self.links.limits.request_timeout.as_millis();
        Refusal::limit("request_timeout", &format!("the request to {}", self.to), max, "ms")
    }

    /// Until the head of the response.
    async fn open(
        &mut self,
        request: Request<Kept>,
        driving: &mut JoinSet<()>,
    ) -> Result<Response<Incoming>, Refusal> {
        let at_once = Arc::clone(&self.at_once);
        let permit = at_once.acquire_owned().await;
        let permit = permit.map_err(|_closed| Refusal::Weather(Error::ConnectionTerminated))?;
        let request = self.bounded(request).await?;
        let connecting = connect::connect(&self.links, &self.to);
        let stream = timeout(self.patience.connect, connecting).await;
        let stream = stream.map_err(|_late| Refusal::Weather(Error::ConnectionTimeout))??;
        let (mut sender, connection) = http1::Builder::new()
            .max_headers(HEADERS_MAX)
            .max_buf_size(self.links.limits.header_bytes_max.max(BUFFER_BYTES_MIN))
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.blamed(&error))?;
        driving.spawn(async move {
            // What breaks the connection is told to whoever waits for its response.
            let _told = connection.await;
            drop(permit);
        });
        let answered = timeout(self.patience.first_byte, sender.send_request(request)).await;
        let response = answered
            .map_err(|_late| Refusal::Weather(Error::HttpResponseTimeout))?
            .map_err(|error| self.blamed(&error))?;
        self.examined(response)
    }

    /// The request with a body that goes no further than it may. One that may hold secrets is read as a whole.
    async fn bounded(&self, request: Request<Kept>) -> Result<Request<Sent>, Refusal> {
        let max = self.links.limits.request_body_bytes_max;
        let (mut parts, body) = request.into_parts();
        let body = Counted::new(body, max, Arc::clone(&self.crossed));
        if self.in_body.is_empty() {
            return Ok(Request::from_parts(parts, body.boxed_unsync()));
        }
        let read = body.collect().await.map_err(|broken| self.broken(&broken))?;
        let bytes_max = usize::try_from(max).unwrap_or(usize::MAX);
        let whole = order::put_in_body(Vec::from(read.to_bytes()), &self.in_body, bytes_max)
            .ok_or_else(|| self.broken(&Broken::Long))?;
        order::set_length(&mut parts.headers, whole.len());
        let whole = Full::new(Bytes::from(whole)).map_err(|never| match never {});
        Ok(Request::from_parts(parts, whole.boxed_unsync()))
    }

    /// The head of a response, bounded and clean.
    fn examined(&self, mut response: Response<Incoming>) -> Result<Response<Incoming>, Refusal> {
        let max = self.links.limits.header_bytes_max;
        if order::header_bytes(None, response.headers()) > max {
            let what = format!("the head of the response of {}", self.to);
            return Err(Refusal::limit("header_bytes_max", &what, max as u128, "bytes"));
        }
        let mut codings = response.headers().get_all(CONTENT_ENCODING).iter();
        if self.is_secretive && codings.any(|coding| coding != "identity") {
            let what = format!(
                "{} answered in a compressed form that was not asked for: where a secret may be sent, what comes back \
                 must be readable",
                self.to
            );
            return Err(Refusal::Invalid(what));
        }
        self.scrubber.clean(response.headers_mut());
        Ok(response)
    }

    /// The body of the response, to its end or until nobody reads it.
    async fn pump(&mut self, mut body: Incoming, pieces: &Pieces) -> Result<(), Refusal> {
        let mut left = self.links.limits.response_body_bytes_max;
        loop {
            let frame = tokio::select! {
                frame = timeout(self.patience.between_bytes, body.frame()) => frame,
                () = pieces.closed() => return Ok(()),
            };
            let frame = frame.map_err(|_late| Refusal::Weather(Error::ConnectionReadTimeout))?;
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|error| self.blamed(&error))?;
            let length = frame.data_ref().map_or(0, Bytes::len) as u64;
            left = left.checked_sub(length).ok_or_else(|| self.long())?;
            self.crossed.fetch_add(length, Ordering::Relaxed);
            if hand_on(pieces, self.cleaned(frame)).await.is_err() {
                return Ok(());
            }
        }
        let rest = self.scrubber.finish();
        if !rest.is_empty() {
            let _unread = pieces.send(Ok(Frame::data(rest))).await;
        }
        Ok(())
    }

    /// What of a piece may go on now.
    fn cleaned(&mut self, frame: Frame<Bytes>) -> impl Iterator<Item = Frame<Bytes>> + use<> {
        let frames = match frame.into_data() {
            Ok(data) => [Some(self.scrubber.pass(data)).filter(|data| !data.is_empty()), None]
                .map(|data| data.map(Frame::data)),
            Err(other) => {
                let rest = Some(self.scrubber.finish()).filter(|rest| !rest.is_empty());
                let trailers = other.into_trailers().ok().map(|mut trailers| {
                    self.scrubber.clean(&mut trailers);
                    Frame::trailers(trailers)
                });
                [rest.map(Frame::data), trailers]
            }
        };
        frames.into_iter().flatten()
    }

    fn long(&self) -> Refusal {
        let max = u128::from(self.links.limits.response_body_bytes_max);
        let what = format!("the body of the response of {}", self.to);
        Refusal::limit("response_body_bytes_max", &what, max, "bytes")
    }

    fn broken(&self, broken: &Broken) -> Refusal {
        match broken {
            Broken::Long => {
                let max = u128::from(self.links.limits.request_body_bytes_max);
                let what = format!("the body of the request to {}", self.to);
                Refusal::limit("request_body_bytes_max", &what, max, "bytes")
            }
            Broken::GivenUp(error) => Refusal::Invalid(format!("its body broke off: {error}")),
        }
    }

    /// What the client's error means for the guest. Its own text may hold what was sent.
    fn blamed(&self, error: &hyper::Error) -> Refusal {
        let broken = error.source().and_then(|cause| cause.downcast_ref::<Broken>());
        if let Some(broken) = broken {
            return self.broken(broken);
        }
        if error.is_parse_too_large() {
            let max = self.links.limits.header_bytes_max as u128;
            let what = format!("the head of the response of {}", self.to);
            return Refusal::limit("header_bytes_max", &what, max, "bytes");
        }
        Refusal::Weather(match error {
            error if error.is_incomplete_message() => Error::HttpResponseIncomplete,
            error if error.is_parse() => Error::HttpProtocolError,
            _ => Error::ConnectionTerminated,
        })
    }
}

/// Fails where nobody reads any more.
async fn hand_on(
    pieces: &Pieces,
    frames: impl Iterator<Item = Frame<Bytes>>,
) -> Result<(), mpsc::error::SendError<Piece>> {
    for frame in frames {
        pieces.send(Ok(frame)).await?;
    }
    Ok(())
}

/// Where the guest no longer waits there is nobody to tell.
fn told(head: Head, answer: Result<Response<WasiBody>, Error>) {
    let _unheard = head.send(answer);
}

/// The body of a response as it arrives.
struct Piped(mpsc::Receiver<Piece>);

impl Body for Piped {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        self.0.poll_recv(context)
    }
}
