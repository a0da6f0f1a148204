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
use crate::model::{ExecutionState, Name, Stopwatch, Timestamp, metric};

/// The format of the answer.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How long the database may take: what this host counts itself is told all the same.
const ASKED_WITHIN: Duration = Duration::from_secs(2);
/// Queues are counted no more often than this,
const QUEUES_EVERY: Duration = Duration::from_secs(5);
/// and executions, of which there may be millions, no more often than that.
const EXECUTIONS_EVERY: Duration = Duration::from_secs(60);
/// Queues that are counted, by name,
const QUEUES_MAX: u32 = 1_000;
/// and those that are told under their names, the first ones that were met: what else there is has one name together.
const QUEUES_TOLD_MAX: usize = 100;
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
    /// Queues that are told under their names: one that is gone is told to be empty.
    told: BTreeSet<Name>,
    /// Whether there were more.
    told_others: bool,
}

/// Everything that this host counts.
#[utoipa::path(
    get, path = "/metrics", tag = "host", operation_id = "metrics",
    responses((status = 200, description = "For Prometheus", content_type = "text/plain", body = String)),
)]
pub(super) async fn tell(State(door): State<Door>) -> Response {
    door.take_census().await;
    ([(header::CONTENT_TYPE, PROMETHEUS)], (door.render)()).into_response()
}

impl Door {
    /// Has what is known elsewhere counted as it is now: by the database, its pool, and the way to other hosts. Where the database
    /// does not answer within 2 s, what it knows stays as it was.
    pub async fn take_census(&self) {
        ask(&self.dispatch, &self.census).await;
    }
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
            self.queues_to_tell(rows).iter().for_each(|row| tell_queue(row, now));
            let hosts = dispatch.hosts(HOSTS_MAX).await?;
            let alive = hosts.iter().filter(|host| host.alive).count();
            gauge!(metric::HOSTS.name).set(metric::float(alive));
            self.queues_at = Some(Stopwatch::start());
        }
        if is_due(self.executions_at, EXECUTIONS_EVERY) {
            // Also where it takes too long: asked for at every scrape it would never end.
            self.executions_at = Some(Stopwatch::start());
            let counts = dispatch.counts().await?;
            for state in ExecutionState::ALL {
                let count = counts.executions.iter().find(|(of, _)| *of == state);
                let count = metric::float(count.map_or(0, |(_, count)| *count));
                gauge!(metric::EXECUTIONS.name, "state" => state.as_str()).set(count);
            }
            gauge!(metric::PARKED.name).set(metric::float(counts.parked));
            gauge!(metric::DEAD_LETTERS.name).set(metric::float(counts.dead_letters));
        }
        Ok(())
    }

    /// What is to be told of queues, when these are all.
    fn queues_to_tell(&mut self, rows: Vec<QueueRow>) -> Vec<QueueRow> {
        let mut gone = self.told.clone();
        let mut others = QueueRow::empty(Name::new(metric::OTHER).expect("it is a name"));
        let mut tell = Vec::new();
        for row in rows {
            gone.remove(&row.name);
            let has_room = self.told.len() < QUEUES_TOLD_MAX;
            if self.told.contains(&row.name) || (has_room && self.told.insert(row.name.clone())) {
                tell.push(row);
            } else {
                self.told_others = true;
                others.add(&row);
            }
        }
        tell.extend(gone.into_iter().map(QueueRow::empty));
        tell.extend(self.told_others.then_some(others));
        tell
    }
}

fn is_due(last: Option<Stopwatch>, every: Duration) -> bool {
    last.is_none_or(|last| last.seconds() >= every.as_secs_f64())
}

fn tell_queue(row: &QueueRow, now: Timestamp) {
    let oldest = row.waits_since().map(|since| now.since(since));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(name: &str, waiting: u64) -> QueueRow {
        QueueRow { waiting, ..QueueRow::empty(Name::new(name).unwrap()) }
    }

    #[test]
    fn queues_beyond_a_bound_have_one_name_together() {
        let mut census = Census::default();
        let rows = (0..QUEUES_TOLD_MAX + 3).map(|number| queue(&format!("q-{number:03}"), 7));
        let told = |rows: Vec<QueueRow>| {
            rows.iter().map(|row| (row.name.to_string(), row.waiting)).collect::<Vec<_>>()
        };

        let full = told(census.queues_to_tell(rows.collect()));
        let later = told(census.queues_to_tell(vec![queue("a-first", 5)]));

        assert_eq!(full.len(), QUEUES_TOLD_MAX + 1);
        assert_eq!(full.last(), Some(&("other".to_owned(), 21)));
        assert_eq!(later.first(), Some(&("q-000".to_owned(), 0)));
        assert_eq!((later.len(), later.last()), (full.len(), Some(&("other".to_owned(), 5))));
    }
}
