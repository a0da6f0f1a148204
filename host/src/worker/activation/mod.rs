//! One claim of an execution, to its parking or its end: one task, and the only writer of its journal.
//!
//! The guest and its owner hold the one `Replay` in turn. While the guest runs, arrivals wait in channels; when it waits,
//! the owner begins what was called, takes in what has arrived, writes, and only then lets the guest go on.

mod arrive;
mod begin;
mod children;
mod end;
mod force;
mod park;
mod rest;
mod write;

pub(super) use begin::Call;
pub(super) use write::block_unreadable;

use std::collections::{HashMap, HashSet};

use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::crew::Crew;
use super::hot::Nudge;
use super::local::{LocalEnd, LocalStep};
use super::modules::{LoadError, Loaded};
use super::traces::{self, Runs};
use super::trial::Suspected;
use crate::journal::{Arrival, Blocked, Body, Entry, Redrive, Replay};
use crate::model::{ExecutionId, ExecutionState, Failure, Promise, Run, Span, Timestamp, kind};
use crate::sandbox::{Turn, WorkflowGuest};
use crate::store::{Append, ExecutionRow, Inbox, RowChange, Snapshot, StoreError};

/// Why an activation is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// Parked, ended, blocked, no longer ours, or the host stops.
    Done,
    /// What this host knows may not be what is there: read it and begin again.
    Again,
}

/// What an activation knows besides its replay.
#[derive(Debug)]
struct Activation {
    crew: Crew,
    loaded: Loaded,
    row: ExecutionRow,
    nudges: mpsc::Receiver<Nudge>,
    /// Local steps that run or wait for a slot.
    locals: HashMap<Promise, LocalStep>,
    ends: mpsc::UnboundedReceiver<LocalEnd>,
    ends_in: mpsc::UnboundedSender<LocalEnd>,
    /// Calls that have a task row.
    tasks: HashSet<(Run, Promise)>,
    /// Calls of dead letters that are made again, and how.
    redriven: HashMap<Promise, Redrive>,
    /// Arrivals that were read and not yet taken in.
    inbox: Inbox,
    /// `inbox_seq` as of the last reading.
    seen: i64,
    /// When `max_duration` or `compensate_for` is over.
    expires_at: Option<Timestamp>,
    /// What the next write will hold besides what the replay has pending.
    draft: Append,
    /// When commands that wait for an event are written by themselves.
    lazy_at: Option<Timestamp>,
    /// Somebody wants it ended without asking the guest.
    force: Option<String>,
    /// Somebody has paused it: it parks before its guest goes on.
    is_paused: bool,
    /// Whether its author has been warned that the journal is half full.
    is_warned: bool,
    /// Children that this activation has started, and what they settle.
    children: HashMap<ExecutionId, Promise>,
    /// Those of them whose ids existed already, as the last write found.
    existing: Vec<ExecutionId>,
    /// Runs that have begun and whose spans are told when this one ends.
    runs: Runs,
    /// Of what the next write makes durable.
    spans: Vec<Span>,
}

/// Begins an activation, unless there is one of this execution already.
pub(super) fn spawn(crew: &Crew, snapshot: Snapshot) {
    let execution = snapshot.execution.id;
    let nudges = loop {
        if let Some(nudges) = crew.hot.enter(execution) {
            break nudges;
        }
        // The one before has parked and not left yet: it sees to it on its way out.
        if crew.hot.nudge(execution, Nudge::Look) {
            return;
        }
    };
    let crew = crew.clone();
    crew.clone().drive(async move {
        let place = Place { crew: &crew, execution };
        let mut nudges = Box::pin(run(&crew, snapshot, nudges)).await;
        drop(place);
        nudges.close();
        // What was hinted at while it parked has made it ready in the store, or it was claimed again already.
        if nudges.try_recv().is_ok() {
            crew.look(execution);
        }
    });
}

/// An activation's place among the others. It is free again when this is dropped, also by a panic.
struct Place<'a> {
    crew: &'a Crew,
    execution: ExecutionId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.crew.hot.leave(self.execution);
        self.crew.trial.acquit(Suspected::Execution(self.execution));
        self.crew.capacity.notify_one();
    }
}

async fn run(
    crew: &Crew,
    first: Snapshot,
    mut nudges: mpsc::Receiver<Nudge>,
) -> mpsc::Receiver<Nudge> {
    let execution = first.execution.id;
    let mut snapshot = first;
    loop {
        let (over, back) = activate(crew, snapshot, nudges).await;
        nudges = back;
        if over == Over::Done || crew.stop.hard.is_cancelled() {
            return nudges;
        }
        match read_again(crew, execution).await {
            Some(read) => snapshot = read,
            None => return nudges,
        }
    }
}

/// Reads what is there, however long the weather lasts. None: this host does not own it, or it cannot be read and is blocked.
async fn read_again(crew: &Crew, execution: ExecutionId) -> Option<Snapshot> {
    loop {
        let host = crew.host;
        match crew.ask(move |store| async move { store.snapshot(host, execution).await }).await {
            Ok(snapshot) => return snapshot,
            Err(StoreError::Fenced { .. }) => return None,
            Err(error) => {
                warn!(execution.id = %execution, error = %error, "Execution {execution} could not be read; trying again");
                if block_unreadable(crew, execution, &error).await == Over::Done {
                    return None;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(crew.limits.poll_interval.0) => {}
            () = crew.stop.hard.cancelled() => return None,
        }
    }
}

async fn activate(
    crew: &Crew,
    snapshot: Snapshot,
    nudges: mpsc::Receiver<Nudge>,
) -> (Over, mpsc::Receiver<Nudge>) {
    let Snapshot { execution: row, entries, tasks, inbox } = snapshot;
    let execution = row.id;
    let (redriven, runs) = (redriven(&entries), Runs::of(&row, &entries));
    let replay = match Replay::new(execution, row.run, entries, &crew.limits) {
        Ok(replay) => replay,
        Err(error) => {
            let why = Failure::new(kind::CORRUPT, error.to_string());
            return (write::block_row(crew, &row, why).await, nudges);
        }
    };
    if let Some(reason) = force::demanded(&inbox) {
        let over = force::end(crew, (&row, &runs), (&inbox, &tasks), replay, reason).await;
        // Only when its rows are gone: an attempt that is stopped before is lost, and made again.
        if over == Over::Done {
            tasks.iter().for_each(|(run, promise)| crew.stop_call((execution, *run, *promise)));
            if !tasks.is_empty() {
                crew.followers.notify_one();
            }
        }
        return (over, nudges);
    }
    let loaded = match crew.modules.load(row.module).await {
        Ok(loaded) => loaded,
        Err(LoadError::Store(error)) => {
            let over = block_unreadable(crew, execution, &error).await;
            if over == Over::Again {
                tokio::time::sleep(crew.limits.poll_interval.0).await;
            }
            return (over, nudges);
        }
        Err(error @ (LoadError::Missing(_) | LoadError::Unloadable { .. })) => {
            let why =
                Failure::new("module-unavailable", format!("{error}; deploy it again and resume"));
            return (write::block_row(crew, &row, why).await, nudges);
        }
    };
    crew.meters.activated(&row.workflow, replay.entries());
    debug!(execution.id = %execution, entries = replay.entries(), "Activation of {execution} begins");
    let mut activation = Activation::new(crew.clone(), loaded, row, nudges);
    activation.is_warned = replay.half_full().is_some();
    activation.tasks = tasks.into_iter().collect();
    activation.redriven = redriven;
    activation.runs = runs;
    activation.seen = inbox.seq;
    activation.is_paused = inbox.is_paused;
    activation.inbox = inbox;
    let begun = traces::Begun::now(crew, &activation.row, replay.entries());
    let over = activation.live(replay).await;
    if over == Over::Done && !crew.stop.hard.is_cancelled() {
        crew.tell(begun.map(|begun| begun.span(crew, &activation.row)));
    }
    (over, activation.nudges)
}

/// The calls that persons had made again, each as it was asked for last.
fn redriven(entries: &[Entry]) -> HashMap<Promise, Redrive> {
    let asked = entries.iter().filter_map(|entry| match &entry.body {
        Body::Run(run) => run.redrive.clone(),
        Body::Started(_) | Body::Ended(_) | Body::Noted | Body::Command(_) | Body::Event(_) => None,
    });
    asked.map(|redrive| (redrive.promise, redrive)).collect()
}

impl Activation {
    fn new(crew: Crew, loaded: Loaded, row: ExecutionRow, nudges: mpsc::Receiver<Nudge>) -> Self {
        let (ends_in, ends) = mpsc::unbounded_channel();
        Self {
            draft: Append::new(row.id, crew.host, row.run),
            expires_at: row.expires_at,
            crew,
            loaded,
            row,
            nudges,
            locals: HashMap::new(),
            ends,
            ends_in,
            tasks: HashSet::new(),
            redriven: HashMap::new(),
            inbox: Inbox::default(),
            seen: 0,
            lazy_at: None,
            force: None,
            is_paused: false,
            is_warned: false,
            children: HashMap::new(),
            existing: Vec::new(),
            runs: Runs::default(),
            spans: Vec::new(),
        }
    }

    fn id(&self) -> ExecutionId {
        self.row.id
    }

    async fn live(&mut self, replay: Replay) -> Over {
        // Freed by a host that ended, before it was parked.
        if self.is_paused {
            return self.park(replay).await;
        }
        if let Some(over) = self.refuse_to_begin(&replay) {
            return self.put_aside(over).await;
        }
        let replay = match self.end_before_beginning(replay).await {
            Ok(replay) => replay,
            Err(over) => return over,
        };
        let mut guest = self.crew.sandbox.run_workflow(&self.loaded.module, replay);
        loop {
            let turn = tokio::select! {
                turn = guest.turn() => turn,
                () = self.crew.stop.hard.cancelled() => return Over::Done,
            };
            if let Err(over) = self.take_turn(&mut guest, turn).await {
                self.stop_locals();
                return over;
            }
        }
    }

    /// Does what the guest's turn asks for, until the guest runs again.
    async fn take_turn(&mut self, guest: &mut WorkflowGuest, turn: Turn) -> Result<(), Over> {
        match turn {
            Turn::Waits(replay) => {
                let replay = self.rest(replay, guest.memory_bytes()).await?;
                guest.resume(replay);
                Ok(())
            }
            Turn::Returned(replay, outcome, fuel) => {
                let replay = self.returned(replay, outcome, fuel).await?;
                *guest = self.crew.sandbox.run_workflow(&self.loaded.module, replay);
                Ok(())
            }
            Turn::Broke(replay, broken, fuel) => Err(self.broke(replay, broken, fuel).await),
            Turn::Lost(error) => Err(self.begin_again(&error).await),
        }
    }

    /// An execution that its hosts were lost under, again and again, is put aside.
    fn refuse_to_begin(&self, replay: &Replay) -> Option<Blocked> {
        (self.row.losses >= self.crew.limits.losses_max).then(|| Blocked {
            kind: kind::HOST_LOST.to_owned(),
            message: format!(
                "its host was lost {} times in a row at entry {} (losses_max); resume it to try again",
                self.row.losses,
                replay.entries()
            ),
        })
    }

    /// What was cancelled, or has expired, before it began never begins.
    async fn end_before_beginning(&mut self, mut replay: Replay) -> Result<Replay, Over> {
        if replay.entries() > 1 {
            return Ok(replay);
        }
        let cancelled = self.inbox.arrivals.iter().find_map(|(_, arrival)| match arrival {
            Arrival::Cancel { reason, .. } => Some(reason.clone()),
            Arrival::Settled { .. }
            | Arrival::Fired { .. }
            | Arrival::Signal { .. }
            | Arrival::Expired => None,
        });
        let expired = self.expires_at.is_some_and(|at| at <= self.crew.clock.now());
        let (state, failure) = match cancelled {
            Some(reason) => (ExecutionState::Cancelled, Failure::new(kind::CANCELLED, reason)),
            None if expired => {
                let failure = Failure::new(kind::TIMED_OUT, "max_duration has passed");
                (ExecutionState::TimedOut, failure)
            }
            None => return Ok(replay),
        };
        Err(self.end_as(&mut replay, state, failure).await)
    }

    async fn put_aside(&mut self, why: Blocked) -> Over {
        self.draft.row = RowChange::Block { why: why.into() };
        self.write_draft().await.map_or_else(|over| over, |()| Over::Done)
    }

    fn stop_locals(&mut self) {
        for local in self.locals.values() {
            local.stop.cancel();
        }
        self.locals.clear();
    }
}
