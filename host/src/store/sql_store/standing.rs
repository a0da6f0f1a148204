//! Where an execution stands, read under a lock, and every change of it. What wakes, parks or ends an execution is decided
//! here and nowhere else; the row is written back once.

use crate::journal::Arrival;
use crate::model::{ExecutionId, ExecutionState, Failure, HostId, Name, Run, Seq, Timestamp, Wake};
use crate::store::error::StoreError;
use crate::store::row::{Reading, Row};
use crate::store::value::{Value, values};

/// The part of an execution's row that changes.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) id: ExecutionId,
    pub(super) owner: Option<HostId>,
    pub(super) state: ExecutionState,
    pub(super) run: Run,
    pub(super) paused_at: Option<Timestamp>,
    pub(super) ready: bool,
    pub(super) visible_at: Option<Timestamp>,
    pub(super) inbox_seq: i64,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) base: Seq,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) failure_kind: Option<String>,
    pub(super) failure: Option<String>,
    pub(super) queue: Name,
    /// Losses in a row without a new entry, as of the last death: whatever ends in good order begins to count anew.
    pub(super) losses: u32,
    /// Whether any of its tasks has a limit.
    pub(super) limited: bool,
    /// Whether anything was changed.
    pub(super) changed: bool,
}

/// A person's wish about an execution that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Urgency {
    /// Wait for the owner, or for what the execution waits for.
    Ordinary,
    /// Begin it, so that it can end.
    Cancel,
    /// Begin it whatever holds it.
    Force,
}

impl Urgency {
    fn of(arrival: &Arrival) -> Self {
        match arrival {
            Arrival::Cancel { force: true, .. } => Self::Force,
            Arrival::Cancel { force: false, .. } => Self::Cancel,
            Arrival::Settled { .. }
            | Arrival::Fired { .. }
            | Arrival::Signal { .. }
            | Arrival::Expired => Self::Ordinary,
        }
    }
}

impl Standing {
    /// Reads a row of `lock_executions`.
    pub(super) fn read(row: Row) -> Result<Self, StoreError> {
        let mut row = Reading::of("executions", row);
        Ok(Self {
            id: row.execution("id")?,
            owner: row.opt_host("owner")?,
            state: row.word("state")?,
            run: Run(row.number("run")?),
            paused_at: row.opt_time("paused_at")?,
            ready: row.flag("ready")?,
            visible_at: row.opt_time("visible_at")?,
            inbox_seq: row.i64("inbox_seq")?,
            expires_at: row.opt_time("expires_at")?,
            base: Seq(row.number("base")?),
            completed_at: row.opt_time("completed_at")?,
            failure_kind: row.opt_text("failure_kind")?,
            failure: row.opt_text("failure")?,
            queue: row.name("queue")?,
            losses: row.number("losses")?,
            limited: row.flag("limited")?,
            changed: false,
        })
    }

    /// A row for `change_executions`.
    pub(super) fn row(&self) -> [Value; 14] {
        values![
            self.id,
            self.run,
            self.state.as_str(),
            self.owner,
            self.paused_at,
            self.ready,
            self.visible_at,
            self.inbox_seq,
            self.expires_at,
            self.base,
            self.completed_at,
            self.failure_kind.clone(),
            Value::secret_text("executions.failure", self.failure.clone()),
            self.losses,
        ]
    }

    /// Whether that host may write it.
    pub(super) fn is_owned_by(&self, host: HostId) -> bool {
        self.owner == Some(host)
    }

    /// An arrival comes in. False: it has ended, and nothing may be inserted.
    pub(super) fn receive(&mut self, arrival: &Arrival, now: Timestamp) -> bool {
        if self.state.is_terminal() {
            return false;
        }
        self.changed = true;
        self.inbox_seq += 1;
        if self.owner.is_none() && !self.ready && self.wakes_for(Urgency::of(arrival)) {
            self.make_ready(now);
        }
        true
    }

    fn wakes_for(&self, urgency: Urgency) -> bool {
        use ExecutionState::{
            Blocked, Cancelled, Cancelling, Completed, Failed, Pending, Running, TimedOut, Waiting,
        };
        if urgency == Urgency::Force {
            return true;
        }
        let by_state = match self.state {
            Running | Waiting | Cancelling => true,
            Pending => urgency == Urgency::Cancel,
            Blocked | Completed | Failed | TimedOut | Cancelled => false,
        };
        by_state && self.paused_at.is_none()
    }

    /// Who should hear that it has received something.
    pub(super) fn wake(&self) -> Option<Wake> {
        match self.owner {
            Some(owner) => Some(Wake::Arrival { owner, execution: self.id }),
            None => self.ready.then(|| Wake::Work { queue: self.queue.clone() }),
        }
    }

    fn make_ready(&mut self, now: Timestamp) {
        self.ready = true;
        self.visible_at = Some(now);
    }

    /// A host has it from now on, where nobody has it.
    pub(super) fn take(&mut self, host: HostId) {
        if self.owner.is_none() {
            self.changed = true;
            self.owner = Some(host);
            self.ready = false;
            self.visible_at = None;
        }
    }

    /// It stays with its owner.
    pub(super) fn stay(
        &mut self,
        state: ExecutionState,
        expires_at: Option<Timestamp>,
        base: Option<Seq>,
    ) {
        self.changed = true;
        self.state = state;
        self.expires_at = expires_at;
        self.base = base.unwrap_or(self.base);
    }

    /// It gives up its owner and waits, unless something has arrived since `seen`.
    pub(super) fn park(&mut self, seen: i64, next_timer: Option<Timestamp>, now: Timestamp) {
        self.changed = true;
        self.owner = None;
        self.losses = 0;
        if self.state != ExecutionState::Cancelling {
            self.state = ExecutionState::Waiting;
        }
        // A paused one too: what has arrived may end it by force.
        if self.inbox_seq > seen {
            return self.make_ready(now);
        }
        // Whether a timer is due is for the promotion to say, which is told the time: one clock decides.
        self.ready = false;
        self.visible_at = [next_timer, self.expires_at].into_iter().flatten().min();
    }

    /// It gives up its owner and any host may go on with it, or park it where it is paused.
    pub(super) fn release(&mut self, now: Timestamp) {
        self.changed = true;
        self.owner = None;
        self.losses = 0;
        self.make_ready(now);
    }

    /// It has ended.
    pub(super) fn end(
        &mut self,
        state: ExecutionState,
        at: Timestamp,
        failure_kind: Option<String>,
        failure: Option<String>,
    ) {
        self.changed = true;
        self.rest(state);
        self.completed_at = Some(at);
        self.failure_kind = failure_kind;
        self.failure = failure;
    }

    /// It cannot go on without a person.
    pub(super) fn block(&mut self, why: &Failure) {
        self.changed = true;
        self.rest(ExecutionState::Blocked);
        self.failure_kind = Some(why.kind.clone());
        self.failure = serde_json::to_string(why).ok();
    }

    fn rest(&mut self, state: ExecutionState) {
        self.state = state;
        self.owner = None;
        self.ready = false;
        self.visible_at = None;
    }

    /// Nobody takes it until it is resumed; its owner, where there is one, parks it.
    pub(super) fn pause(&mut self, at: Timestamp) {
        self.changed = true;
        self.paused_at = Some(at);
        self.ready = false;
    }

    /// It may be taken again. Looking once too often is cheap, so it is ready unless it is delayed, or waits for a person.
    pub(super) fn resume(&mut self, now: Timestamp) {
        use ExecutionState::{
            Blocked, Cancelled, Cancelling, Completed, Failed, Pending, Running, TimedOut, Waiting,
        };
        self.changed = true;
        self.paused_at = None;
        self.losses = 0;
        let may_go_on = match self.state {
            Running | Waiting | Cancelling => true,
            Pending => self.visible_at.is_none_or(|due| due <= now),
            // A person lets it go on from where it stands.
            Blocked => {
                self.state = Waiting;
                (self.failure_kind, self.failure) = (None, None);
                true
            }
            Completed | Failed | TimedOut | Cancelled => false,
        };
        if may_go_on && self.owner.is_none() {
            self.make_ready(now);
        }
    }

    /// It begins its next run.
    pub(super) fn revive(&mut self, now: Timestamp) {
        self.changed = true;
        self.run = self.run.next();
        self.state = ExecutionState::Waiting;
        self.release(now);
        self.ready = self.paused_at.is_none();
        self.completed_at = None;
        self.failure_kind = None;
        self.failure = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    fn standing(state: ExecutionState) -> Standing {
        Standing {
            id: ExecutionId::from_bytes([1; 16]),
            owner: None,
            state,
            run: Run(0),
            paused_at: None,
            ready: false,
            visible_at: None,
            inbox_seq: 0,
            expires_at: None,
            base: Seq(0),
            completed_at: None,
            failure_kind: None,
            failure: None,
            queue: Name::default_queue(),
            losses: 0,
            limited: false,
            changed: false,
        }
    }

    const CANCEL: Arrival = Arrival::Cancel { reason: String::new(), force: false };
    const FORCE: Arrival = Arrival::Cancel { reason: String::new(), force: true };

    #[test]
    fn an_arrival_wakes_what_is_parked_and_never_what_has_an_owner() {
        let now = Timestamp::from_micros(5);
        let mut parked = standing(ExecutionState::Waiting);
        let mut owned = standing(ExecutionState::Running);
        owned.owner = Some(HostId::from_bytes([2; 16]));

        assert!(parked.receive(&Arrival::Expired, now) && parked.ready);
        assert!(owned.receive(&FORCE, now) && !owned.ready);
        assert_eq!((parked.inbox_seq, owned.inbox_seq), (1, 1));
    }

    #[test]
    fn only_force_moves_what_waits_for_a_person() {
        let now = Timestamp::from_micros(5);
        for (arrival, moves) in [(CANCEL, false), (FORCE, true)] {
            let mut blocked = standing(ExecutionState::Blocked);
            let mut paused = standing(ExecutionState::Waiting);
            paused.pause(now);

            assert!(blocked.receive(&arrival, now) && paused.receive(&arrival, now));

            assert_eq!((blocked.ready, paused.ready), (moves, moves));
        }
    }

    #[test]
    fn what_arrived_while_parking_wakes_at_once() {
        let (now, timer) = (Timestamp::from_micros(5), Timestamp::from_micros(90));
        let mut quiet = standing(ExecutionState::Running);
        let mut busy = standing(ExecutionState::Running);
        busy.inbox_seq = 3;

        quiet.park(0, Some(timer), now);
        busy.park(2, Some(timer), now);

        assert_eq!((quiet.ready, quiet.visible_at), (false, Some(timer)));
        assert_eq!((busy.ready, busy.visible_at), (true, Some(now)));
    }

    #[test]
    fn what_has_ended_receives_nothing() {
        for state in ExecutionState::ALL.into_iter().filter(|state| state.is_terminal()) {
            assert!(!standing(state).receive(&FORCE, Timestamp::default()));
        }
    }
}
