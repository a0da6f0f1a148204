//! The lives of a host: one incarnation after the other, within one process.
//!
//! A host that was declared dead drops everything and goes on as a new incarnation. One whose lease lapsed does the same as
//! the one it was, if nobody has declared it dead meanwhile: what the rows say is its own is taken up again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::dispatch::{Dispatch, Identity};
use crate::model::{Clock, History, HostId, Ids, Lease, Limits, Tracer};
use crate::notify::Notifier;
use crate::sandbox::Sandbox;
use crate::store::{
    ClaimFilter, Committer, CommitterPlace, NewHost, Snapshot, Store, StoreError, Streak,
};
use crate::worker::{self, Past, Polling, Worker, WorkerState};

/// How soon the database is asked again whether this host still lives.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// What every incarnation of a process has in common.
#[derive(Debug)]
pub(super) struct Estate {
    pub(super) store: Arc<dyn Store>,
    pub(super) sandbox: Sandbox,
    pub(super) notifier: Arc<dyn Notifier>,
    /// What this process did of late, whatever it was called.
    pub(super) history: Arc<History>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn Ids>,
    pub(super) tracer: Arc<dyn Tracer>,
    pub(super) limits: Limits,
    pub(super) filter: ClaimFilter,
    pub(super) polling: Polling,
    /// None where the store is this process's alone.
    pub(super) lease: Option<Lease>,
    /// What people call the host.
    pub(super) name: String,
    /// What its connections are called.
    pub(super) session: String,
    pub(super) commits: Handle,
    pub(super) lease_threads: Handle,
    pub(super) state: watch::Sender<WorkerState>,
}

/// One incarnation at work.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) worker: Worker,
    committer: Halt,
}

/// How a committer is ended.
#[derive(Debug)]
struct Halt {
    tracker: TaskTracker,
    stop: CancellationToken,
}

/// An incarnation that is alive in the store and does nothing yet.
#[derive(Debug)]
pub(super) struct Newborn {
    host: HostId,
    past: Past,
    committer: Committer,
    births: mpsc::Receiver<Snapshot>,
    halt: Halt,
}

impl Newborn {
    /// In whose name orders are written from here on.
    pub(super) fn identity(&self) -> Identity {
        Identity { host: self.host, committer: self.committer.clone() }
    }
}

impl Estate {
    /// Enters a new incarnation as alive.
    pub(super) async fn register(&self) -> Result<HostId, StoreError> {
        let host = NewHost {
            id: self.ids.host(),
            name: self.name.clone(),
            lease: self.lease,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            session: self.session.clone(),
            started_at: self.clock.now(),
            queues: self.filter.queues.clone(),
            tags: self.filter.tags.clone(),
        };
        let now = self.store.register(&host).await?;
        self.clock.follow(now);
        Ok(host.id)
    }

    /// Prepares what an incarnation writes through.
    pub(super) fn prepare(&self, host: HostId, past: Past) -> Newborn {
        let halt = Halt { tracker: TaskTracker::new(), stop: CancellationToken::new() };
        let place = CommitterPlace {
            threads: &self.commits,
            tracker: &halt.tracker,
            stop: halt.stop.clone(),
        };
        let (committer, births) =
            Committer::start(Arc::clone(&self.store), host, &self.limits, place);
        halt.tracker.close();
        Newborn { host, past, committer, births, halt }
    }

    /// Has an incarnation take work.
    pub(super) fn begin(&self, newborn: Newborn, dispatch: &Dispatch) -> Life {
        let Newborn { host, past, committer, births, halt } = newborn;
        let parts = worker::Parts {
            store: Arc::clone(&self.store),
            committer,
            births,
            sandbox: self.sandbox.clone(),
            notifier: Arc::clone(&self.notifier),
            history: Arc::clone(&self.history),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            tracer: Arc::clone(&self.tracer),
            limits: self.limits.clone(),
            filter: self.filter.clone(),
            planner: Arc::new(dispatch.clone()),
            host,
            lease: self.lease,
            lease_threads: self.lease_threads.clone(),
            past,
            polling: self.polling,
        };
        Life { worker: Worker::start(parts, self.state.clone()), committer: halt }
    }

    /// Whether an incarnation still lives, however long the database takes to say so; where it does not, another one is
    /// entered.
    async fn survivor(&self, host: HostId) -> (HostId, Past) {
        loop {
            // What it still has under way must have ended before anything is read.
            let renewed = match self.store.await_end(host).await {
                Ok(()) => self.store.renew(host, Streak::Broken).await.map(|_renewal| ()),
                Err(error) => Err(error),
            };
            let found = match renewed {
                Ok(()) => Ok((host, Past::Lapsed)),
                Err(StoreError::Fenced { .. }) => {
                    self.register().await.map(|new| (new, Past::None))
                }
                Err(error) => Err(error),
            };
            match found {
                Ok(found) => return found,
                Err(error) => {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        "The host cannot go on before the database answers; asking again"
                    );
                    tokio::time::sleep(ASK_AGAIN_AFTER).await;
                }
            }
        }
    }
}

/// The life that a process lives now.
#[derive(Debug, Clone)]
pub(super) struct Present(Arc<Mutex<Arc<Life>>>);

impl Present {
    pub(super) fn new(life: Life) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(life))))
    }

    pub(super) fn life(&self) -> Arc<Life> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, life: Life) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(life);
    }
}

/// Lets one life follow the other until the process is to end.
pub(super) async fn go_on(
    estate: Arc<Estate>,
    present: Present,
    dispatch: Dispatch,
    stop: CancellationToken,
) {
    let mut state = estate.state.subscribe();
    loop {
        let is_lost =
            |state: &WorkerState| matches!(state, WorkerState::Fenced | WorkerState::Lapsed);
        tokio::select! {
            () = stop.cancelled() => return,
            lost = state.wait_for(is_lost) => if lost.is_err() { return },
        }
        let life = present.life();
        let next = tokio::select! {
            () = stop.cancelled() => return,
            next = next_life(&estate, &life) => next,
        };
        dispatch.go_on_as(next.identity());
        info!(host.id = %next.host, "The host takes work again as {}", next.host);
        present.replace(estate.begin(next, &dispatch));
    }
}

/// Ends a life that was lost, and prepares the one that follows it.
async fn next_life(estate: &Estate, lost: &Life) -> Newborn {
    lost.end().await;
    let (host, past) = estate.survivor(lost.worker.host()).await;
    estate.prepare(host, past)
}

impl Life {
    /// Drops everything that runs and writes nothing more; returns when all of it has ended.
    async fn end(&self) {
        self.worker.kill();
        self.worker.ended().await;
        self.committer.stop.cancel();
        self.committer.tracker.wait().await;
    }
}
