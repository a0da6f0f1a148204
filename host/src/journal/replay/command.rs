//! What the guest does, compared with what it did.

use super::super::divergence::{Halt, elsewhere, other};
use super::super::entry::{Body, CommandEntry, Recorded};
use super::Replay;
use super::promises::Work;
use crate::model::{
    CallOptions, ChildOptions, ExecutionId, Failure, Name, Payload, Promise, Run, Seq, Timestamp,
    kind,
};

/// What a guest can do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Call a step.
    Call {
        /// The step.
        step: Name,
        /// Its argument.
        input: Payload,
        /// What the caller decided.
        options: CallOptions,
    },
    /// Call a step many times.
    CallMany {
        /// The step.
        step: Name,
        /// Its arguments.
        inputs: Vec<Payload>,
        /// What the caller decided, for each.
        options: CallOptions,
    },
    /// Start another workflow.
    StartChild {
        /// The workflow.
        workflow: Name,
        /// Its argument.
        input: Payload,
        /// What the parent decided.
        options: ChildOptions,
    },
    /// Wait for a time.
    Sleep {
        /// How long.
        milliseconds: u64,
    },
    /// Wait for a signal.
    Receive {
        /// Its name.
        signal: Name,
    },
    /// No longer care for these.
    Cancel {
        /// Which.
        promises: Vec<Promise>,
    },
    /// Begin another run on return.
    ContinueAsNew {
        /// Its argument.
        input: Payload,
    },
}

/// Work that the owner has to begin.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Run a step.
    Call {
        /// What it settles.
        promise: Promise,
        /// The run that it settles in.
        run: Run,
        /// The entry that holds its input, and the place among the inputs of a call-many.
        input_at: (Seq, u32),
        /// The step.
        step: Name,
        /// Its argument.
        input: Payload,
        /// What the caller decided.
        options: CallOptions,
        /// Whether it was called before, and may wait or run somewhere: look before calling it again.
        again: bool,
    },
    /// Start a child.
    Child {
        /// What it settles.
        promise: Promise,
        /// The run that it settles in.
        run: Run,
        /// The child.
        child: ExecutionId,
        /// What runs.
        workflow: Name,
        /// Its argument.
        input: Payload,
        /// What the parent decided.
        options: ChildOptions,
    },
}

/// Work that the owner has to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// A step.
    Call(Promise),
    /// A child.
    Child(ExecutionId),
}

impl Replay {
    /// Takes one command: equal to the recorded one, or new. Returns the first promise that it makes (0 where it makes
    /// none).
    pub fn issue(&mut self, command: Command, now: Timestamp) -> Result<Promise, Halt> {
        let first = self.promises.next();
        // The entry's own time: a timer counts from what the guest will be told the time is.
        let now = now.max(self.last_recorded_at);
        let asked = self.as_recorded(&command, first, now);
        let (seq, recorded, run) = if let Some((seq, run, entry)) = self.commands.pop_front() {
            if !matches(&entry.command, &asked) {
                return Err(other(seq, &entry.command, &asked).into());
            }
            if entry.after != self.last_event {
                return Err(elsewhere(seq, &entry, self.last_event).into());
            }
            (seq, Some(entry.command), run)
        } else {
            self.check_bounds(&asked)?;
            let entry = CommandEntry { after: self.last_event, command: asked.clone() };
            let (seq, _at) = self.record(Body::Command(entry), now);
            (seq, None, self.run)
        };
        let is_new = recorded.is_none();
        self.apply(command, recorded.as_ref().unwrap_or(&asked), Issued { seq, run, is_new });
        Ok(first)
    }

    fn as_recorded(&self, command: &Command, promise: Promise, now: Timestamp) -> Recorded {
        match command.clone() {
            Command::Call { step, input, .. } => {
                Recorded::Call { promise, step, hash: input.hash(), input: Some(input) }
            }
            Command::CallMany { step, inputs, .. } => Recorded::CallMany {
                promise,
                step,
                hash: Payload::hash_all(&inputs),
                count: u32::try_from(inputs.len()).unwrap_or(u32::MAX),
                inputs: Some(inputs),
            },
            Command::StartChild { workflow, input, options } => Recorded::StartChild {
                promise,
                child: self.child_id(&workflow, promise, &options),
                workflow,
                hash: input.hash(),
                detached: options.detached,
                input: Some(input),
            },
            Command::Sleep { milliseconds } => Recorded::Sleep {
                promise,
                milliseconds,
                due: now + std::time::Duration::from_millis(milliseconds),
            },
            Command::Receive { signal } => Recorded::Receive { promise, signal },
            Command::Cancel { promises } => Recorded::Cancel { promises },
            Command::ContinueAsNew { input } => {
                Recorded::ContinueAsNew { hash: input.hash(), input: Some(input) }
            }
        }
    }

    fn child_id(&self, workflow: &Name, promise: Promise, options: &ChildOptions) -> ExecutionId {
        match &options.idempotency_key {
            Some(key) => ExecutionId::of_key(workflow, key),
            None => ExecutionId::of_child(self.execution, self.run, promise),
        }
    }

    fn check_bounds(&self, asked: &Recorded) -> Result<(), Halt> {
        let open = self.promises.open_count() + asked.promises_created().count();
        let exceeded = if open > self.bounds.open_max {
            format!("{open} promises would be open at once (open_promises_max); await some first")
        } else if self.entries() >= self.bounds.entries_max {
            format!(
                "the journal has {} entries (journal_entries_max); use continue-as-new",
                self.entries()
            )
        } else if self.bytes >= self.bounds.bytes_max {
            format!("the journal has {} bytes (journal_bytes_max); use continue-as-new", self.bytes)
        } else {
            return Ok(());
        };
        Err(Halt::Exceeded(Failure::new(kind::JOURNAL_FULL, exceeded)))
    }

    fn apply(&mut self, command: Command, recorded: &Recorded, issued: Issued) {
        match command {
            Command::Call { step, input, options } => {
                self.call(Called { step, input, options }, issued, 0);
            }
            Command::CallMany { step, inputs, options } => {
                for (index, input) in (0..).zip(inputs) {
                    let called = Called { step: step.clone(), input, options: options.clone() };
                    self.call(called, issued, index);
                }
            }
            Command::StartChild { workflow, input, options } => {
                let child = recorded.child().unwrap_or(self.execution);
                self.start_child(Begun { workflow, input, options, child }, issued);
            }
            Command::Sleep { .. } => {
                let due = recorded.due().unwrap_or(self.now);
                self.add(Work::Timer { due });
            }
            Command::Receive { signal } => {
                let promise = self.add(Work::Receive { signal: signal.clone() });
                self.signals.receive(promise, &signal);
            }
            Command::Cancel { promises } => {
                for promise in promises {
                    self.forget(promise);
                }
            }
            Command::ContinueAsNew { input } => self.continued = Some(input),
        }
    }

    fn add(&mut self, work: Work) -> Promise {
        self.promises.add(work, self.run..=self.run)
    }

    /// A child that an earlier run started was stopped when that run ended: this run starts one of its own. A detached one
    /// went on, under whichever run it then reports to; it is begun again all the same (an id that exists is not begun
    /// twice), because what it told a parent that had ended was lost. Where no run has ended since, the child is still there.
    fn start_child(&mut self, begun: Begun, issued: Issued) {
        let Begun { workflow, input, options, child } = begun;
        let detached = options.detached;
        let is_earlier = issued.run < self.unbroken_since;
        let (child, run) = if is_earlier && !detached {
            (self.child_id(&workflow, self.promises.next(), &options), self.run)
        } else {
            (child, issued.run)
        };
        let promise = self.promises.add(Work::Child { child, detached }, run..=self.run);
        if (issued.is_new || is_earlier) && !self.promises.is_recorded(promise) {
            let effect = Effect::Child { promise, run, child, workflow, input, options };
            self.effects.insert(promise, Owed { effect, is_new: issued.is_new });
        }
    }

    fn call(&mut self, called: Called, issued: Issued, index: u32) {
        let promise = self.add(Work::Call);
        if self.promises.is_recorded(promise) {
            return;
        }
        let Called { step, input, options } = called;
        let effect = Effect::Call {
            promise,
            run: self.run,
            input_at: (issued.seq, index),
            step,
            input,
            options,
            again: !issued.is_new,
        };
        self.effects.insert(promise, Owed { effect, is_new: issued.is_new });
    }

    /// The guest no longer cares for a promise, settled or not.
    fn forget(&mut self, promise: Promise) {
        match self.promises.work(promise).cloned() {
            Some(Work::Receive { signal }) => {
                self.promises.close(promise);
                self.signals.cancel(promise, &signal);
            }
            Some(Work::Call | Work::Child { .. } | Work::Timer { .. }) => self.stop(promise),
            None => {}
        }
    }

    /// Has the work of a promise stopped, or not begun. A detached child goes on, or is still begun.
    pub(super) fn stop_work(&mut self, promise: Promise) {
        let stop = match self.promises.work(promise) {
            Some(Work::Call) => Stop::Call(promise),
            Some(Work::Child { child, detached: false }) => Stop::Child(*child),
            Some(
                Work::Child { detached: true, .. } | Work::Timer { .. } | Work::Receive { .. },
            )
            | None => return,
        };
        if !self.effects.remove(&promise).is_some_and(|owed| owed.is_new) {
            self.stops.push(stop);
        }
    }

    /// Takes the work to begin, in the order of the promises. A child is begun in the commit that holds its command: replay
    /// does not begin it again. Take them after `stop_all`
    /// at the end, too, and of a next run before its first commit: a detached child may be among them.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        let owed = std::mem::take(&mut self.effects).into_values().map(|owed| owed.effect);
        std::mem::take(&mut self.inherited).into_iter().chain(owed).collect()
    }

    /// Takes the work to stop.
    pub fn take_stops(&mut self) -> Vec<Stop> {
        std::mem::take(&mut self.stops)
    }
}

/// An effect that the owner has not taken.
#[derive(Debug)]
pub(super) struct Owed {
    effect: Effect,
    /// Nobody outside this activation can have begun it.
    is_new: bool,
}

struct Called {
    step: Name,
    input: Payload,
    options: CallOptions,
}

struct Begun {
    workflow: Name,
    input: Payload,
    options: ChildOptions,
    child: ExecutionId,
}

#[derive(Clone, Copy)]
struct Issued {
    seq: Seq,
    run: Run,
    is_new: bool,
}

/// Whether a command is the recorded one: kind, name, hash of the input, and what else the guest decides.
fn matches(recorded: &Recorded, asked: &Recorded) -> bool {
    match (recorded, asked) {
        (
            Recorded::Call { promise, step, hash, .. },
            Recorded::Call { promise: asked_promise, step: asked_step, hash: asked_hash, .. },
        ) => (promise, step, hash) == (asked_promise, asked_step, asked_hash),
        (
            Recorded::CallMany { promise, step, hash, count, .. },
            Recorded::CallMany { promise: p, step: s, hash: h, count: c, .. },
        ) => (promise, step, hash, count) == (p, s, h, c),
        (
            Recorded::StartChild { promise, workflow, hash, detached, .. },
            Recorded::StartChild { promise: p, workflow: w, hash: h, detached: d, .. },
        ) => (promise, workflow, hash, detached) == (p, w, h, d),
        (
            Recorded::Sleep { promise, milliseconds, .. },
            Recorded::Sleep { promise: p, milliseconds: m, .. },
        ) => (promise, milliseconds) == (p, m),
        (Recorded::Receive { promise, signal }, Recorded::Receive { promise: p, signal: s }) => {
            (promise, signal) == (p, s)
        }
        (Recorded::Cancel { promises }, Recorded::Cancel { promises: p }) => promises == p,
        (Recorded::ContinueAsNew { hash, .. }, Recorded::ContinueAsNew { hash: h, .. }) => {
            hash == h
        }
        (
            Recorded::Call { .. }
            | Recorded::CallMany { .. }
            | Recorded::StartChild { .. }
            | Recorded::Sleep { .. }
            | Recorded::Receive { .. }
            | Recorded::Cancel { .. }
            | Recorded::ContinueAsNew { .. },
            _,
        ) => false,
    }
}
