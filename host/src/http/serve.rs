//! What all handlers share, and the layers that every request passes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::classify::ServerErrorsFailureClass;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::trace::TraceLayer;
use tracing::Span;

use super::access::{self, Access, Throttle};
use super::door::Tls;
use super::error::{self, Problem};
use super::health::HostState;
use super::metrics::{self, Census, Render};
use super::openapi::routes;
use super::web::Board;
use crate::dispatch::Dispatch;
use crate::model::History;

/// Shorter answers are not compressed.
const COMPRESSED_BYTES_MIN: u64 = 1_024;

/// What all handlers share. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    pub(super) dispatch: Dispatch,
    state: Arc<dyn Fn() -> HostState + Send + Sync>,
    pub(super) render: Render,
    pub(super) census: Arc<Mutex<Census>>,
    pub(super) access: Arc<Access>,
    pub(super) throttle: Arc<Throttle>,
    pub(super) board: Arc<Board>,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) closing: CancellationToken,
    pub(super) shut: CancellationToken,
    pub(super) requests: TaskTracker,
    /// One for each change that is being made.
    pub(super) changes: Arc<Semaphore>,
}

impl Door {
    /// A door to `dispatch`; `state` says where the host stands, and `render` what was counted.
    pub fn new(
        dispatch: Dispatch,
        state: impl Fn() -> HostState + Send + Sync + 'static,
        render: Render,
    ) -> Self {
        let changes = Arc::new(Semaphore::new(dispatch.limits().door.changes_max));
        Self {
            dispatch,
            changes,
            state: Arc::new(state),
            render,
            census: Arc::default(),
            access: Arc::default(),
            throttle: Arc::default(),
            board: Arc::default(),
            tls: None,
            closing: CancellationToken::new(),
            shut: CancellationToken::new(),
            requests: TaskTracker::new(),
        }
    }

    /// The same, guarded in that way.
    #[must_use]
    pub fn guarded(self, access: Access) -> Self {
        Self { access: Arc::new(access), ..self }
    }

    /// The same, for connections that are encrypted so, or not at all.
    #[must_use]
    pub fn encrypted(self, tls: Option<Tls>) -> Self {
        Self { tls: tls.map(Arc::new), ..self }
    }

    /// Its pages tell of this history.
    #[must_use]
    pub fn telling(mut self, history: Arc<History>) -> Self {
        self.board = Arc::new(Board::of(history));
        self
    }

    /// Takes no new connection, and has those that wait for a result answered.
    pub fn close(&self) {
        self.closing.cancel();
    }

    /// Drops every request where it stands.
    pub fn shut(&self) {
        self.closing.cancel();
        self.shut.cancel();
    }

    /// Returns when nothing is being changed any longer.
    pub async fn settled(&self) {
        self.requests.close();
        self.requests.wait().await;
    }

    /// How many requests are under way.
    pub fn requests(&self) -> usize {
        self.requests.len()
    }

    pub(super) fn state(&self) -> HostState {
        (self.state)()
    }

    /// Returns when the door is closing.
    pub(super) async fn closing(&self) {
        self.closing.cancelled().await;
    }

    /// All routes, answering.
    pub(super) fn router(self) -> Router {
        routes()
            .fallback(|request: Request| async move { Problem::no_route(request.uri().path()) })
            .method_not_allowed_fallback(|request: Request| async move {
                Problem::wrong_method(request.method(), request.uri().path())
            })
            .layer(from_fn_with_state(self.clone(), access::guard))
            .layer(from_fn_with_state(self.clone(), end_with_host))
            .layer(compressing())
            .layer(from_fn(gather))
            .layer(CatchPanicLayer::custom(error::after_panic))
            .layer(from_fn(metrics::measure))
            .layer(TraceLayer::new_for_http().make_span_with(span_of).on_failure(tell_failure))
            .with_state(self)
    }
}

/// Answers are compressed for those who take it, streams and small ones aside.
fn compressing() -> CompressionLayer<impl Predicate> {
    let worth_it = SizeAbove::new(COMPRESSED_BYTES_MIN);
    CompressionLayer::new().compress_when(worth_it.and(NotForContentType::SSE))
}

/// Has an answer compressed at once: half done, for a client that takes nothing of it, it would hold much more memory than it has
/// bytes.
async fn gather(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if !response.headers().contains_key(header::CONTENT_ENCODING) {
        return response;
    }
    let (parts, body) = response.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(whole) => Response::from_parts(parts, Body::from(whole)),
        Err(error) => {
            tracing::error!(cause = %error, "An answer could not be compressed");
            Problem::own_fault().into_response()
        }
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("state", &self.state()).finish_non_exhaustive()
    }
}

/// The server runs each connection in a task that outlives it, so each request looks to its own end.
async fn end_with_host(State(door): State<Door>, request: Request, next: Next) -> Response {
    let _under_way = door.requests.token();
    tokio::select! {
        response = next.run(request) => response,
        () = door.shut.cancelled() => Problem::stopping().into_response(),
    }
}

/// Of an address the path alone: somebody may have put a key into the query.
fn span_of(request: &Request) -> Span {
    let (method, path) = (request.method(), access::subject(request.uri()));
    tracing::debug_span!("request", %method, path, version = ?request.version())
}

/// A 503 is how the host says that it is busy, starts or stops: nobody has to act.
#[expect(clippy::needless_pass_by_value, reason = "the layer calls it with this signature")]
fn tell_failure(failure: ServerErrorsFailureClass, latency: Duration, _request: &Span) {
    if matches!(failure, ServerErrorsFailureClass::StatusCode(StatusCode::SERVICE_UNAVAILABLE)) {
        tracing::debug!(latency = ?latency, "A request was put off");
    } else {
        tracing::error!(failure = %failure, latency = ?latency, "A request could not be answered");
    }
}
