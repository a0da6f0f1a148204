//! Group commit: one task writes for the whole host.
//!
//! It takes whatever was queued while the last commit was in flight, with no timer, and writes it in one transaction. A
//! write that is refused, or that needs a row which cannot be read, is put aside alone: the others of its batch are written
//! one at a time.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use futures::future::join_all;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::error::{BoxError, StoreError};
use super::meters::{CommitMeters, Unanswered, Waiting};
use super::snapshot::Snapshot;
use super::write::{Effects, NewExecution, Write, Written};
use super::{Result, Store};
use crate::model::{ExecutionId, HostId, Limits, Name, Stopwatch, Wake};

/// Where a host's activations and starts hand in what they write. Cheap to clone; the task behind it ends with the last one.
#[derive(Debug, Clone)]
pub struct Committer {
    queue: mpsc::Sender<Request>,
    groups: mpsc::Sender<Vec<Request>>,
    shared: Arc<Shared>,
}

/// What the handles and the task share.
#[derive(Debug)]
struct Shared {
    host: HostId,
    waiting: Arc<Unanswered>,
    waiting_max: usize,
    takes_births: AtomicBool,
    /// Queues of which nothing is begun here.
    paused: RwLock<HashSet<Name>>,
    meters: CommitMeters,
}

/// Where a committer runs, and until when.
#[derive(Debug)]
pub struct CommitterPlace<'a> {
    /// Its threads.
    pub threads: &'a Handle,
    /// Knows when it has ended.
    pub tracker: &'a TaskTracker,
    /// Ends it after the commit that is in flight: what is queued behind is not written.
    pub stop: CancellationToken,
}

/// A write and who waits for it.
#[derive(Debug)]
struct Request {
    write: Write,
    answer: Answer,
}

/// Who waits for a write.
#[derive(Debug)]
struct Answer {
    to: oneshot::Sender<Result<Written>>,
    /// Many that are handed in together count as one.
    waiting: Option<Waiting>,
}

impl Answer {
    /// Whoever asked may have gone; what is written stays written.
    fn give(self, written: Result<Written>) {
        drop(self.waiting);
        let _unheard = self.to.send(written);
    }
}

impl Committer {
    /// Starts the task. What is born with this host as its owner comes out of the receiver, after its commit; where nobody
    /// takes it there, it is released for any host to claim.
    pub fn start(
        store: Arc<dyn Store>,
        host: HostId,
        limits: &Limits,
        place: CommitterPlace<'_>,
    ) -> (Self, mpsc::Receiver<Snapshot>) {
        let CommitterPlace { threads, tracker, stop } = place;
        // Starts are pushed back at half of this, so that what runs already can always hand in what it has done.
        let (queue, requests) = mpsc::channel(limits.committer_queue_max.max(1) * 2);
        let (groups, grouped) = mpsc::channel(1);
        let (births, born) = mpsc::channel(limits.activations_max.max(1));
        let shared = Arc::new(Shared {
            host,
            waiting: Unanswered::watched(),
            waiting_max: limits.committer_queue_max,
            takes_births: AtomicBool::new(false),
            paused: RwLock::default(),
            meters: CommitMeters::default(),
        });
        let writer = Writer {
            store,
            requests,
            groups: grouped,
            held: VecDeque::new(),
            batch_max: limits.commit_batch_max.max(1),
            births,
            fenced: false,
            stop,
            shared: Arc::clone(&shared),
        };
        tracker.spawn_on(writer.run(), threads);
        (Self { queue, groups, shared }, born)
    }

    /// Hands in a write and waits until it is durable. Dropped while it waits, the write is made all the same.
    ///
    /// `Full` pushes a start back; an append waits instead, because what runs holds more than what has not begun.
    pub async fn submit(&self, write: Write) -> Result<Written> {
        if let (Write::Start(_), Err(waiting)) = (&write, self.has_room()) {
            return Err(StoreError::Full { waiting });
        }
        let (to, answered) = oneshot::channel();
        let answer = Answer { to, waiting: Some(self.shared.waiting.enter()) };
        if self.queue.send(Request { write, answer }).await.is_err() {
            return Err(StoreError::Unavailable("the committer of this host has ended".into()));
        }
        answered.await.unwrap_or_else(|_dropped| Err(gone()))
    }

    /// Whether one more start may wait; else how many writes do.
    fn has_room(&self) -> Result<(), usize> {
        let waiting = self.shared.waiting.count();
        if waiting < self.shared.waiting_max { Ok(()) } else { Err(waiting) }
    }

    /// Hands in starts that are made in one transaction, and waits until they are durable. `Full` pushes all of them back.
    pub async fn submit_all(&self, writes: Vec<Write>) -> Vec<Result<Written>> {
        if let Err(waiting) = self.has_room() {
            return writes.iter().map(|_| Err(StoreError::Full { waiting })).collect();
        }
        let mut waiting = Some(self.shared.waiting.enter());
        let requests = writes.into_iter().map(|write| {
            let (to, answered) = oneshot::channel();
            (Request { write, answer: Answer { to, waiting: waiting.take() } }, answered)
        });
        let (group, answers): (Vec<_>, Vec<_>) = requests.unzip();
        if self.groups.send(group).await.is_err() {
            let ended = || StoreError::Unavailable("the committer of this host has ended".into());
            return answers.into_iter().map(|_nobody| Err(ended())).collect();
        }
        let answered = answers.into_iter();
        let answered = answered
            .map(|answered| async { answered.await.unwrap_or_else(|_dropped| Err(gone())) });
        join_all(answered).await
    }

    /// Whether this host begins what it accepts, rather than leave it to whoever claims it.
    pub fn takes_births(&self) -> bool {
        self.shared.takes_births.load(Ordering::Relaxed)
    }

    /// Whether a queue was paused when this host heard last.
    pub fn is_paused(&self, queue: &Name) -> bool {
        self.shared.paused.read().unwrap_or_else(PoisonError::into_inner).contains(queue)
    }

    /// Says which queues are paused: nothing of them is begun here.
    pub fn set_paused(&self, queues: HashSet<Name>) {
        *self.shared.paused.write().unwrap_or_else(PoisonError::into_inner) = queues;
    }

    /// Says whether the last claim found no backlog and there is room.
    #[expect(
        clippy::fn_params_excessive_bools,
        reason = "it sets the flag that `takes_births` reads"
    )]
    pub fn set_takes_births(&self, takes: bool) {
        self.shared.takes_births.store(takes, Ordering::Relaxed);
    }
}

/// The task has ended under a write: nobody can say whether it was made.
fn gone() -> StoreError {
    StoreError::Unknown("the committer of this host has ended".into())
}

/// The one task that writes.
struct Writer {
    store: Arc<dyn Store>,
    requests: mpsc::Receiver<Request>,
    /// Each made in one transaction of its own.
    groups: mpsc::Receiver<Vec<Request>>,
    /// Writes that came too early: their execution has one in the batch before.
    held: VecDeque<Request>,
    batch_max: usize,
    births: mpsc::Sender<Snapshot>,
    fenced: bool,
    stop: CancellationToken,
    shared: Arc<Shared>,
}

impl Writer {
    async fn run(mut self) {
        while self.gather().await {
            let batch = self.next_batch();
            if !batch.is_empty() {
                self.write(batch).await;
            }
            // In turn with batches, so that neither keeps the other waiting.
            if let Ok(group) = self.groups.try_recv() {
                self.write(group).await;
            }
        }
    }

    /// Takes what is queued; waits only where nothing is held. False: nobody can hand in anything more, or it is to end.
    async fn gather(&mut self) -> bool {
        let mut fresh = Vec::new();
        if self.held.is_empty() {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return false,
                _ = self.requests.recv_many(&mut fresh, self.batch_max) => {}
                Some(group) = self.groups.recv() => {
                    self.write(group).await;
                    return true;
                }
            }
        }
        if self.stop.is_cancelled() {
            return false;
        }
        let room = self.batch_max.saturating_sub(self.held.len() + fresh.len());
        let queued = std::iter::from_fn(|| self.requests.try_recv().ok());
        self.held.extend(fresh.into_iter().chain(queued.take(room)));
        !self.held.is_empty()
    }

    /// The oldest writes, one of each execution and any number of ends of its tasks: a second one waits for the next batch, so none overtakes another.
    fn next_batch(&mut self) -> Vec<Request> {
        let mut batch = Vec::with_capacity(self.held.len().min(self.batch_max));
        let mut left = VecDeque::new();
        let mut taken: HashSet<ExecutionId> = HashSet::with_capacity(batch.capacity());
        for request in self.held.drain(..) {
            let fits = !request.write.is_alone() || taken.insert(request.write.execution());
            if batch.len() < self.batch_max && fits {
                batch.push(request);
            } else {
                left.push_back(request);
            }
        }
        self.held = left;
        batch
    }

    async fn write(&mut self, batch: Vec<Request>) {
        let (writes, answers): (Vec<Write>, Vec<_>) =
            batch.into_iter().map(|request| (request.write, request.answer)).unzip();
        let asked = writes.iter().zip(answers);
        match self.commit(&writes).await {
            Ok(written) => {
                for ((write, answer), written) in asked.zip(written) {
                    self.answer(write, answer, Ok(written)).await;
                }
            }
            Err(StoreError::Refused { .. } | StoreError::Corrupt { .. }) if writes.len() > 1 => {
                for (write, answer) in asked {
                    let written = self.commit_alone(write).await;
                    self.answer(write, answer, written).await;
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for (write, answer) in asked {
                    self.answer(write, answer, Err(same(&error))).await;
                }
            }
        }
    }

    async fn commit_alone(&mut self, write: &Write) -> Result<Written> {
        let mut written = self.commit(std::slice::from_ref(write)).await?;
        written.pop().ok_or_else(gone)
    }

    async fn commit(&mut self, writes: &[Write]) -> Result<Vec<Written>> {
        if self.fenced {
            return Err(StoreError::Fenced { host: self.shared.host });
        }
        let watch = Stopwatch::start();
        let written = self.store.commit(self.shared.host, writes).await;
        self.shared.meters.committed(watch, writes.len(), &written);
        self.fenced = matches!(written, Err(StoreError::Fenced { .. }));
        written
    }

    async fn answer(&self, write: &Write, answer: Answer, mut written: Result<Written>) {
        let mut left = Vec::new();
        if let Ok(Written::Done(effects)) = &written {
            for new in self.born(write, effects) {
                left.extend(self.hand_on(new).await);
            }
        }
        if let Ok(Written::Done(effects)) = &mut written {
            effects.wakes.extend(left);
        }
        answer.give(written);
    }

    /// What a durable write has brought to life with this host as its owner.
    fn born<'a>(
        &'a self,
        write: &'a Write,
        effects: &'a Effects,
    ) -> impl Iterator<Item = &'a NewExecution> {
        let all = match write {
            Write::Start(new) => std::slice::from_ref(&**new),
            Write::Append(append) => append.children.as_slice(),
            Write::End(_) | Write::Say(_) => &[],
        };
        let fresh = all.iter().filter(|new| !effects.existing.contains(&new.id));
        fresh.filter(|new| new.owner == Some(self.shared.host))
    }

    /// Never waits for whoever takes births: that task may itself wait for a write. Where there is no room, it is left to
    /// whoever claims it, and the hint at that is given back.
    async fn hand_on(&self, new: &NewExecution) -> Option<Wake> {
        if self.births.try_send(Snapshot::of_birth(new)).is_ok() {
            return None;
        }
        if let Err(error) = self.store.free(self.shared.host, new.id).await {
            tracing::warn!(
                execution.id = %new.id,
                error = &error as &dyn std::error::Error,
                "Execution {} was born without room for it and waits for the next reconciliation",
                new.id
            );
        }
        Some(Wake::Work { queue: new.routing.queue.clone() })
    }
}

/// One error for every member of a batch.
fn same(error: &Arc<StoreError>) -> StoreError {
    let source = || -> BoxError { Box::new(Shown(Arc::clone(error))) };
    match &**error {
        StoreError::Fenced { host } => StoreError::Fenced { host: *host },
        StoreError::Refused { execution, .. } => {
            StoreError::Refused { execution: *execution, source: source() }
        }
        StoreError::Unknown(_) => StoreError::Unknown(source()),
        StoreError::Full { waiting } => StoreError::Full { waiting: *waiting },
        StoreError::Corrupt { table, column, row, .. } => {
            StoreError::Corrupt { table, column, row: row.clone(), source: source() }
        }
        StoreError::Unavailable(_) => StoreError::Unavailable(source()),
    }
}

/// An error that many have a part in. It shows the cause of the one it stands for, whose words are said already.
#[derive(Debug)]
struct Shown(Arc<StoreError>);

impl Shown {
    fn cause(&self) -> &dyn std::error::Error {
        std::error::Error::source(&*self.0).unwrap_or(&*self.0)
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.cause())
    }
}

impl std::error::Error for Shown {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source().and_then(std::error::Error::source)
    }
}
