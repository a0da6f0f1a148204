//! The test host: what tests do to it.

use std::path::Path;
use std::rc::Rc;

use serde_json::Value;
use stepwell::journal::Arrival;
use stepwell::model::{ExecutionId, Failure, Name, Payload, Timestamp};

use crate::cue::{Cue, Deed};
use crate::end::End;
use crate::load::{HOT_MAX, LoadError, Stage};
use crate::order::Order;
use crate::steps::{Attempt, Fails, Scripts};
use crate::timeline;
use crate::world::World;

/// A host in memory, for one module: see the documentation of this crate.
#[derive(Debug)]
pub struct TestHost {
    pub(crate) world: World,
}

/// Things that one execution may do before a test gives up on it.
const STEPS_MAX: u64 = 50_000_000;

impl TestHost {
    /// A host for the module of a file, relative to the folder of the package that is tested.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        Ok(Self::on(Stage::load(path.as_ref())?))
    }

    /// A host for a module by its bytes, which are compiled anew in every process: [`TestHost::load`] keeps what it compiled.
    pub fn of_bytes(wasm: &[u8]) -> Result<Self, LoadError> {
        Ok(Self::on(Stage::of(wasm)?))
    }

    fn on(stage: Stage) -> Self {
        Self { world: World::new(Rc::new(stage), Scripts::default(), Order::AsTheyCame, HOT_MAX) }
    }

    /// Another host for the same module, with the same steps replaced, on which nothing has run.
    pub(crate) fn another(&self, order: Order) -> Self {
        let World { stage, scripts, hot_max, began, .. } = &self.world;
        let mut world = World::new(Rc::clone(stage), scripts.clone(), order, *hot_max);
        (world.began, world.now) = (*began, *began);
        Self { world }
    }

    /// Where several things may happen next, this seed decides which does: ends of steps, arrivals, timers. Without one they
    /// happen in the order in which they came about. The seed also decides what [`stepwell_sdk::random`] gives, and jitter.
    ///
    /// [`stepwell_sdk::random`]: https://docs.rs/stepwell-sdk
    #[must_use]
    pub fn shuffled(mut self, seed: u64) -> Self {
        self.world.order = Order::shuffled(seed);
        self
    }

    /// The wall clock that the host begins with, in microseconds since 1970. It is 2026-01-01T00:00:00Z unless this is said.
    ///
    /// # Panics
    /// Where something was started already.
    #[must_use]
    #[track_caller]
    pub fn starting_at(mut self, micros: i64) -> Self {
        assert!(self.world.lives.is_empty(), "say `starting_at` before anything is started");
        let start = Timestamp::from_micros(micros);
        (self.world.began, self.world.now) = (start, start);
        self
    }

    /// Keeps no workflow in memory while it waits: each goes on by a replay of its journal, which shows whether it is
    /// deterministic.
    #[must_use]
    pub fn never_hot(mut self) -> Self {
        self.world.hot_max = 0;
        self
    }

    /// Has a closure stand in for a step. Its retry policy still holds.
    ///
    /// # Panics
    /// Where the module has no such step.
    #[track_caller]
    pub fn replace(
        &mut self,
        step: &str,
        mut replacement: impl FnMut(Value) -> Result<Value, Failure> + 'static,
    ) {
        self.replace_attempts(step, move |attempt| replacement(attempt.input.clone()));
    }

    /// The same for a closure that wants to know the attempt's number, who called, or the heartbeat before.
    ///
    /// # Panics
    /// Where the module has no such step.
    #[track_caller]
    pub fn replace_attempts(
        &mut self,
        step: &str,
        replacement: impl FnMut(&Attempt) -> Result<Value, Failure> + 'static,
    ) {
        let step = self.step_named(step);
        let replacement = Box::new(replacement);
        self.world.scripts.change(&step, |script| script.replacement = Some(replacement));
    }

    /// Every attempt of a step fails, and the step itself is not run.
    ///
    /// # Panics
    /// Where the module has no such step.
    #[track_caller]
    pub fn fail(&mut self, step: &str, failure: Failure) {
        self.fail_times(step, u32::MAX, failure);
    }

    /// The first attempts of a step fail, so many over all calls; further ones go as they would.
    ///
    /// # Panics
    /// Where the module has no such step.
    #[track_caller]
    pub fn fail_times(&mut self, step: &str, times: u32, failure: Failure) {
        let step = self.step_named(step);
        let fails = Fails { times, failure };
        self.world.scripts.change(&step, |script| script.fails = Some(fails));
    }

    /// Every attempt of a step takes that much virtual time; without this, none. What it does it does at its beginning, so
    /// that a step which is stopped meanwhile has done its work and nobody hears of it. One that takes longer than the step's
    /// `timeout` fails when that has passed.
    ///
    /// # Panics
    /// Where the module has no such step, or the text is no duration.
    #[track_caller]
    pub fn takes(&mut self, step: &str, time: &str) {
        let (step, time) = (self.step_named(step), crate::duration(time));
        self.world.scripts.change(&step, |script| script.takes = time);
    }

    #[track_caller]
    fn step_named(&self, step: &str) -> Name {
        let steps = &self.world.stage.manifest.steps;
        let found = steps.iter().find(|spec| spec.name.as_str() == step);
        let known = || steps.iter().map(|spec| spec.name.as_str()).collect::<Vec<_>>().join(", ");
        match found {
            Some(spec) => spec.name.clone(),
            None => panic!("the module has no step {step}; it has {}", known()),
        }
    }

    /// Starts an execution; nothing of it happens yet.
    ///
    /// # Panics
    /// Where the module has no such workflow.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "tests say `json!(...)` and nothing before it"
    )]
    pub fn start(&mut self, workflow: &str, input: Value) -> ExecutionId {
        let name = self.workflow_named(workflow);
        self.world.start(name, Payload::of(&input))
    }

    /// The same under an idempotency key: the second start of one key gives the execution of the first. Its id is that which
    /// every host would give it.
    ///
    /// # Panics
    /// Where the module has no such workflow.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "tests say `json!(...)` and nothing before it"
    )]
    pub fn start_once(&mut self, workflow: &str, key: &str, input: Value) -> ExecutionId {
        let name = self.workflow_named(workflow);
        let id = ExecutionId::of_key(&name, key);
        if self.world.find(id).is_none() {
            self.world.start_as(id, name, Payload::of(&input));
        }
        id
    }

    #[track_caller]
    fn workflow_named(&self, workflow: &str) -> Name {
        let workflows = &self.world.stage.manifest.workflows;
        let found = workflows.iter().find(|spec| spec.name.as_str() == workflow);
        let known =
            || workflows.iter().map(|spec| spec.name.as_str()).collect::<Vec<_>>().join(", ");
        let Some(spec) = found else {
            panic!("the module has no workflow {workflow}; it has {}", known())
        };
        spec.name.clone()
    }

    /// Starts an execution and waits for its end, for as long in virtual time as it takes.
    ///
    /// # Panics
    /// As [`TestHost::start`] and [`TestHost::end`] do.
    #[track_caller]
    pub fn run(&mut self, workflow: &str, input: Value) -> End {
        let id = self.start(workflow, input);
        self.end(id)
    }

    /// Waits for the end of an execution, for as long in virtual time as it takes. Others go on meanwhile.
    ///
    /// # Panics
    /// Where nothing is left that could happen, and it has not ended: it waits for a signal that nobody sends.
    #[track_caller]
    pub fn end(&mut self, execution: ExecutionId) -> End {
        for _ in 0..STEPS_MAX {
            let life = self.life(execution);
            if life.is_over() {
                return End {
                    state: life.state,
                    outcome: match &life.outcome {
                        Some(Ok(payload)) => Ok(crate::world::value(payload)),
                        Some(Err(failure)) => Err(failure.clone()),
                        None => Ok(Value::Null),
                    },
                };
            }
            if !self.world.step() {
                let due = self.world.next_due().unwrap_or_else(|| self.stuck(execution));
                self.world.wait_until(due);
            }
        }
        panic!("{execution} does not end: it did {STEPS_MAX} things")
    }

    #[track_caller]
    fn stuck(&self, execution: ExecutionId) -> ! {
        let life = self.life(execution);
        let open = timeline::open(life).join(", ");
        panic!(
            "{} {execution} does not end: it waits for {open}, and nothing is left that could happen; send the signal with \
             `signal`, or on a cue with `when`",
            life.workflow
        )
    }

    /// Lets that much virtual time pass, and all happen that is due within it.
    ///
    /// # Panics
    /// Where the text is no duration.
    #[track_caller]
    pub fn advance(&mut self, time: &str) {
        let until = self.world.now + crate::duration(time);
        loop {
            self.settle();
            match self.world.next_due().filter(|due| *due <= until) {
                Some(due) => self.world.wait_until(due),
                None => break,
            }
        }
        self.world.wait_until(until);
        self.settle();
    }

    /// Lets all happen that can without time passing.
    pub fn settle(&mut self) {
        while self.world.step() {}
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// Where the execution has ended, which a host answers with 409, or the name is none.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "tests say `json!(...)` and nothing before it"
    )]
    pub fn signal(&mut self, execution: ExecutionId, name: &str, payload: Value) {
        let signal = match Name::new(name) {
            Ok(name) => name,
            Err(bad) => panic!("{bad}"),
        };
        let arrival = Arrival::Signal { signal, payload: Payload::of(&payload), id: None };
        let state = self.life(execution).state;
        let taken = self.world.send(execution, arrival);
        assert!(taken, "{execution} {}: a host refuses the signal {name} (409)", state.predicate());
    }

    /// Asks an execution to end. One that has ended is left as it is.
    pub fn cancel(&mut self, execution: ExecutionId, reason: &str) {
        self.world.send(execution, Arrival::Cancel { reason: reason.to_owned(), force: false });
    }

    /// Ends an execution without asking it.
    pub fn cancel_by_force(&mut self, execution: ExecutionId, reason: &str) {
        self.world.send(execution, Arrival::Cancel { reason: reason.to_owned(), force: true });
    }

    /// The host dies and another one goes on: all workflows are replayed, steps that ran are made again.
    pub fn crash(&mut self) {
        self.world.crash();
    }

    /// Has something done when something happens.
    ///
    /// ```no_run
    /// # use stepwell_testing::{Cue, TestHost, json};
    /// # let mut host = TestHost::load("approval.wasm").unwrap();
    /// let id = host.start("approval", json!({ "subject": "a lamp", "timeout": "48h" }));
    /// host.when(Cue::settled("ask")).signal(id, "approval", json!({ "by": "ada", "approved": true }));
    /// host.when(Cue::after("36h")).cancel(id, "no longer wanted");
    /// ```
    pub fn when(&mut self, cue: Cue) -> When<'_> {
        When { world: &mut self.world, cue }
    }

    #[track_caller]
    pub(crate) fn life(&self, execution: ExecutionId) -> &crate::world::Life {
        match self.world.find(execution) {
            Some(life) => life,
            None => panic!("{execution} is of another test host"),
        }
    }
}

/// What [`TestHost::when`] returns.
#[derive(Debug)]
#[must_use = "say what is to be done"]
pub struct When<'a> {
    world: &'a mut World,
    cue: Cue,
}

impl When<'_> {
    /// Sends a signal. Where the execution has ended it is not sent.
    pub fn signal(self, execution: ExecutionId, name: &str, payload: Value) {
        self.world.when(self.cue, Deed::Signal { execution, name: name.to_owned(), payload });
    }

    /// Asks an execution to end.
    pub fn cancel(self, execution: ExecutionId, reason: &str) {
        self.world.when(self.cue, Deed::Cancel { execution, reason: reason.to_owned() });
    }

    /// The host dies, and another one goes on.
    pub fn crash(self) {
        self.world.when(self.cue, Deed::Crash);
    }
}
