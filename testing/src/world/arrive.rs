//! Arrivals: one at a time, in an order that a seed may shuffle.

use stepwell::journal::{Arrival, Replay};
use stepwell::model::{ExecutionId, ExecutionState, Failure, Promise, StepUsage, Timestamp, kind};

use super::life::Life;
use super::turn::Since;
use super::work::Flight;
use super::write::{Draft, From, SettledStep};
use super::{Died, World};

/// Something that may reach an execution now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ready {
    /// An attempt has ended.
    End(u64),
    /// The oldest thing in the inbox.
    Inbox(ExecutionId),
    Timer(ExecutionId, Promise),
    /// `max_duration` or `compensate_for` has passed.
    Expiry(ExecutionId),
}

/// The kind of failure of a child whose id somebody else started first, and which still runs.
const ALREADY_STARTED: &str = "already-started";

impl World {
    /// Lets one thing arrive. False: there is nothing.
    pub(super) fn deliver_next(&mut self) -> Result<bool, Died> {
        let most = if self.order.seed().is_some() { usize::MAX } else { 1 };
        let ready: Vec<_> = self.ready().take(most).collect();
        if ready.is_empty() {
            return Ok(false);
        }
        let chosen = ready[self.order.choose(ready.len())];
        self.deliver(chosen)?;
        Ok(true)
    }

    /// What may arrive now, in the order in which it came about.
    fn ready(&self) -> impl Iterator<Item = Ready> {
        let now = self.now;
        let waits = |id| self.find(id).is_some_and(|life| life.waiting.is_some());
        let waiting = || self.lives.iter().filter(|life| life.waiting.is_some());
        let ends = self.flights.ended(now).filter(move |(_, of)| waits(*of));
        let inboxes = waiting().filter(|life| !life.inbox.is_empty());
        let expired = waiting().filter(move |life| life.expires_at.is_some_and(|at| at <= now));
        ends.map(|(number, _)| Ready::End(number))
            .chain(inboxes.map(|life| Ready::Inbox(life.id)))
            .chain(waiting().flat_map(move |life| due_timers(life, now)))
            .chain(expired.map(|life| Ready::Expiry(life.id)))
    }

    fn deliver(&mut self, ready: Ready) -> Result<(), Died> {
        match ready {
            Ready::End(number) => self.end_attempt(number),
            Ready::Inbox(id) => {
                let Some(arrival) = self.life(id).inbox.front().cloned() else { return Ok(()) };
                let draft = Draft { from: From::Inbox, ..Draft::default() };
                self.admit(id, arrival, draft)?;
                self.go_on(id)
            }
            Ready::Timer(id, promise) => {
                self.admit(id, Arrival::Fired { promise }, Draft::default())?;
                self.go_on(id)
            }
            Ready::Expiry(id) => self.expire(id),
        }
    }

    /// `max_duration` is over: ask the guest to end. `compensate_for` is over: ask nobody.
    fn expire(&mut self, id: ExecutionId) -> Result<(), Died> {
        let asked = |replay: &Replay| replay.is_asked_to_end();
        let waiting = self.life(id).waiting.as_ref();
        if waiting.is_some_and(|waiting| asked(&waiting.replay)) {
            return self.force(id, "compensate_for has passed".to_owned());
        }
        self.admit(id, Arrival::Expired, Draft::default())?;
        self.go_on(id)
    }

    /// Ends without asking the guest.
    fn force(&mut self, id: ExecutionId, reason: String) -> Result<(), Died> {
        let Some(waiting) = self.life(id).waiting.take() else { return Ok(()) };
        let asked = waiting.replay.ending().map(|request| request.state);
        let (state, kind) = match asked {
            Some(ExecutionState::TimedOut) => (ExecutionState::TimedOut, kind::TIMED_OUT),
            Some(_) | None => (ExecutionState::Cancelled, kind::CANCELLED),
        };
        self.end_as(id, waiting.replay, state, Failure::new(kind, reason))
    }

    /// Makes an arrival an event, in a commit of its own.
    pub(super) fn admit(
        &mut self,
        id: ExecutionId,
        arrival: Arrival,
        draft: Draft,
    ) -> Result<(), Died> {
        if let Arrival::Cancel { reason, force: true } = arrival {
            return self.force(id, reason);
        }
        let Some(mut waiting) = self.life(id).waiting.take() else { return Ok(()) };
        // Whether it was recorded or dropped, nothing is left of it.
        let _admission = waiting.replay.admit(arrival, self.now);
        self.commit(id, &mut waiting.replay, draft)?;
        self.life(id).waiting = Some(waiting);
        Ok(())
    }

    /// Lets the guest read what was written for it.
    pub(super) fn go_on(&mut self, id: ExecutionId) -> Result<(), Died> {
        let life = self.life(id);
        let Some(waiting) = life.waiting.take_if(|waiting| waiting.replay.has_ahead()) else {
            return Ok(());
        };
        let mut guest = waiting.guest;
        guest.resume(waiting.replay);
        self.drive(id, guest, Since::Told)
    }

    /// A child of an id that existed reports to whoever started it first. One that has ended settles here as it ended there.
    pub(super) fn settle_existing(
        &mut self,
        id: ExecutionId,
        replay: &mut Replay,
        child: ExecutionId,
    ) {
        let run = replay.run();
        let Some(promise) = self.life(id).children.get(&child).copied() else { return };
        let Some(life) = self.find(child) else { return };
        let outcome = life.outcome.clone().filter(|_| life.state.is_terminal());
        let reports_here = life.parent.is_some_and(|parent| {
            (parent.execution, parent.run, parent.promise) == (id, run, promise)
        });
        if outcome.is_none() && reports_here {
            return;
        }
        let workflow = life.workflow.clone();
        let outcome = match outcome {
            Some(outcome) => outcome.map_err(|failure| failure.of_child(&workflow, child)),
            None => Err(Failure::new(
                ALREADY_STARTED,
                format!(
                    "execution {child} exists already and reports to whoever started it; read its result by its id"
                ),
            )),
        };
        let usage = StepUsage::default();
        replay.admit(Arrival::Settled { run, promise, outcome, usage, attempt: 0 }, self.now);
    }

    /// What the end of an attempt becomes where its execution waits for it.
    pub(super) fn settle_step(
        &mut self,
        flight: &Flight,
        arrival: Arrival,
        settled: SettledStep,
    ) -> Result<(), Died> {
        let draft = Draft { settled: Some(settled), ..Draft::default() };
        self.admit(flight.execution, arrival, draft)?;
        self.go_on(flight.execution)
    }
}

fn due_timers(life: &Life, now: Timestamp) -> impl Iterator<Item = Ready> {
    let replay = life.waiting.as_ref().map(|waiting| &waiting.replay);
    let due = replay.map(|replay| replay.due(now)).unwrap_or_default();
    let id = life.id;
    due.into_iter().map(move |promise| Ready::Timer(id, promise))
}
