//! What this host counts, for Prometheus.
//!
//! Most of it is counted where it happens. What only the database knows is asked for when somebody looks, and not too often.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::{counter, gauge, histogram};
use tokio::sync::Mutex;

use super::Door;
use crate::dispatch::{Dispatch, DispatchError, NotifierHealth, QueueRow};
use crate::model::{ExecutionState, Name, Stopwatch, metric};

/// The format of the answer.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How long the database may take: what this host counts itself is told all the same.
const ASKED_WITHIN: Duration = Duration::from_secs(2);
/// Queues are counted no more often than this,
const QUEUES_EVERY: Duration = Duration::from_secs(5);
/// and executions, of which there may be millions, no more often than that.
const EXECUTIONS_EVERY: Duration = Duration::from_secs(60);
/// Queues that are told, by name.
const QUEUES_MAX: u32 = 100;
/// Hosts that are looked at.
const HOSTS_MAX: u32 = 1_000;

/// Methods that are counted by name.
const KNOWN_METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// Renders what was counted.
pub type Render = Arc<dyn Fn() -> String + Send + Sync>;

/// What was asked of the database last.
#[derive(Debug, Default)]
pub(super) struct Census {
    queues_at: Option<Stopwatch>,
    executions_at: Option<Stopwatch>,
    /// Queues that were told: one that is gone is told to be empty.
    told: BTreeSet<Name>,
}

/// Everything that this host counts.
pub(super) async fn tell(State(door): State<Door>) -> Response {
    ask(&door.dispatch, &door.census).await;
    ([(header::CONTENT_TYPE, PROMETHEUS)], (door.render)()).into_response()
}

async fn ask(dispatch: &Dispatch, census: &Mutex<Census>) {
    let connected = dispatch.notifier_health();
    let is_connected = !matches!(connected, NotifierHealth::Lost { .. });
    gauge!(metric::NOTIFIER_CONNECTED.name).set(f64::from(u8::from(is_connected)));
    let pool = dispatch.pool();
    gauge!(metric::POOL_CONNECTIONS.name, "state" => "busy").set(f64::from(pool.busy));
    gauge!(metric::POOL_CONNECTIONS.name, "state" => "idle").set(f64::from(pool.idle));
    let asking = async { census.lock().await.look(dispatch).await };
    match tokio::time::timeout(ASKED_WITHIN, asking).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let cause: &dyn std::error::Error = &error;
            tracing::warn!(error = cause, "What the cluster has could not be counted");
        }
        Err(_late) => tracing::warn!("What the cluster has could not be counted in time"),
    }
}

impl Census {
    async fn look(&mut self, dispatch: &Dispatch) -> Result<(), DispatchError> {
        if is_due(self.queues_at, QUEUES_EVERY) {
            let now = dispatch.now();
            let rows = dispatch.queues(QUEUES_MAX).await?;
            let names: BTreeSet<Name> = rows.iter().map(|row| row.name.clone()).collect();
            rows.iter().for_each(|row| tell_queue(row, row.oldest_at.map(|at| now.since(at))));
            for gone in self.told.difference(&names) {
                tell_queue(&QueueRow::empty(gone.clone()), None);
            }
            self.told = names;
            let hosts = dispatch.hosts(HOSTS_MAX).await?;
            let alive = hosts.iter().filter(|host| host.alive).count();
            gauge!(metric::HOSTS.name).set(metric::float(alive));
            self.queues_at = Some(Stopwatch::start());
        }
        if is_due(self.executions_at, EXECUTIONS_EVERY) {
            let counts = dispatch.counts().await?;
            for state in ExecutionState::ALL {
                let count = counts.executions.iter().find(|(of, _)| *of == state);
                let count = metric::float(count.map_or(0, |(_, count)| *count));
                gauge!(metric::EXECUTIONS.name, "state" => state.as_str()).set(count);
            }
            gauge!(metric::DEAD_LETTERS.name).set(metric::float(counts.dead_letters));
            self.executions_at = Some(Stopwatch::start());
        }
        Ok(())
    }
}

fn is_due(last: Option<Stopwatch>, every: Duration) -> bool {
    last.is_none_or(|last| last.seconds() >= every.as_secs_f64())
}

fn tell_queue(row: &QueueRow, oldest: Option<Duration>) {
    let waiting = row.waiting.saturating_sub(row.blocked);
    for (state, count) in [
        ("waiting", waiting),
        ("blocked", row.blocked),
        ("running", row.running),
        ("pending", row.executions),
    ] {
        let labels = [("queue", row.name.to_string()), ("state", state.to_owned())];
        gauge!(metric::QUEUE_DEPTH.name, &labels).set(metric::float(count));
    }
    let labels = [("queue", row.name.to_string())];
    gauge!(metric::QUEUE_OLDEST.name, &labels).set(oldest.unwrap_or_default().as_secs_f64());
}

/// Counts what is answered and measures how long it took.
pub(super) async fn measure(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    // What no route matches has one name, or anybody could make a thousand.
    let route = route.map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().as_str();
    let is_known = KNOWN_METHODS.iter().find(|known| **known == method);
    let method = is_known.copied().unwrap_or(metric::OTHER);
    let watch = Stopwatch::start();
    let response = next.run(request).await;
    let status = response.status().as_str().to_owned();
    let labels = [("method", method.to_owned()), ("route", route)];
    histogram!(metric::HTTP_DURATION.name, &labels).record(watch.seconds());
    let [method, route] = labels;
    counter!(metric::HTTP_REQUESTS.name, &[method, route, ("status", status)]).increment(1);
    response
}
