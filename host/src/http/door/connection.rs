//! One connection, from its handshake to its end.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, StatusCode, Version, header};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::bodies::{Answer, Paced, Weight, length};
use super::line::Line;
use super::lines::{Seat, count_end};
use super::stream::Watched;
use super::tls::Tls;
use crate::http::error::Problem;
use crate::model::DoorLimits;

/// An answer of so many bytes is about as long as one that says that there is no room.
const SHORT_BYTES: usize = 4 << 10;

/// What all connections of a door share.
#[derive(Debug, Clone)]
pub(super) struct Reception {
    builder: Builder<OnTracker>,
    router: Router,
    tls: Option<Arc<Tls>>,
    closing: CancellationToken,
}

/// Requests by HTTP/2 have a task each, which the door owns.
#[derive(Debug, Clone)]
struct OnTracker(TaskTracker);

impl<F> Executor<F> for OnTracker
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, request: F) {
        self.0.spawn(request);
    }
}

impl Reception {
    pub(super) fn new(
        limits: &DoorLimits,
        tasks: &TaskTracker,
        router: Router,
        tls: Option<Arc<Tls>>,
        closing: CancellationToken,
    ) -> Self {
        let mut builder = Builder::new(OnTracker(tasks.clone()));
        let header_bytes_max = u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX);
        builder.http1().max_headers(limits.headers_max).max_buf_size(limits.header_bytes_max);
        builder
            .http2()
            .max_concurrent_streams(limits.streams_max)
            .max_header_list_size(header_bytes_max)
            .max_pending_accept_reset_streams(limits.resets_max)
            .timer(TokioTimer::new())
            .keep_alive_interval(limits.ping_every)
            .keep_alive_timeout(limits.ping_timeout);
        Self { builder, router, tls, closing }
    }

    /// Serves a connection until it ends, or has to.
    pub(super) async fn attend(self, stream: TcpStream, peer: SocketAddr, seat: Seat) {
        let line = Arc::clone(&seat.line);
        let Some(tls) = &self.tls else { return self.talk(stream, peer, line).await };
        let within = line.lines.limits.handshake_timeout;
        let greeted = tokio::select! {
            greeted = timeout(within, tls.acceptor().accept(stream)) => greeted,
            () = line.end.cancelled() => return,
            () = self.closing.cancelled() => return,
        };
        match greeted {
            Ok(Ok(stream)) => self.talk(stream, peer, line).await,
            Ok(Err(error)) => tracing::debug!(%peer, cause = %error, "No TLS was agreed upon"),
            Err(_late) => count_end("handshake_timeout"),
        }
    }

    async fn talk<S>(&self, stream: S, peer: SocketAddr, line: Arc<Line>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let linger = line.lines.limits.linger;
        let visit = Visit { router: self.router.clone(), line: Arc::clone(&line), peer };
        let stream = TokioIo::new(Watched::new(stream, Arc::clone(&line)));
        let mut talk = pin!(self.builder.serve_connection(stream, visit));
        let mut overdue = pin!(line.overdue());
        let mut is_closing = false;
        let late = loop {
            tokio::select! {
                ended = talk.as_mut() => return note(peer, ended),
                () = line.end.cancelled() => return,
                late = overdue.as_mut() => break late,
                () = self.closing.cancelled(), if !is_closing => {}
            }
            is_closing = true;
            talk.as_mut().graceful_shutdown();
        };
        count_end(late.name());
        talk.as_mut().graceful_shutdown();
        if let Ok(ended) = timeout(linger, talk).await {
            note(peer, ended);
        }
    }
}

/// Clients go as they like, and send what they like: nobody has to act.
fn note(peer: SocketAddr, ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = ended {
        tracing::debug!(%peer, cause = %error, "A connection broke off");
    }
}

/// The same answer, or a short one where there is no room for it. One that is short itself takes no more.
fn if_room(line: &Line, response: axum::response::Response) -> axum::response::Response {
    let bytes = length(response.body());
    if bytes <= SHORT_BYTES || line.lines.has_room_for(bytes) {
        return response;
    }
    count_end("answers_bytes_max");
    Problem::busy("answers_bytes_max").into_response()
}

/// What answers the requests of a connection.
#[derive(Debug)]
struct Visit {
    router: Router,
    line: Arc<Line>,
    peer: SocketAddr,
}

impl Service<Request<Incoming>> for Visit {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answer>, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let (under_way, beyond) = self.line.begin();
        let version = request.version();
        if version == Version::HTTP_2 {
            self.line.is_http2();
        }
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let (line, weight) = (Arc::clone(&self.line), Weight::none(Arc::clone(&self.line)));
        request.extensions_mut().insert(weight.clone());
        let request = request.map(|body| Body::new(Paced::new(body, weight)));
        if let Some(limit) = beyond {
            count_end(limit);
            let refused = Problem::busy(limit).into_response();
            return Box::pin(async { Ok(Answer::to(line, under_way, refused)) });
        }
        let is_safe = request.method().is_safe();
        let answering = self.router.clone().oneshot(request);
        Box::pin(async move {
            let mut response = answering.await?;
            if response.status() == StatusCode::REQUEST_TIMEOUT && version != Version::HTTP_2 {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            // What was changed is told, however little room there is.
            if is_safe {
                response = if_room(&line, response);
            }
            Ok(Answer::to(line, under_way, response))
        })
    }
}
