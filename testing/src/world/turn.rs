//! Activations: a guest runs until it waits, and what it did is begun and written; or it ends.

use futures::executor::block_on;
use stepwell::journal::{Arrival, Blocked, Ended, NextRun, Replay, Stop};
use stepwell::model::{ExecutionId, ExecutionState, Failure, ModuleDigest, Outcome, kind};
use stepwell::sandbox::{Broken, Turn, WorkflowGuest};

use super::life::{Parked, Waiting};
use super::write::Draft;
use super::{Died, Life, World};

/// Why a guest runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// It was replayed: nothing has reached it yet.
    Woken,
    /// Something has reached it.
    Told,
}

/// A guest that waits from now on.
struct Waiter {
    id: ExecutionId,
    guest: WorkflowGuest,
    replay: Replay,
    since: Since,
}

impl World {
    /// Replays an execution from its journal, and lets it go on.
    pub(super) fn activate(&mut self, id: ExecutionId) -> Result<(), Died> {
        let limits = self.stage.limits.clone();
        let now = self.now;
        let life = self.life(id);
        life.parked = None;
        life.children.clear();
        let replay = Replay::new(id, life.run, life.effective(), &limits);
        let replay = replay.expect("every journal begins with what was started");
        if let Some((state, failure)) = ends_before_beginning(life, &replay, now) {
            return self.end_as(id, replay, state, failure);
        }
        if life.state == ExecutionState::Pending {
            life.state = ExecutionState::Running;
        }
        let guest = self.stage.sandbox.run_workflow(&self.stage.module, replay);
        self.drive(id, guest, Since::Woken)
    }

    /// Lets a guest go on until it waits for what has not arrived, or ends.
    pub(super) fn drive(
        &mut self,
        id: ExecutionId,
        mut guest: WorkflowGuest,
        since: Since,
    ) -> Result<(), Died> {
        while let Some(next) = self.take_turn(id, guest, since)? {
            guest = next;
        }
        Ok(())
    }

    /// Takes what the guest's next turn came to. The guest that goes on; none where it waits or has ended.
    fn take_turn(
        &mut self,
        id: ExecutionId,
        mut guest: WorkflowGuest,
        since: Since,
    ) -> Result<Option<WorkflowGuest>, Died> {
        match block_on(guest.turn()) {
            Turn::Waits(mut replay) => {
                self.rest(id, &mut replay)?;
                if !replay.has_ahead() {
                    self.wait(Waiter { id, guest, replay, since });
                    return Ok(None);
                }
                guest.resume(replay);
                Ok(Some(guest))
            }
            Turn::Returned(replay, outcome, fuel) => {
                let next = self.returned(id, replay, outcome, fuel)?;
                let begin = |replay| self.stage.sandbox.run_workflow(&self.stage.module, replay);
                Ok(next.map(begin))
            }
            Turn::Broke(replay, broken, fuel) => {
                self.broke(id, replay, broken, fuel).map(|()| None)
            }
            Turn::Lost(error) => panic!("the sandbox could not run {id}: {error}"),
        }
    }

    /// Begins what was called, and writes.
    fn rest(&mut self, id: ExecutionId, replay: &mut Replay) -> Result<(), Died> {
        let draft = self.begin_work(id, replay);
        let mut existing = self.commit(id, replay, draft)?;
        while !existing.is_empty() {
            for child in std::mem::take(&mut existing) {
                self.settle_existing(id, replay, child);
            }
            existing = self.commit(id, replay, Draft::default())?;
        }
        Ok(())
    }

    /// Keeps a guest that waits, and parks the one that has waited longest where there are too many. One that was just woken is
    /// kept until what woke it has reached it.
    fn wait(&mut self, waiter: Waiter) {
        let Waiter { id, guest, replay, since } = waiter;
        self.waits += 1;
        let place = self.waits;
        self.life(id).waiting = Some(Waiting { guest, replay, since: place });
        let may_park = |life: &&Life| since == Since::Told || life.id != id;
        let order = |life: &Life| life.waiting.as_ref().map(|waiting| (waiting.since, life.id));
        let longest = self.lives.iter().filter(may_park).filter_map(order).min();
        if self.hot() > self.hot_max
            && let Some((_, longest)) = longest
        {
            self.park(longest);
        }
    }

    /// How many instances are in memory.
    pub(super) fn hot(&self) -> usize {
        self.lives.iter().filter(|life| life.waiting.is_some()).count()
    }

    /// Drops an instance. Its steps go on, and their ends wake it.
    fn park(&mut self, id: ExecutionId) {
        let life = self.life(id);
        if let Some(waiting) = life.waiting.take() {
            life.parked = Some(Parked { next_timer: waiting.replay.next_timer() });
            self.flights.hand_over(id);
        }
    }

    fn returned(
        &mut self,
        id: ExecutionId,
        mut replay: Replay,
        outcome: Outcome,
        fuel: u64,
    ) -> Result<Option<Replay>, Died> {
        if let Err(divergence) = replay.finish() {
            self.block(id, divergence.into());
            return Ok(None);
        }
        let next_input = if outcome.is_ok() { replay.continued().cloned() } else { None };
        let Some(input) = next_input else {
            let ended = replay.end(outcome, fuel, self.now);
            return self.end(id, replay, &ended).map(|()| None);
        };
        let mut draft = self.begin_last(id, &mut replay);
        let (now, limits) = (self.now, self.stage.limits.clone());
        let module: ModuleDigest = self.stage.module.digest();
        let NextRun { mut replay, base: _, stops } =
            replay.continue_as_new(input, module, &limits, now);
        stop_children(id, stops, &mut draft);
        // Detached children that the run before started at the very last.
        let inherited = self.begin_work(id, &mut replay);
        draft.births.extend(inherited.births);
        self.commit(id, &mut replay, draft)?;
        Ok(Some(replay))
    }

    fn broke(
        &mut self,
        id: ExecutionId,
        mut replay: Replay,
        broken: Broken,
        fuel: u64,
    ) -> Result<(), Died> {
        match broken {
            Broken::Diverged(divergence) => self.block(id, divergence.into()),
            Broken::Failed(failure) if !replay.is_live() => {
                let message = format!(
                    "it failed while it was replayed, where it had gone on before: {failure}"
                );
                self.block(id, Blocked { kind: "diverged".to_owned(), message });
            }
            Broken::Failed(failure) => {
                let ended = replay.end(Err(failure), fuel, self.now);
                return self.end(id, replay, &ended);
            }
            Broken::Stuck => panic!(
                "workflow {} ran for {:?} without waiting: move the work to a step",
                replay.workflow(),
                self.stage.limits.segment_time_max
            ),
            Broken::Host(error) => panic!("the sandbox could not run {id}: {error}"),
        }
        Ok(())
    }

    /// What is pending came of a mistaken guest: nothing of it is written.
    fn block(&mut self, id: ExecutionId, why: Blocked) {
        self.flights.drop_all_of(id);
        let life = self.life(id);
        life.state = ExecutionState::Blocked;
        life.outcome = Some(Err(why.into()));
    }

    /// Ends in this state, whatever the guest would say.
    pub(super) fn end_as(
        &mut self,
        id: ExecutionId,
        mut replay: Replay,
        state: ExecutionState,
        failure: Failure,
    ) -> Result<(), Died> {
        let ended = replay.end_as(state, Err(failure), 0, self.now);
        self.end(id, replay, &ended)
    }

    /// Writes the end, tells the parent, stops what is still open.
    fn end(&mut self, id: ExecutionId, mut replay: Replay, _ended: &Ended) -> Result<(), Died> {
        let mut draft = self.begin_last(id, &mut replay);
        let rest = self.begin_work(id, &mut replay);
        draft.births.extend(rest.births);
        self.commit(id, &mut replay, draft).map(|_existing| ())
    }

    /// The run is over and everything stops that ends with it: what is left to begin are children that outlive it.
    fn begin_last(&mut self, id: ExecutionId, replay: &mut Replay) -> Draft {
        let stops = replay.stop_all();
        let mut draft = self.begin_work(id, replay);
        stop_children(id, stops, &mut draft);
        draft
    }
}

/// What was cancelled, or has expired, before it began never begins; and what is to end by force is not asked.
fn ends_before_beginning(
    life: &Life,
    replay: &Replay,
    now: stepwell::model::Timestamp,
) -> Option<(ExecutionState, Failure)> {
    let has_begun = replay.entries() > 1;
    let cancelled = life.inbox.iter().find_map(|arrival| match arrival {
        Arrival::Cancel { reason, force } if *force || !has_begun => Some(reason.clone()),
        Arrival::Cancel { .. }
        | Arrival::Settled { .. }
        | Arrival::Fired { .. }
        | Arrival::Signal { .. }
        | Arrival::Expired => None,
    });
    if let Some(reason) = cancelled {
        return Some((ExecutionState::Cancelled, Failure::new(kind::CANCELLED, reason)));
    }
    let has_expired = !has_begun && life.expires_at.is_some_and(|at| at <= now);
    let late = || Failure::new(kind::TIMED_OUT, "max_duration has passed");
    has_expired.then(|| (ExecutionState::TimedOut, late()))
}

fn stop_children(id: ExecutionId, stops: Vec<Stop>, draft: &mut Draft) {
    for stop in stops {
        if let Stop::Child(child) = stop {
            let reason = format!("its parent {id} no longer needs it");
            draft.messages.push((child, Arrival::Cancel { reason, force: false }));
        }
    }
}
