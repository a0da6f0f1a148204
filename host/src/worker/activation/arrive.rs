//! Taking in what has arrived: ends of local steps, the inbox, timers, expiry.

use tracing::warn;

use super::super::attempt::Attempted;
use super::super::local::{LocalEnd, LocalStep};
use super::super::settle::Settlement;
use super::{Activation, Over};
use crate::journal::{Admission, Arrival, Replay};
use crate::model::{ExecutionState, Failure, Outcome, Span, StepUsage};
use crate::store::{NewDeadLetter, NewTask, NotedBy, RowChange, StoreError};

impl Activation {
    /// Takes in all that is there without waiting.
    pub(super) fn take_in_ready(&mut self, replay: &mut Replay) {
        while let Ok(end) = self.ends.try_recv() {
            self.take_end(replay, end);
        }
        let now = self.crew.clock.now();
        for promise in replay.due(now) {
            replay.admit(Arrival::Fired { promise }, now);
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            self.expire(replay);
        }
    }

    /// `max_duration` is over: ask the guest to end. `compensate_for` is over: ask nobody.
    fn expire(&mut self, replay: &mut Replay) {
        if replay.is_asked_to_end() {
            self.force.get_or_insert_with(|| "compensate_for has passed".to_owned());
        } else {
            self.ask_to_end(replay, Arrival::Expired);
        }
    }

    fn ask_to_end(&mut self, replay: &mut Replay, arrival: Arrival) {
        let now = self.crew.clock.now();
        if let Admission::Recorded(_) = replay.admit(arrival, now) {
            self.expires_at = Some(now + self.crew.limits.compensate_for);
            self.draft.row = RowChange::Stay {
                state: ExecutionState::Cancelling,
                expires_at: self.expires_at,
                base: None,
            };
        }
    }

    /// Reads the inbox and takes in what lies there.
    pub(super) async fn look(&mut self, replay: &mut Replay) -> Result<(), Over> {
        let (host, id) = (self.crew.host, self.id());
        match self.crew.ask(move |store| async move { store.inbox(host, id).await }).await {
            Ok(Some(inbox)) => {
                self.seen = inbox.seq;
                self.is_paused = inbox.is_paused;
                self.inbox = inbox;
                self.take_in_inbox(replay);
                Ok(())
            }
            Ok(None) | Err(StoreError::Fenced { .. }) => Err(Over::Done),
            Err(error) => {
                warn!(execution.id = %self.id(), error = %error, "The inbox could not be read; beginning again");
                Err(Over::Again)
            }
        }
    }

    /// Takes in what was read. Every row goes, whether it became an event or not.
    pub(super) fn take_in_inbox(&mut self, replay: &mut Replay) {
        for (id, arrival) in std::mem::take(&mut self.inbox.arrivals) {
            self.draft.admitted.push(id);
            self.take_arrival(replay, arrival);
        }
    }

    fn take_arrival(&mut self, replay: &mut Replay, arrival: Arrival) {
        match arrival {
            Arrival::Cancel { reason, force: true } => self.force = Some(reason),
            Arrival::Cancel { .. } | Arrival::Expired => self.ask_to_end(replay, arrival),
            Arrival::Settled { run, promise, .. } => {
                self.tasks.remove(&(run, promise));
                replay.admit(arrival, self.crew.clock.now());
            }
            Arrival::Signal { .. } | Arrival::Fired { .. } => {
                replay.admit(arrival, self.crew.clock.now());
            }
        }
    }

    /// A local step has ended. One that nobody knows was cancelled meanwhile.
    pub(super) fn take_end(&mut self, replay: &mut Replay, end: LocalEnd) {
        let Some(local) = self.locals.remove(&end.promise) else { return };
        let Some(attempted) = end.attempted else {
            let task = self.task_row(&local.call, self.crew.clock.now());
            return self.enqueue(task, local.call.run());
        };
        let Attempted { settlement, usage, notes, heartbeat, span } = attempted;
        match settlement {
            Settlement::Settled(outcome) => {
                self.settle_local(replay, &local, Settled { outcome, usage, notes, span });
            }
            Settlement::Dead(failure) => {
                self.draft.dead_letters.push(self.dead_letter(&local, &failure));
                let settled = Settled { outcome: Err(failure), usage, notes, span };
                self.settle_local(replay, &local, settled);
            }
            Settlement::RetryAt(at, failure) => {
                self.draft.notes.extend(notes);
                self.spans.extend(span.map(|span| *span));
                let task = NewTask {
                    visible_at: at,
                    attempt: local.attempt.number + 1,
                    schedule_by: None,
                    last_failure: Some(failure),
                    heartbeat,
                    ..self.task_row(&local.call, at)
                };
                self.enqueue(task, local.call.run());
            }
            Settlement::Lost | Settlement::GivenBack => {
                self.draft.notes.extend(notes);
                self.call_again(&local);
            }
        }
    }

    /// Nobody knows what came of a local step. Where the host stops, whoever activates next calls it again; else the sandbox
    /// could not run it, and any host may try in a moment.
    fn call_again(&mut self, local: &LocalStep) {
        if local.stop.is_cancelled() {
            return;
        }
        let at = self.crew.clock.now() + self.crew.limits.poll_interval.1;
        let task = NewTask {
            visible_at: at,
            attempt: local.attempt.number,
            ..self.task_row(&local.call, at)
        };
        self.enqueue(task, local.call.run());
    }

    fn settle_local(&mut self, replay: &mut Replay, local: &LocalStep, settled: Settled) {
        let Settled { outcome, usage, notes, span } = settled;
        let arrival = Arrival::Settled {
            run: local.call.run(),
            promise: local.attempt.promise,
            outcome,
            usage,
            attempt: local.attempt.number,
        };
        match replay.admit(arrival, self.crew.clock.now()) {
            Admission::Recorded(_) => {
                self.draft.notes.extend(notes);
                self.spans.extend(span.map(|span| *span));
            }
            Admission::Dropped => {
                let kept = notes.into_iter().filter(|noted| noted.note.survives_failure());
                self.draft.notes.extend(kept);
            }
        }
    }

    fn dead_letter(&self, local: &LocalStep, failure: &Failure) -> NewDeadLetter {
        NewDeadLetter {
            promise: local.attempt.promise,
            step: local.call.step().clone(),
            input: local.call.input_at(),
            attempts: local.attempt.number,
            failure: failure.clone(),
            at: self.crew.clock.now(),
            queue: Some(local.call.queue().clone()),
        }
    }
}

struct Settled {
    outcome: Outcome,
    usage: StepUsage,
    notes: Vec<NotedBy>,
    span: Option<Box<Span>>,
}
