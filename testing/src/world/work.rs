//! Steps under way: begun, replaced or run, ended, tried again; and what else a workflow asks for.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::executor::block_on;
use stepwell::journal::{Arrival, Effect, Replay, Stop};
use stepwell::model::{
    ChildOptions, Ending, ExecutionId, Failure, Name, Note, Payload, Promise, RetryPolicy, Run,
    Said, StepCall, StepReport, StepUsage, Timestamp, Trace, kind,
};
use stepwell::worker::{Settlement, settle};
use tokio_util::sync::CancellationToken;

use super::life::value;
use super::write::{Draft, SettledStep};
use super::{Died, Fate, World};
use crate::cue::Moment;
use crate::steps::Attempt;

/// A step whose attempts ran out.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The execution that called it.
    pub execution: ExecutionId,
    /// The step.
    pub step: String,
    /// How many attempts were made.
    pub attempts: u32,
    /// What the last one failed with.
    pub failure: Failure,
}

/// A child to be started.
#[derive(Debug)]
pub(super) struct Born {
    pub(super) promise: Promise,
    pub(super) run: Run,
    pub(super) child: ExecutionId,
    pub(super) workflow: Name,
    pub(super) input: Payload,
    pub(super) options: ChildOptions,
}

/// A call of a step, between its being called and its end.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) execution: ExecutionId,
    run: Run,
    promise: Promise,
    step: Name,
    input: Payload,
    retry: RetryPolicy,
    timeout: Duration,
    attempt: u32,
    heartbeat: Option<Payload>,
    /// Whether it outlives the host's death: a retry lies in the database, a first attempt only in memory.
    is_row: bool,
    /// What the attempt that runs will end with, and its place among the attempts.
    report: Option<(StepReport, usize)>,
}

/// All that is under way.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    /// Not begun, by when they may begin.
    due: BTreeMap<(Timestamp, u64), Flight>,
    /// Begun, by when they end.
    running: BTreeMap<(Timestamp, u64), Flight>,
    count: u64,
}

impl Flights {
    fn add(&mut self, at: Timestamp, flight: Flight) {
        self.count += 1;
        self.due.insert((at, self.count), flight);
    }

    fn holds(&self, of: (ExecutionId, Run, Promise)) -> bool {
        let mut all = self.due.values().chain(self.running.values());
        all.any(|flight| flight.of() == of)
    }

    pub(super) fn stop(&mut self, of: (ExecutionId, Run, Promise)) {
        self.due.retain(|_, flight| flight.of() != of);
        self.running.retain(|_, flight| flight.of() != of);
    }

    pub(super) fn drop_all_of(&mut self, id: ExecutionId) {
        self.due.retain(|_, flight| flight.execution != id);
        self.running.retain(|_, flight| flight.execution != id);
    }

    /// The steps of an execution whose instance is dropped become rows.
    pub(super) fn hand_over(&mut self, id: ExecutionId) {
        let all = self.due.values_mut().chain(self.running.values_mut());
        all.filter(|flight| flight.execution == id).for_each(|flight| flight.is_row = true);
    }

    /// The host is dead: what ran is lost, and rows may begin again.
    pub(super) fn lose(&mut self, now: Timestamp) {
        self.due.retain(|_, flight| flight.is_row);
        for ((_, number), mut flight) in std::mem::take(&mut self.running) {
            if flight.is_row {
                flight.report = None;
                self.due.insert((now, number), flight);
            }
        }
    }

    /// Those that end by now, and whose they are.
    pub(super) fn ended(&self, now: Timestamp) -> impl Iterator<Item = (u64, ExecutionId)> {
        let ended = self.running.range(..=(now, u64::MAX));
        ended.map(|((_, number), flight)| (*number, flight.execution))
    }

    pub(super) fn has_end_of(&self, id: ExecutionId, now: Timestamp) -> bool {
        self.ended(now).any(|(_, of)| of == id)
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let first =
            |flights: &BTreeMap<(Timestamp, u64), Flight>| flights.keys().next().map(|(at, _)| *at);
        [first(&self.due), first(&self.running)].into_iter().flatten().min()
    }

    fn take_due(&mut self, now: Timestamp) -> Option<(u64, Flight)> {
        let first = self.due.first_entry().filter(|first| first.key().0 <= now)?;
        let ((_, number), flight) = first.remove_entry();
        Some((number, flight))
    }

    fn take_ended(&mut self, number: u64) -> Option<Flight> {
        let key = self.running.keys().find(|(_, running)| *running == number).copied()?;
        self.running.remove(&key)
    }
}

impl Flight {
    fn of(&self) -> (ExecutionId, Run, Promise) {
        (self.execution, self.run, self.promise)
    }

    fn unreported(&self) -> Self {
        Self {
            step: self.step.clone(),
            input: self.input.clone(),
            retry: self.retry.clone(),
            heartbeat: self.heartbeat.clone(),
            report: None,
            ..*self
        }
    }
}

impl World {
    /// Begins and stops what the guest asked for since it last waited.
    pub(super) fn begin_work(&mut self, id: ExecutionId, replay: &mut Replay) -> Draft {
        let mut draft = Draft::default();
        for stop in replay.take_stops() {
            match stop {
                Stop::Call(promise) => self.flights.stop((id, replay.run(), promise)),
                Stop::Child(child) => {
                    let reason = format!("its parent {id} no longer needs it");
                    draft.messages.push((child, Arrival::Cancel { reason, force: false }));
                }
            }
        }
        for effect in replay.take_effects() {
            match effect {
                Effect::Call { .. } => self.consider_call(id, replay, effect),
                Effect::Child { promise, run, child, workflow, input, options } => {
                    let born = Born { promise, run, child, workflow, input, options };
                    self.consider_child(id, replay, born, &mut draft);
                }
            }
        }
        draft
    }

    fn consider_child(
        &mut self,
        id: ExecutionId,
        replay: &mut Replay,
        born: Born,
        draft: &mut Draft,
    ) {
        if self.stage.manifest.workflow(born.workflow.as_str()).is_none() {
            let message = format!("the module has no workflow {}", born.workflow);
            let failure = Failure::new(kind::UNKNOWN_WORKFLOW, message);
            return self.settle_here(replay, born.promise, failure);
        }
        self.life(id).children.insert(born.child, born.promise);
        draft.births.push(born);
    }

    /// A call that was made before may wait somewhere, or may have settled: only a lost one is called again.
    fn consider_call(&mut self, id: ExecutionId, replay: &mut Replay, effect: Effect) {
        let Effect::Call { promise, run, step, input, options, again, .. } = effect else { return };
        let is_known = again && self.flights.holds((id, run, promise));
        if is_known || !replay.awaits(promise) {
            return;
        }
        let Some(spec) = self.stage.manifest.step(step.as_str()) else {
            let known: Vec<_> =
                self.stage.manifest.steps.iter().map(|spec| spec.name.as_str()).collect();
            let message = format!("the module has no step {step}; it has {}", known.join(", "));
            let failure = Failure::new(kind::UNKNOWN_STEP, message);
            return self.settle_here(replay, promise, failure);
        };
        let flight = Flight {
            execution: id,
            run,
            promise,
            step,
            input,
            retry: options.retry.unwrap_or_else(|| spec.options.retry.clone()),
            timeout: options.timeout.unwrap_or(spec.options.timeout),
            attempt: 1,
            heartbeat: None,
            is_row: false,
            report: None,
        };
        self.flights.add(self.now, flight);
    }

    fn settle_here(&mut self, replay: &mut Replay, promise: Promise, failure: Failure) {
        let (run, usage) = (replay.run(), StepUsage::default());
        let arrival = Arrival::Settled { run, promise, outcome: Err(failure), usage, attempt: 0 };
        replay.admit(arrival, self.now);
    }

    /// Makes the next attempt that may begin. False: there is none.
    pub(super) fn begin_next_attempt(&mut self) -> Result<bool, Died> {
        let Some((number, mut flight)) = self.flights.take_due(self.now) else { return Ok(false) };
        let takes = self.scripts.takes(&flight.step);
        let mut report = self.attempt(&flight);
        if takes > flight.timeout {
            report.ending = Ending::Returned(Err(late(flight.timeout)));
        }
        let ends_at = self.now + takes.min(flight.timeout);
        let begun = Moment::Begun(flight.step.as_str().to_owned());
        flight.report = Some((report, self.attempts.len() - 1));
        self.flights.running.insert((ends_at, number), flight);
        match self.reach(&begun) {
            Fate::Lives => Ok(true),
            Fate::Dies => Err(Died),
        }
    }

    /// Runs one attempt, or what stands in for it.
    fn attempt(&mut self, flight: &Flight) -> StepReport {
        let life = self.life(flight.execution);
        let workflow = life.workflow.clone();
        let attempt = Attempt {
            execution: flight.execution,
            workflow: workflow.as_str().to_owned(),
            step: flight.step.as_str().to_owned(),
            input: value(&flight.input),
            number: flight.attempt,
            last_heartbeat: flight.heartbeat.as_ref().map(value),
            outcome: None,
        };
        let made = self.made.entry(flight.step.clone()).or_default();
        let before = *made;
        *made += 1;
        self.attempts.push(attempt.clone());
        if let Some(failure) = self.scripts.failure(&flight.step, before) {
            return replaced(Err(failure));
        }
        if let Some(answer) = self.scripts.replaced(&flight.step, &attempt) {
            return replaced(answer.map(|value| Payload::of(&value)));
        }
        let call = StepCall {
            execution: flight.execution,
            run: flight.run,
            workflow,
            promise: flight.promise,
            step: flight.step.clone(),
            input: flight.input.clone(),
            attempt: flight.attempt,
            timeout: flight.timeout,
            deadline: self.now + flight.timeout,
            last_heartbeat: flight.heartbeat.clone(),
            trace: Trace::of(flight.execution, None),
        };
        let stop = CancellationToken::new();
        block_on(self.stage.sandbox.run_step(&self.stage.module, call, stop))
    }

    /// An attempt has ended: it settles its promise, or is tried again.
    pub(super) fn end_attempt(&mut self, number: u64) -> Result<(), Died> {
        let Some(mut flight) = self.flights.take_ended(number) else { return Ok(()) };
        let Some((report, place)) = flight.report.take() else { return Ok(()) };
        let StepReport { ending, usage, notes, heartbeat } = report;
        if let Ending::Returned(outcome) = &ending {
            self.attempts[place].outcome = Some(outcome.clone());
        }
        let chance = self.order.chance();
        let settlement = settle(ending, &flight.retry, flight.attempt, chance, self.now);
        let is_result = matches!(settlement, Settlement::Settled(Ok(_)));
        let counts = |said: &Said| is_result || said.note.survives_failure();
        let notes: Vec<Note> = notes.into_iter().filter(counts).map(|said| said.note).collect();
        let (outcome, letter) = match settlement {
            Settlement::Settled(outcome) => (outcome, None),
            Settlement::Dead(failure) => {
                let letter = DeadLetter {
                    execution: flight.execution,
                    step: flight.step.as_str().to_owned(),
                    attempts: flight.attempt,
                    failure: failure.clone(),
                };
                (Err(failure), Some(letter))
            }
            Settlement::RetryAt(at, _failure) => {
                notes.into_iter().for_each(|note| self.life(flight.execution).note(note));
                let attempt = flight.attempt + 1;
                let heartbeat = heartbeat.or(flight.heartbeat);
                self.flights.add(at, Flight { attempt, heartbeat, is_row: true, ..flight });
                return Ok(());
            }
            Settlement::Lost | Settlement::GivenBack => {
                panic!("the sandbox could not run step {}", flight.step)
            }
        };
        let arrival = Arrival::Settled {
            run: flight.run,
            promise: flight.promise,
            outcome,
            usage,
            attempt: flight.attempt,
        };
        let step = flight.step.as_str().to_owned();
        // A row stays until the event is written: a host that dies before makes the attempt again.
        let row = flight.is_row.then(|| flight.of());
        if flight.is_row {
            self.flights.running.insert((self.now, number), flight.unreported());
        }
        let settled = SettledStep { promise: flight.promise, step, notes, letter, row };
        self.settle_step(&flight, arrival, settled)
    }
}

fn replaced(outcome: Result<Payload, Failure>) -> StepReport {
    StepReport {
        ending: Ending::Returned(outcome),
        usage: StepUsage::default(),
        notes: Vec::new(),
        heartbeat: None,
    }
}

fn late(timeout: Duration) -> Failure {
    let millis = timeout.as_millis();
    let message = format!(
        "the attempt took longer than its timeout of {millis} ms: raise the step's timeout, or split the work"
    );
    Failure::new(kind::DEADLINE_EXCEEDED, message)
}
