//! Carries orders out: claims work, runs it in the sandbox, tells the store what came of it.
//!
//! Here live the claimer (which work this host takes), activations (one task for one claim of an execution, and the only
//! writer of its journal), attempts of steps, local or claimed, the slots they run in, the lease, and the duties that keep
//! the store tidy. Decisions are pure functions ([`settle`]) and `journal::Replay`; this room moves what they say.
//!
//! Not here: taking orders (`dispatch`), durability (`store`), guests (`sandbox`).
//!
//! Invariants:
//! - A guest is given an event only after the commit that holds it.
//! - A commit whose outcome is unknown drops the instance; what is there is read before anything goes on.
//! - What a lost hint would leave undone, a poll finds.
//!
//! ```
//! use stepwell::model::{Ending, Failure, RetryPolicy, Timestamp};
//! use stepwell::worker::{Settlement, settle};
//!
//! let failed = Ending::Returned(Err(Failure::new("card-declined", "no funds")));
//! let policy = RetryPolicy { max_attempts: 1, ..RetryPolicy::default() };
//! let settlement = settle(failed, &policy, 1, 0.5, Timestamp::default());
//! assert!(matches!(settlement, Settlement::Dead(_)));
//! ```

mod activation;
mod attempt;
mod claimer;
mod crew;
mod grants;
mod handover;
mod hot;
mod keeping;
mod lease;
mod local;
mod meters;
mod modules;
mod settle;
mod slots;
mod task;
mod traces;
mod trial;

pub use keeping::Planner;
pub use settle::{Settlement, settle};

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use self::crew::Crew;
use crate::model::{Clock, History, HostId, Ids, Lease, Limits, Tracer};
use crate::notify::Notifier;
use crate::sandbox::Sandbox;
use crate::store::{ClaimFilter, Committer, Snapshot, Store};

/// What a worker is made of.
#[derive(Debug)]
pub struct Parts {
    /// The truth.
    pub store: Arc<dyn Store>,
    /// Through which activations write.
    pub committer: Committer,
    /// Executions that were accepted here and are born here.
    pub births: mpsc::Receiver<Snapshot>,
    /// Where guests run.
    pub sandbox: Sandbox,
    /// Hints.
    pub notifier: Arc<dyn Notifier>,
    /// Where it writes what it did, for people.
    pub history: Arc<History>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
    /// Where spans go.
    pub tracer: Arc<dyn Tracer>,
    /// Bounds.
    pub limits: Limits,
    /// What this host takes.
    pub filter: ClaimFilter,
    /// How schedules start what they start.
    pub planner: Arc<dyn Planner>,
    /// This incarnation.
    pub host: HostId,
    /// Its lease; none where the store is this host's alone.
    pub lease: Option<Lease>,
    /// Threads that run nothing but the lease.
    pub lease_threads: Handle,
    /// Whether this incarnation was begun before, and may own what this worker has not heard of.
    pub past: Past,
    /// Whether to look for work that nobody hinted at. Off only in tests, where it would hide a lost wake-up.
    pub polling: Polling,
}

/// Whether an incarnation was begun before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// It owns nothing yet.
    None,
    /// Its lease had lapsed, and nobody has declared it dead: what the rows say is its own is taken up.
    Lapsed,
}

/// Whether a host polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polling {
    /// As it should.
    On,
    /// For tests: hints alone must do.
    Off,
}

/// Where a worker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerState {
    /// It does not claim yet.
    Starting,
    /// It takes work.
    Ready,
    /// It takes nothing new and finishes what runs.
    Draining,
    /// It has ended.
    Stopped,
    /// It was declared dead: nothing it still does is written. Start a new incarnation.
    Fenced,
    /// Its lease could not be renewed in time. Nothing runs until it is known whether it still lives.
    Lapsed,
}

/// The running worker of one host.
#[derive(Debug)]
pub struct Worker {
    crew: Crew,
    tracker: TaskTracker,
    /// What outlives the work: the lease.
    upkeep: TaskTracker,
    state: watch::Sender<WorkerState>,
}

impl Worker {
    /// Begins to take work, and tells `state` where it stands.
    pub fn start(parts: Parts, state: watch::Sender<WorkerState>) -> Self {
        let (tracker, upkeep) = (TaskTracker::new(), TaskTracker::new());
        let (past, lease_threads) = (parts.past, parts.lease_threads.clone());
        let (crew, inlets) = Crew::gather(parts, tracker.clone());
        if past == Past::Lapsed {
            crew.doubt();
        }
        state.send_replace(WorkerState::Ready);
        upkeep.spawn_on(hold(crew.clone(), state.clone()), &lease_threads);
        upkeep.spawn(keeping::stop_as_told(crew.clone()));
        tracker.spawn(claimer::run(crew.clone(), inlets));
        tracker.spawn(keeping::run(crew.clone()));
        tracker.spawn(keeping::reap(crew.clone()));
        tracker.spawn(keeping::answer(crew.clone()));
        tracker.spawn(keeping::fire_schedules(crew.clone()));
        tracker.spawn(keeping::remove(crew.clone()));
        Self { crew, tracker, upkeep, state }
    }

    /// This incarnation.
    pub fn host(&self) -> HostId {
        self.crew.host
    }

    /// Takes nothing new, waits for what runs, parks what waits, hands over what is left after `timeout`.
    pub async fn drain(&self, timeout: Duration) {
        self.state.send_replace(WorkerState::Draining);
        self.crew.stop.soft.cancel();
        self.tracker.close();
        if tokio::time::timeout(timeout, self.tracker.wait()).await.is_err() {
            warn!(timeout = ?timeout, "Work was still running after the drain timeout: it is handed over");
            self.crew.stop.over.cancel();
            let rest = tokio::time::timeout(HANDOVER_TIME_MAX, self.tracker.wait()).await;
            if rest.is_err() {
                self.kill();
            }
        }
        self.end_lease().await;
        let retiring = self.crew.store.retire(self.crew.host);
        match tokio::time::timeout(HANDOVER_TIME_MAX, retiring).await {
            // What it leaves is ready for the others, who need not wait for its lease to end.
            Ok(Ok(())) => self.crew.wake_claimers(),
            Err(_elapsed) => {
                warn!(
                    "The database does not answer; the host's work is freed when its lease ends, or when the next one starts"
                );
            }
            Ok(Err(error)) => {
                warn!(error = %error, "The host could not be retired; its work is freed when its lease ends, or when the next one starts");
            }
        }
        self.state.send_replace(WorkerState::Stopped);
        info!("The worker has stopped");
    }

    /// Ends at once and writes nothing more, as a crash would.
    pub fn kill(&self) {
        self.crew.stop.lease.cancel();
        self.crew.stop.hard.cancel();
        self.tracker.close();
    }

    /// Returns when everything has ended that it had begun. To be asked of one that drains or was killed.
    pub async fn ended(&self) {
        self.tracker.close();
        self.tracker.wait().await;
        self.end_lease().await;
    }

    async fn end_lease(&self) {
        self.crew.stop.lease.cancel();
        self.upkeep.close();
        self.upkeep.wait().await;
    }
}

/// Holds the lease. Where it is lost, everything that runs is dropped.
async fn hold(crew: Crew, state: watch::Sender<WorkerState>) {
    if let Some(lost) = lease::keep(crew.clone()).await {
        crew.stop.hard.cancel();
        state.send_replace(lost);
    }
}

/// How long handing over may take before the host gives up on it.
const HANDOVER_TIME_MAX: Duration = Duration::from_secs(5);

/// Three ways to stop, each wider than the one before and cancelled with the one behind, and the end of the lease.
#[derive(Debug, Clone)]
struct Stopping {
    /// Take nothing new, finish what runs.
    soft: CancellationToken,
    /// Stop what runs and hand it over.
    over: CancellationToken,
    /// Drop everything, write nothing.
    hard: CancellationToken,
    /// All is done: the lease need not be renewed any more.
    lease: CancellationToken,
}

impl Default for Stopping {
    fn default() -> Self {
        let hard = CancellationToken::new();
        let over = hard.child_token();
        Self { soft: over.child_token(), over, hard, lease: CancellationToken::new() }
    }
}
