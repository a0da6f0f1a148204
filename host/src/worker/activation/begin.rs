//! Beginning and stopping what the guest asked for.

use std::time::Duration;

use super::super::attempt::Attempt;
use super::super::local::{self, LocalStep};
use super::super::meters::Where;
use super::Activation;
use super::children::Born;
use crate::journal::{Arrival, Effect, Redrive, Replay, Stop};
use crate::model::{
    CallLimits, CallOptions, Failure, Name, Payload, Promise, ResultKey, ResultOf, RetryPolicy,
    Routing, RoutingOptions, Run, Seq, StepSpec, StepUsage, Timestamp, kind,
};
use crate::store::{Keep, NewTask};

/// A call with everything decided.
#[derive(Debug, Clone)]
pub(in crate::worker) struct Call {
    promise: Promise,
    run: Run,
    step: Name,
    input: Payload,
    input_at: (Seq, u32),
    routing: Routing,
    retry: RetryPolicy,
    timeout: Duration,
    schedule_timeout: Option<Duration>,
    limits: CallLimits,
    /// How its result answers other calls, where it does.
    keep: Option<Keep>,
    /// The number of its first attempt.
    attempt: u32,
}

/// How many local steps of one execution may wait for a slot; further ones become task rows at once.
const LOCAL_QUEUE_MAX: usize = 512;

impl Activation {
    /// Begins and stops what the guest asked for since it last waited.
    pub(super) fn begin_work(&mut self, replay: &mut Replay) {
        for stop in replay.take_stops() {
            self.stop_work(stop, replay.run());
        }
        for effect in replay.take_effects() {
            match effect {
                Effect::Call { .. } => self.consider_call(replay, effect),
                Effect::Child { promise, run, child, workflow, input, options } => {
                    let born = Born { promise, run, child, workflow, input, options };
                    self.begin_child(replay, born);
                }
            }
        }
    }

    /// The run is over and everything was stopped that ends with it: what is left to begin are children that outlive it.
    pub(super) fn begin_last(&mut self, replay: &mut Replay) {
        for effect in replay.take_effects() {
            if let Effect::Child { promise, run, child, workflow, input, options } = effect
                && self.loaded.manifest.workflow(workflow.as_str()).is_some()
            {
                let born = Born { promise, run, child, workflow, input, options };
                self.begin_child(replay, born);
            }
        }
    }

    /// A call that was made before this activation may wait somewhere, or may have settled: only a lost one is called again.
    fn consider_call(&mut self, replay: &mut Replay, effect: Effect) {
        let Effect::Call { promise, run, input_at, step, input, options, again } = effect else {
            return;
        };
        let is_known = again && self.tasks.contains(&(run, promise));
        if is_known || !replay.awaits(promise) {
            return;
        }
        match self.loaded.manifest.step(step.as_str()) {
            Some(spec) => {
                let limits = CallLimits::of_call(&self.loaded.name, &step, &spec.options, &input);
                let keep = keep(&self.loaded.name, spec, &input, &options);
                let call = decide((promise, run), (input, input_at), spec, options);
                let call = Call { limits, keep, ..call }.redriven(self.redriven.get(&promise));
                self.begin_call(call);
            }
            None => self.refuse_step(replay, promise, &step),
        }
    }

    fn begin_call(&mut self, call: Call) {
        // Whether one that keeps its result runs at all, or has room in its limits, is for the store to say.
        let is_free = call.keep.is_none() && call.limits.is_empty();
        if is_free && self.runs_here(&call.routing) && self.locals.len() < self.locals_max() {
            self.begin_local(call);
        } else {
            let task = self.task_row(&call, self.crew.clock.now());
            self.enqueue(task, call.run);
        }
    }

    /// How many local steps may run or wait for a slot. Where others could help, whatever goes beyond this host's own slots
    /// is left to whoever is free.
    fn locals_max(&self) -> usize {
        if self.crew.has_peers() {
            self.crew.limits.max_concurrency.saturating_sub(self.tasks.len())
        } else {
            LOCAL_QUEUE_MAX
        }
    }

    fn runs_here(&self, routing: &Routing) -> bool {
        let is_paused = || self.crew.committer.is_paused(&routing.queue);
        self.crew.filter.takes(routing) && !self.crew.stop.soft.is_cancelled() && !is_paused()
    }

    fn begin_local(&mut self, call: Call) {
        let attempt = Attempt {
            execution: self.id(),
            run: call.run,
            workflow: self.row.workflow.clone(),
            promise: call.promise,
            step: call.step.clone(),
            queue: call.routing.queue.clone(),
            place: Where::Local,
            called_at: (call.attempt == 1).then(|| self.crew.clock.now()),
            input: call.input.clone(),
            number: call.attempt,
            timeout: call.timeout,
            retry: call.retry.clone(),
            heartbeat: None,
            trace: self.row.trace(),
        };
        let step = LocalStep { attempt, call, stop: self.crew.stop.over.child_token() };
        local::spawn(&self.crew, &self.loaded, &step, self.ends_in.clone());
        self.locals.insert(step.call.promise, step);
    }

    /// The row of a call that nobody has begun.
    pub(super) fn task_row(&self, call: &Call, now: Timestamp) -> NewTask {
        NewTask {
            id: self.crew.ids.task(),
            promise: call.promise,
            step: call.step.clone(),
            input: call.input_at,
            routing: call.routing.clone(),
            visible_at: now,
            attempt: call.attempt,
            timeout: call.timeout,
            schedule_by: call.schedule_timeout.map(|patience| now + patience),
            retry: call.retry.clone(),
            last_failure: None,
            heartbeat: None,
            owner: None,
            limits: call.limits.clone(),
            keep: call.keep.clone(),
        }
    }

    /// Leaves a call to whoever claims it.
    pub(super) fn enqueue(&mut self, task: NewTask, run: Run) {
        self.tasks.insert((run, task.promise));
        self.draft.tasks.push(task);
    }

    fn refuse_step(&mut self, replay: &mut Replay, promise: Promise, step: &Name) {
        let known: Vec<_> =
            self.loaded.manifest.steps.iter().map(|spec| spec.name.as_str()).collect();
        let message = format!("the module has no step {step}; it has {}", known.join(", "));
        self.settle_here(replay, promise, Failure::new(kind::UNKNOWN_STEP, message));
    }

    pub(super) fn settle_here(&mut self, replay: &mut Replay, promise: Promise, failure: Failure) {
        let arrival = Arrival::Settled {
            run: replay.run(),
            promise,
            outcome: Err(failure),
            usage: StepUsage::default(),
            attempt: 0,
        };
        replay.admit(arrival, self.crew.clock.now());
    }

    fn stop_work(&mut self, stop: Stop, run: Run) {
        match stop {
            Stop::Call(promise) => {
                if let Some(local) = self.locals.remove(&promise) {
                    local.stop.cancel();
                } else if self.tasks.remove(&(run, promise)) {
                    self.draft.dropped_tasks.push((run, promise));
                }
            }
            Stop::Child(child) => self.stop_child(child),
        }
    }
}

fn decide(
    (promise, run): (Promise, Run),
    (input, input_at): (Payload, (Seq, u32)),
    spec: &StepSpec,
    options: CallOptions,
) -> Call {
    Call {
        promise,
        run,
        step: spec.name.clone(),
        input,
        input_at,
        routing: route(&spec.options.routing, options.queue, options.tags, options.priority),
        retry: options.retry.unwrap_or_else(|| spec.options.retry.clone()),
        timeout: options.timeout.unwrap_or(spec.options.timeout),
        schedule_timeout: options.schedule_timeout.or(spec.options.schedule_timeout),
        limits: CallLimits::default(),
        keep: None,
        attempt: 1,
    }
}

/// How the result of a call is kept: for ever where the step is idempotent or only the caller gave a key, for `cache_ttl`
/// where it is cached.
fn keep(module: &Name, spec: &StepSpec, input: &Payload, options: &CallOptions) -> Option<Keep> {
    let declared = &spec.options;
    let is_cached = options.cached.unwrap_or(declared.cached);
    let of = ResultOf { module, step: &spec.name, version: &declared.version };
    let key = match &options.idempotency_key {
        Some(key) => ResultKey::of_key(of, key),
        None if declared.idempotent || is_cached => ResultKey::of_input(of, input),
        None => return None,
    };
    let ttl = declared.cache_ttl.filter(|_| is_cached && !declared.idempotent);
    Some(Keep { key, version: declared.version.clone(), ttl })
}

pub(super) fn route(
    declared: &RoutingOptions,
    queue: Option<Name>,
    tags: Option<Vec<Name>>,
    priority: Option<i32>,
) -> Routing {
    Routing {
        queue: queue.unwrap_or_else(|| declared.queue.clone()),
        tags: tags.unwrap_or_else(|| declared.tags.clone()),
        priority: priority.unwrap_or(declared.priority),
    }
}

impl Call {
    /// As a person had it made again, where that is so.
    fn redriven(mut self, redrive: Option<&Redrive>) -> Self {
        if let Some(Redrive { queue, attempts, .. }) = redrive {
            self.routing.queue = queue.clone().unwrap_or(self.routing.queue);
            self.attempt = attempts.saturating_add(1);
        }
        self
    }

    pub(super) fn run(&self) -> Run {
        self.run
    }

    pub(super) fn input_at(&self) -> (Seq, u32) {
        self.input_at
    }

    pub(super) fn step(&self) -> &Name {
        &self.step
    }

    pub(super) fn queue(&self) -> &Name {
        &self.routing.queue
    }
}
