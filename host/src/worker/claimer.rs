//! Which work this host takes, and when it looks for some.

use std::time::Duration;

use tracing::{info, warn};

use super::crew::{Crew, Inlets};
use super::hot::Nudge;
use super::keeping::{self, Unknown};
use super::trial::Suspected;
use super::{Polling, activation, task};
use crate::model::{ExecutionId, Timestamp};
use crate::notify::Hints;
use crate::store::{Renewal, Snapshot, StoreError, Suspect};

/// Executions that one claim takes at most.
const CLAIM_MAX: u32 = 64;
/// Rows that one promotion makes ready at most.
const PROMOTE_MAX: u32 = 1_000;

/// A birth that waited longer here is read again.
const BIRTHS_FRESH_FOR: Duration = Duration::from_secs(30);

/// What made the claimer look.
#[derive(Debug)]
enum Woken {
    Birth(Box<Snapshot>),
    Hints(Hints),
    Renewal(Renewal),
    Alarm,
    Capacity,
    Poll,
    Stop,
}

struct Claimer {
    crew: Crew,
    inlets: Inlets,
    /// Whether there may be work that nobody has claimed.
    work: bool,
    /// Whether the last claim left work lying for want of room.
    backlog: bool,
    /// Whether there may be suspects among it.
    lost: bool,
    solitude: Solitude,
    /// What the rows gave to this host at the last look and it did not know, while it is not sure of what it holds.
    unknown: Unknown,
    pause: Duration,
}

/// What a suspect on trial keeps from being begun.
#[derive(Debug, Default)]
struct Solitude {
    /// Until when nothing is begun beside it.
    until: Timestamp,
    /// Whether a claim was left out for its sake, which has to be made up for.
    holds_back: bool,
}

/// Takes work until the worker stops.
pub(super) async fn run(crew: Crew, inlets: Inlets) {
    let pause = crew.limits.poll_interval.0;
    let mut claimer = Claimer {
        crew,
        inlets,
        work: true,
        backlog: false,
        lost: false,
        solitude: Solitude::default(),
        unknown: Unknown::default(),
        pause,
    };
    claimer.ring().await;
    loop {
        // A claim that took all it had room for leaves work, which nobody will hint at again.
        while claimer.work && !claimer.crew.stop.soft.is_cancelled() {
            claimer.claim().await;
        }
        match claimer.wait().await {
            Woken::Birth(snapshot) => claimer.receive(*snapshot).await,
            Woken::Hints(hints) => claimer.heed(hints).await,
            Woken::Renewal(renewal) => claimer.heed_renewal(renewal).await,
            Woken::Alarm => claimer.ring().await,
            Woken::Capacity => claimer.work = true,
            Woken::Poll => claimer.poll().await,
            Woken::Stop => return claimer.crew.committer.set_takes_births(false),
        }
    }
}

impl Solitude {
    /// Returns when others may be begun beside the suspect on trial, or the next suspect instead of it. Only waits.
    async fn over(&self, crew: &Crew) {
        if crew.clock.now() >= self.until {
            return crew.trial.over().await;
        }
        tokio::select! {
            () = crew.trial.over() => {}
            () = crew.clock.sleep_until(self.until) => {}
        }
    }
}

impl Claimer {
    /// Every arm only waits, so dropping the others loses nothing.
    async fn wait(&mut self) -> Woken {
        let is_alone = self.is_alone();
        let Self { crew, inlets, solitude, .. } = self;
        let is_polling = crew.polling == Polling::On && self.pause <= crew.limits.poll_interval.1;
        tokio::select! {
            biased;
            () = crew.stop.soft.cancelled() => Woken::Stop,
            Some(snapshot) = inlets.births.recv(), if !is_alone => Woken::Birth(Box::new(snapshot)),
            hints = crew.notifier.hints(crew.host) => Woken::Hints(hints),
            Some(renewal) = inlets.renewals.recv() => Woken::Renewal(renewal),
            () = crew.alarm() => Woken::Alarm,
            () = crew.capacity.notified(), if self.backlog => Woken::Capacity,
            () = solitude.over(crew), if solitude.holds_back => Woken::Capacity,
            () = std::future::ready(()), if self.work => Woken::Capacity,
            () = tokio::time::sleep(self.pause), if is_polling => Woken::Poll,
        }
    }

    /// Begins what was accepted here. What lay here for long may have been taken up meanwhile, and is read again.
    async fn receive(&mut self, snapshot: Snapshot) {
        let execution = &snapshot.execution;
        if self.crew.clock.now() > execution.created_at + BIRTHS_FRESH_FOR {
            return self.adopt(execution.id).await;
        }
        self.bear(snapshot);
    }

    /// Where room grows short, those that wait are parked, and births end for a while.
    fn bear(&mut self, snapshot: Snapshot) {
        activation::spawn(&self.crew, snapshot);
        let free = self.crew.hot.free();
        if free < CLAIM_MAX as usize {
            self.crew.hot.make_room(1);
        }
        if free == 0 {
            self.crew.committer.set_takes_births(false);
            self.backlog = true;
        }
    }

    /// Claims as much as there is room for; suspects before all others, so that they begin alone.
    async fn claim(&mut self) {
        self.work = false;
        self.solitude.holds_back = false;
        if let Err(error) = self.claim_suspect().await {
            return self.try_later(&error);
        }
        if self.is_alone() {
            self.solitude.holds_back = true;
            return self.crew.committer.set_takes_births(false);
        }
        let executions = self.claim_executions().await;
        let tasks = self.claim_tasks().await;
        match (executions, tasks) {
            (Ok(left_executions), Ok(left_tasks)) => {
                self.backlog = left_executions || left_tasks;
                let takes_births = !left_executions && self.crew.hot.free() > 0;
                self.crew.committer.set_takes_births(takes_births);
            }
            (Err(error), _) | (_, Err(error)) => self.try_later(&error),
        }
    }

    fn try_later(&mut self, error: &StoreError) {
        warn!(error = %error, "Work could not be claimed; trying again");
        self.pause = self.crew.limits.poll_interval.0;
        self.crew.doubt();
        // That something is to be done here is known: this is no poll.
        self.crew.set_alarm(self.crew.clock.now() + self.pause);
    }

    /// Whose claim failed, or whose commit nobody knows the outcome of, may own what it does not know. What two looks find
    /// unknown is taken up; it is sure again when a look finds nothing.
    async fn make_sure(&mut self) {
        if !self.crew.take_doubt() {
            return;
        }
        // Births that lie here are known.
        while let Ok(snapshot) = self.inlets.births.try_recv() {
            self.bear(snapshot);
        }
        if let Some(unknown) = keeping::reconcile(&self.crew, &self.unknown).await {
            self.unknown = unknown;
            if self.unknown.is_empty() {
                return;
            }
        }
        self.crew.doubt();
        self.crew.set_alarm(self.crew.clock.now() + self.crew.limits.poll_interval.0);
    }

    /// Begins the next suspect, where there is one, none is on trial and there is room.
    async fn claim_suspect(&mut self) -> Result<(), StoreError> {
        let crew = &self.crew;
        if !self.lost || crew.trial.is_on() || crew.hot.free() == 0 {
            return Ok(());
        }
        let Some(slot) = crew.slots.try_take() else { return Ok(()) };
        match crew.store.claim_suspect(crew.host, &crew.filter).await? {
            Some(Suspect::Execution(snapshot)) => {
                let suspected = &snapshot.execution;
                info!(execution.id = %suspected.id, losses = suspected.losses, "Execution {} may have killed its hosts: it runs alone", suspected.id);
                crew.trial.begin(Suspected::Execution(suspected.id));
                activation::spawn(crew, *snapshot);
            }
            Some(Suspect::Task(task)) => {
                info!(execution.id = %task.execution, losses = task.losses, "Step {} may have killed its hosts: it runs alone", task.step);
                crew.trial.begin(Suspected::Task(task.id));
                task::spawn(crew, *task, slot);
            }
            None => return Ok(()),
        }
        self.solitude.until = crew.clock.now() + crew.limits.suspect_alone_for;
        Ok(())
    }

    fn is_alone(&self) -> bool {
        self.crew.trial.is_on() && self.crew.clock.now() < self.solitude.until
    }

    /// Whether some may be left.
    async fn claim_executions(&mut self) -> Result<bool, StoreError> {
        let crew = &self.crew;
        let room = u32::try_from(crew.hot.free()).unwrap_or(u32::MAX).min(CLAIM_MAX);
        if room == 0 {
            // Those that wait make room for those that could run; each tells when it has.
            crew.hot.demand_room(CLAIM_MAX as usize);
            return Ok(true);
        }
        let claimed = crew.store.claim_executions(crew.host, &crew.filter, room).await?;
        let is_full = claimed.len() == room as usize;
        for snapshot in claimed {
            activation::spawn(crew, snapshot);
        }
        self.work |= is_full;
        Ok(is_full)
    }

    /// Whether some may be left.
    async fn claim_tasks(&mut self) -> Result<bool, StoreError> {
        let crew = &self.crew;
        let slots: Vec<_> = std::iter::from_fn(|| crew.slots.try_take()).collect();
        if slots.is_empty() {
            return Ok(true);
        }
        let room = u32::try_from(slots.len()).unwrap_or(u32::MAX);
        let claimed = crew.store.claim_tasks(crew.host, &crew.filter, room).await?;
        let is_full = claimed.len() == room as usize;
        for (task, slot) in claimed.into_iter().zip(slots) {
            task::spawn(crew, task, slot);
        }
        Ok(is_full)
    }

    async fn heed(&mut self, hints: Hints) {
        self.work |= hints.work;
        self.pause = self.crew.limits.poll_interval.0;
        if hints.lost {
            self.crew.hot.nudge_all();
        }
        let mut may_stop = hints.lost;
        for execution in hints.arrivals {
            if !self.crew.hot.nudge(execution, Nudge::Look) {
                may_stop |= self.crew.runs_tasks_of(execution);
                self.adopt(execution).await;
            }
        }
        if may_stop {
            keeping::stop_dropped(&self.crew).await;
        }
    }

    async fn heed_renewal(&mut self, renewal: Renewal) {
        self.lost = renewal.lost;
        self.learn_queues(&renewal).await;
        if let Some(due) = renewal.next_due {
            self.crew.set_alarm(due);
        }
        if renewal.followers {
            self.crew.followers.notify_one();
        }
        if self.crew.polling == Polling::On {
            self.work |= renewal.work;
            if renewal.arrivals {
                self.crew.hot.nudge_all();
            }
        }
    }

    /// Something arrived for an execution that is not active here: it is parked and ready now, or it is this host's own
    /// and nobody told (a birth whose commit was unknown).
    async fn adopt(&mut self, execution: ExecutionId) {
        match self.crew.store.snapshot(self.crew.host, execution).await {
            Ok(Some(snapshot)) => activation::spawn(&self.crew, snapshot),
            Ok(None) => self.work = true,
            Err(error @ StoreError::Corrupt { .. }) => {
                let _over = activation::block_unreadable(&self.crew, execution, &error).await;
            }
            // It may be this host's, and nobody else would tell.
            Err(error) => self.try_later(&error),
        }
    }

    /// Something is due: make it ready, and learn what is due next.
    async fn ring(&mut self) {
        let now = self.crew.clock.now();
        self.crew.take_alarm(now);
        self.make_sure().await;
        match self.crew.store.promote(self.crew.host, now, PROMOTE_MAX).await {
            Ok(promoted) => self.work |= promoted > 0,
            Err(error) => {
                warn!(error = %error, "What is due could not be made ready; trying again");
            }
        }
        match self.crew.store.look_for_work(self.crew.host).await {
            Ok(renewal) => {
                self.crew.note(renewal);
                self.lost = renewal.lost;
                self.learn_queues(&renewal).await;
                self.work |= renewal.work;
                if renewal.followers {
                    self.crew.followers.notify_one();
                }
                // A call that nobody began in time has settled.
                if renewal.arrivals {
                    self.crew.hot.nudge_all();
                }
                renewal.next_due.into_iter().for_each(|due| self.crew.set_alarm(due));
            }
            Err(error) => warn!(error = %error, "What is due next could not be read; trying again"),
        }
    }

    /// Steps and executions of a paused queue are not begun here, as claims leave them.
    async fn learn_queues(&self, renewal: &Renewal) {
        if let Err(error) = self.crew.learn_queues(renewal.queue_changes).await {
            warn!(error = %error, "Which queues are paused could not be read; trying again");
        }
    }

    /// What a lost hint would have told. Pauses grow, and end where the lease's renewal takes over.
    async fn poll(&mut self) {
        self.pause *= 2;
        self.ring().await;
    }
}
