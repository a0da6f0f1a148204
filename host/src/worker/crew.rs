//! What every task of the worker holds.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::grants::Grants;
use super::hot::Hot;
use super::meters::Meters;
use super::modules::Modules;
use super::slots::Slots;
use super::trial::Trial;
use super::{Parts, Planner, Polling, Stopping};
use crate::journal::Ended;
use crate::model::{
    Clock, ExecutionId, Gauged, HostId, Ids, Lease, Limits, Promise, Run, TaskId, Timestamp,
    Tracer, Wake, watch_gauges,
};
use crate::notify::Notifier;
use crate::sandbox::Sandbox;
use crate::store::{
    ClaimFilter, Committer, Delivered, ExecutionRow, Renewal, Snapshot, Store, StoreError, TaskRef,
};

/// What every task of the worker holds. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Crew(Arc<Members>);

#[derive(Debug)]
pub(super) struct Members {
    pub(super) store: Arc<dyn Store>,
    pub(super) committer: Committer,
    pub(super) sandbox: Sandbox,
    pub(super) notifier: Arc<dyn Notifier>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn Ids>,
    pub(super) tracer: Arc<dyn Tracer>,
    pub(super) limits: Limits,
    pub(super) filter: ClaimFilter,
    pub(super) planner: Arc<dyn Planner>,
    pub(super) host: HostId,
    pub(super) polling: Polling,
    pub(super) lease: Option<Lease>,
    pub(super) modules: Modules,
    pub(super) grants: Grants,
    pub(super) slots: Slots,
    pub(super) hot: Hot,
    pub(super) meters: Meters,
    pub(super) trial: Trial,
    pub(super) stop: Stopping,
    pub(super) tracker: TaskTracker,
    /// Raised when a slot or a place for an activation is free again.
    pub(super) capacity: Notify,
    /// Raised when calls may wait for a result that is there.
    pub(super) followers: Notify,
    /// Where there is I/O.
    io: Handle,
    /// Whether this host may own what it does not know.
    in_doubt: AtomicBool,
    /// What the lease's renewal found.
    renewals: mpsc::Sender<Renewal>,
    /// The last of them.
    latest_renewal: watch::Sender<Option<Renewal>>,
    /// The earliest time at which something parked here is due, in microseconds.
    alarm: AtomicI64,
    alarm_moved: Notify,
    /// How often queues had been paused or resumed when it was learnt which are.
    queue_changes: AtomicI64,
    /// By tickets, as an attempt of a task may begin before the end of another one is forgotten.
    running: Mutex<HashMap<u64, Running>>,
    tickets: AtomicU64,
}

impl std::ops::Deref for Crew {
    type Target = Members;

    fn deref(&self) -> &Members {
        &self.0
    }
}

impl Gauged for Members {
    fn show(&self) {
        self.meters.room.tell(&self.slots, &self.hot);
    }
}

/// An attempt of a task that runs on this host.
#[derive(Debug)]
struct Running {
    /// As it was when it began: its run may be a later one by now.
    task: TaskRef,
    stop: CancellationToken,
}

/// While it is there, its attempt is known to run on this host.
#[derive(Debug)]
pub(super) struct Entered {
    crew: Crew,
    ticket: u64,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.crew.running().remove(&self.ticket);
    }
}

/// What the claimer listens to.
#[derive(Debug)]
pub(super) struct Inlets {
    pub(super) births: mpsc::Receiver<Snapshot>,
    pub(super) renewals: mpsc::Receiver<Renewal>,
}

/// Renewals that may wait for the claimer; it takes each at once.
const RENEWALS_MAX: usize = 4;

impl Crew {
    pub(super) fn gather(parts: Parts, tracker: TaskTracker) -> (Self, Inlets) {
        let (renewals, renewed) = mpsc::channel(RENEWALS_MAX);
        let members = Members {
            modules: Modules::new(Arc::clone(&parts.store), parts.sandbox.clone()),
            grants: Grants::new(Arc::clone(&parts.store), parts.sandbox.clone()),
            slots: Slots::new(parts.limits.max_concurrency),
            hot: Hot::new(&parts.limits),
            meters: Meters::new(parts.history),
            trial: Trial::default(),
            store: parts.store,
            committer: parts.committer,
            sandbox: parts.sandbox,
            notifier: parts.notifier,
            clock: parts.clock,
            ids: parts.ids,
            tracer: parts.tracer,
            limits: parts.limits,
            filter: parts.filter,
            planner: parts.planner,
            host: parts.host,
            polling: parts.polling,
            lease: parts.lease,
            latest_renewal: watch::Sender::new(None),
            stop: Stopping::default(),
            tracker,
            io: Handle::current(),
            in_doubt: AtomicBool::new(false),
            capacity: Notify::new(),
            followers: Notify::new(),
            renewals,
            alarm: AtomicI64::new(i64::MAX),
            alarm_moved: Notify::new(),
            queue_changes: AtomicI64::new(0),
            running: Mutex::new(HashMap::new()),
            tickets: AtomicU64::new(0),
        };
        let members = Arc::new(members);
        watch_gauges(&members);
        (Self(members), Inlets { births: parts.births, renewals: renewed })
    }

    /// Begins what takes turns with guests, on their threads: there a turn wakes no other thread.
    pub(super) fn drive(&self, turns: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn_on(turns, self.sandbox.guest_threads());
    }

    /// Begins what has to do with the store, on the threads that do I/O.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.tracker.spawn_on(work, &self.io)
    }

    /// Asks the store from a thread that does I/O, which guests' threads do not.
    pub(super) async fn ask<T, A>(
        &self,
        question: impl FnOnce(Arc<dyn Store>) -> A,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        A: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let answered = self.begin(question(Arc::clone(&self.store))).await;
        answered.unwrap_or_else(|gone| Err(StoreError::Unavailable(gone.into())))
    }

    /// A number drawn evenly from 0 to 1.
    pub(super) fn chance(&self) -> f64 {
        let [a, b, c, d, ..] = self.ids.seed();
        f64::from(u32::from_le_bytes([a, b, c, d])) / f64::from(u32::MAX)
    }

    /// A write may or may not have been made that gave this host something: the claimer finds out.
    pub(super) fn doubt(&self) {
        self.in_doubt.store(true, Ordering::Relaxed);
    }

    pub(super) fn take_doubt(&self) -> bool {
        self.in_doubt.swap(false, Ordering::Relaxed)
    }

    /// Sees to it that the claimer looks no later than `due`.
    pub(super) fn set_alarm(&self, due: Timestamp) {
        if self.alarm.fetch_min(due.as_micros(), Ordering::Relaxed) > due.as_micros() {
            self.alarm_moved.notify_one();
        }
    }

    /// Takes the alarm when it is due.
    pub(super) fn take_alarm(&self, now: Timestamp) -> bool {
        let is_due = self.alarm.load(Ordering::Relaxed) <= now.as_micros();
        if is_due {
            self.alarm.store(i64::MAX, Ordering::Relaxed);
        }
        is_due
    }

    /// Returns when the alarm is due. Only waits.
    pub(super) async fn alarm(&self) {
        loop {
            let moved = self.alarm_moved.notified();
            let due = self.alarm.load(Ordering::Relaxed);
            if due == i64::MAX {
                moved.await;
                continue;
            }
            tokio::select! {
                () = self.clock.sleep_until(Timestamp::from_micros(due)) => return,
                () = moved => {}
            }
        }
    }

    /// Tells the claimer what the renewal found; it is a hint, so a full queue drops it.
    pub(super) fn report(&self, renewal: Renewal) {
        self.note(renewal);
        let _full = self.renewals.try_send(renewal);
    }

    /// Learns which queues are paused, where that has changed since it was learnt last.
    pub(super) async fn learn_queues(&self, changes: i64) -> Result<(), StoreError> {
        if changes == 0 || self.queue_changes.load(Ordering::Relaxed) == changes {
            return Ok(());
        }
        let paused = self.store.paused_queues().await?;
        self.committer.set_paused(paused.into_iter().map(|(queue, _)| queue).collect());
        self.queue_changes.store(changes, Ordering::Relaxed);
        Ok(())
    }

    /// Tells the duties, where the claimer knows it already.
    pub(super) fn note(&self, renewal: Renewal) {
        self.latest_renewal.send_replace(Some(renewal));
    }

    /// What renewals find, one after the other.
    pub(super) fn latest_renewal(&self) -> watch::Receiver<Option<Renewal>> {
        self.latest_renewal.subscribe()
    }

    /// Whether other hosts live.
    pub(super) fn has_peers(&self) -> bool {
        self.latest_renewal.borrow().is_some_and(|renewal| renewal.hosts > 1)
    }

    /// Counts the end of an execution.
    pub(super) fn count_end(&self, row: &ExecutionRow, ended: &Ended) {
        self.meters.ended(&row.workflow, ended, self.clock.now().since(row.created_at));
    }

    /// Hints at something that was brought to an execution.
    pub(super) fn wake_receiver(&self, execution: ExecutionId, delivered: Delivered) {
        match delivered {
            Delivered::To { owner: Some(owner) } => {
                self.notifier.wake(Wake::Arrival { owner, execution });
            }
            Delivered::To { owner: None } => self.wake_claimers(),
            Delivered::Ended(_) | Delivered::Missing | Delivered::Full => {}
        }
    }

    /// Has an activation of this host look into its inbox.
    pub(super) fn look(&self, execution: ExecutionId) {
        self.notifier.wake(Wake::Arrival { owner: self.host, execution });
    }

    /// Hints that something is ready.
    pub(super) fn wake_claimers(&self) {
        self.notifier.wake(Wake::Work { queue: crate::model::Name::default_queue() });
    }

    /// Hints at a change of an execution, to those who watch it.
    pub(super) fn wake_watchers(&self, execution: ExecutionId) {
        self.notifier.wake(Wake::Changed { execution });
    }

    fn running(&self) -> MutexGuard<'_, HashMap<u64, Running>> {
        self.running.lock().expect("nobody panics while holding it")
    }

    /// Enters an attempt that runs on this host, so that it can be stopped.
    pub(super) fn enter_task(&self, task: TaskRef, stop: CancellationToken) -> Entered {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        self.running().insert(ticket, Running { task, stop });
        Entered { crew: self.clone(), ticket }
    }

    /// Whether this attempt runs on this host.
    pub(super) fn knows(&self, task: TaskId, attempt: u32) -> bool {
        self.running().values().any(|one| (one.task.id, one.task.attempt) == (task, attempt))
    }

    /// Whether tasks of an execution run on this host.
    pub(super) fn runs_tasks_of(&self, execution: ExecutionId) -> bool {
        self.running().values().any(|one| one.task.execution == execution)
    }

    /// Stops the attempts of which that is true; says how many.
    fn stop_all(&self, is_one: impl Fn(&TaskRef) -> bool) -> usize {
        let running = self.running();
        let stopped = running.values().filter(|one| is_one(&one.task));
        stopped.inspect(|one| one.stop.cancel()).count()
    }

    /// Stops an attempt. False: it does not run here.
    pub(super) fn stop_attempt(&self, id: TaskId, attempt: u32) -> bool {
        self.stop_all(|task| (task.id, task.attempt) == (id, attempt)) > 0
    }

    /// Stops what runs on this host for a call. It may have begun in an earlier run than the one that knows it now.
    pub(super) fn stop_call(&self, (execution, run, promise): (ExecutionId, Run, Promise)) {
        let stopped = self.stop_all(|task| {
            (task.execution, task.promise) == (execution, promise) && task.run <= run
        });
        if stopped == 0 {
            // Another host may run it, or this one in a moment: then its row tells.
            self.set_alarm(self.clock.now());
        }
    }
}
