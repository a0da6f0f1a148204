//! What the worker counts for people. Handles are kept: on the way of a step nothing is looked up but its name.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::hot::Hot;
use super::settle::Settlement;
use super::slots::Slots;
use crate::journal::Ended;
use crate::model::{ExecutionState, History, Name, StepUsage, metric};

/// Everything that is counted under names which users choose, and the few that are not.
#[derive(Debug)]
pub(super) struct Meters {
    steps: Kept<(Name, Name), StepMeters>,
    workflows: Kept<Name, WorkflowMeters>,
    pub(super) parkings: Counter,
    replays: Counter,
    replayed_entries: Counter,
    pub(super) room: RoomMeters,
    pub(super) lease: LeaseMeters,
    /// The same for people who look at this host.
    history: Arc<History>,
}

/// Of the lease.
#[derive(Debug)]
pub(super) struct LeaseMeters {
    pub(super) renewed: Counter,
    pub(super) failures: Counter,
    pub(super) duration: Histogram,
}

/// Where an attempt runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    /// On the owner's host, without a row of its own.
    Local,
    /// Claimed.
    Task,
}

impl Meters {
    pub(super) fn new(history: Arc<History>) -> Self {
        Self {
            room: RoomMeters::default(),
            steps: Kept::new(StepMeters::of, (other(), other())),
            workflows: Kept::new(WorkflowMeters::of, other()),
            parkings: counter!(metric::PARKINGS.name),
            replays: counter!(metric::REPLAYS.name),
            replayed_entries: counter!(metric::REPLAYED_ENTRIES.name),
            lease: LeaseMeters {
                renewed: counter!(metric::LEASE_RENEWED.name),
                failures: counter!(metric::LEASE_FAILURES.name),
                duration: histogram!(metric::LEASE_DURATION.name),
            },
            history,
        }
    }

    /// Those of a step in a queue.
    pub(super) fn step(&self, queue: &Name, step: &Name) -> Arc<StepMeters> {
        self.steps.of(&(queue.clone(), step.clone()))
    }

    /// An activation begins with a journal of so many entries.
    pub(super) fn activated(&self, workflow: &Name, entries: u64) {
        // The first is that it was started.
        if entries <= 1 {
            self.workflows.of(workflow).started.increment(1);
            self.history.began();
        } else {
            self.replays.increment(1);
            self.replayed_entries.increment(entries);
        }
    }

    /// An attempt of a step has come to such an end.
    pub(super) fn attempted(&self, settlement: &Settlement) {
        match settlement {
            Settlement::Settled(Ok(_)) => self.history.stepped(),
            Settlement::Settled(Err(_)) | Settlement::Dead(_) | Settlement::RetryAt(..) => {
                self.history.step_failed();
            }
            Settlement::Lost | Settlement::GivenBack => {}
        }
    }

    /// An execution has ended so long after it was accepted.
    pub(super) fn ended(&self, workflow: &Name, ended: &Ended, after: Duration) {
        let meters = self.workflows.of(workflow);
        let state = ended.state;
        let Some((_, ends, duration)) = meters.ends.iter().find(|(end, ..)| *end == state) else {
            return;
        };
        ends.increment(1);
        duration.record(after.as_secs_f64());
        // Where others ended it, its guest was not asked, and nobody knows.
        if ended.fuel > 0 {
            meters.fuel.record(metric::float(ended.fuel));
        }
        self.history.ended(state, after);
    }
}

/// Of one step in one queue.
#[derive(Debug)]
pub(super) struct StepMeters {
    pub(super) claimed: Counter,
    dead_letters: Counter,
    fuel: Histogram,
    memory: Histogram,
    local: AttemptMeters,
    task: AttemptMeters,
}

#[derive(Debug)]
struct AttemptMeters {
    completed: Counter,
    failed: Counter,
    retrying: Counter,
    duration: Histogram,
    schedule_to_start: Histogram,
}

impl StepMeters {
    fn of((queue, step): &(Name, Name)) -> Self {
        let labels = [("queue", queue.to_string()), ("step_name", step.to_string())];
        Self {
            claimed: counter!(metric::TASKS_CLAIMED.name, &labels),
            dead_letters: counter!(metric::DEAD_LETTERS_WRITTEN.name, &labels),
            fuel: histogram!(metric::STEP_FUEL.name, &labels),
            memory: histogram!(metric::STEP_MEMORY.name, &labels),
            local: AttemptMeters::of(&labels, "local"),
            task: AttemptMeters::of(&labels, "task"),
        }
    }

    fn at(&self, place: Where) -> &AttemptMeters {
        match place {
            Where::Local => &self.local,
            Where::Task => &self.task,
        }
    }

    /// The first attempt of a call begins, so long after the call.
    pub(super) fn begun(&self, place: Where, after: Duration) {
        self.at(place).schedule_to_start.record(after.as_secs_f64());
    }

    /// An attempt has run to such an end.
    pub(super) fn ended(&self, place: Where, settlement: &Settlement, usage: StepUsage) {
        let meters = self.at(place);
        match settlement {
            Settlement::Settled(Ok(_)) => meters.completed.increment(1),
            Settlement::Settled(Err(_)) => meters.failed.increment(1),
            Settlement::Dead(_) => {
                meters.failed.increment(1);
                self.dead_letters.increment(1);
            }
            Settlement::RetryAt(..) => meters.retrying.increment(1),
            Settlement::Lost | Settlement::GivenBack => return,
        }
        meters.duration.record(Duration::from_micros(usage.duration_micros).as_secs_f64());
        self.fuel.record(metric::float(usage.fuel));
        self.memory.record(metric::float(usage.memory_peak_bytes));
    }
}

impl AttemptMeters {
    fn of([queue, step]: &[(&'static str, String); 2], kind: &'static str) -> Self {
        let labels = [queue.clone(), step.clone(), ("kind", kind.to_owned())];
        let failed = |retrying: &str| {
            let [queue, step, kind] = labels.clone();
            let labels = [queue, step, kind, ("retrying", retrying.to_owned())];
            counter!(metric::TASKS_FAILED.name, &labels)
        };
        Self {
            completed: counter!(metric::TASKS_COMPLETED.name, &labels),
            failed: failed("false"),
            retrying: failed("true"),
            duration: histogram!(metric::TASK_DURATION.name, &labels),
            schedule_to_start: histogram!(metric::SCHEDULE_TO_START.name, &labels),
        }
    }
}

/// Of one workflow.
#[derive(Debug)]
struct WorkflowMeters {
    started: Counter,
    fuel: Histogram,
    ends: Vec<(ExecutionState, Counter, Histogram)>,
}

impl WorkflowMeters {
    fn of(workflow: &Name) -> Self {
        let ends = ExecutionState::ALL.into_iter().filter(|state| state.is_terminal());
        let of_end = |state: ExecutionState| {
            let labels = [("workflow", workflow.to_string()), ("state", state.to_string())];
            let ended = counter!(metric::EXECUTIONS_ENDED.name, &labels);
            (state, ended, histogram!(metric::EXECUTION_DURATION.name, &labels))
        };
        let name = [("workflow", workflow.to_string())];
        let started = counter!(metric::EXECUTIONS_STARTED.name, &name);
        let fuel = histogram!(metric::WORKFLOW_FUEL.name, &name);
        Self { started, fuel, ends: ends.map(of_end).collect() }
    }
}

/// Of what there is room for on this host.
#[derive(Debug)]
pub(super) struct RoomMeters {
    slots: Gauge,
    slots_busy: Gauge,
    active: Gauge,
    waiting: Gauge,
    waiting_bytes: Gauge,
}

impl Default for RoomMeters {
    fn default() -> Self {
        Self {
            slots: gauge!(metric::SLOTS.name),
            slots_busy: gauge!(metric::SLOTS_BUSY.name),
            active: gauge!(metric::ACTIVATIONS.name),
            waiting: gauge!(metric::HOT.name),
            waiting_bytes: gauge!(metric::HOT_MEMORY.name),
        }
    }
}

impl RoomMeters {
    pub(super) fn tell(&self, slots: &Slots, hot: &Hot) {
        let (count, busy) = slots.taken();
        self.slots.set(metric::float(count));
        self.slots_busy.set(metric::float(busy));
        let (active, waiting, waiting_bytes) = hot.counts();
        self.active.set(metric::float(active));
        self.waiting.set(metric::float(waiting));
        self.waiting_bytes.set(metric::float(waiting_bytes));
    }
}

/// Meters by name, so many at most: what comes later shares one.
#[derive(Debug)]
struct Kept<K, M> {
    make: fn(&K) -> M,
    other: K,
    by_name: RwLock<HashMap<K, Arc<M>>>,
}

impl<K: Hash + Eq + Clone, M> Kept<K, M> {
    fn new(make: fn(&K) -> M, other: K) -> Self {
        Self { make, other, by_name: RwLock::default() }
    }

    fn of(&self, name: &K) -> Arc<M> {
        let known = self.by_name.read().expect("nobody panics while holding it").get(name).cloned();
        known.unwrap_or_else(|| self.enter(name))
    }

    fn enter(&self, name: &K) -> Arc<M> {
        let mut by_name = self.by_name.write().expect("nobody panics while holding it");
        let is_full = by_name.len() >= metric::SERIES_MAX && !by_name.contains_key(name);
        let name = if is_full { &self.other } else { name };
        Arc::clone(by_name.entry(name.clone()).or_insert_with(|| Arc::new((self.make)(name))))
    }
}

fn other() -> Name {
    Name::new(metric::OTHER).expect("it is a name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_a_bound_further_names_share_one() {
        let kept = Kept::new(Name::to_string, other());
        let name = |number: usize| Name::new(&format!("name-{number}")).unwrap();
        let first = kept.of(&name(0));
        for number in 1..metric::SERIES_MAX {
            assert_eq!(*kept.of(&name(number)), name(number).to_string());
        }

        assert_eq!(*kept.of(&name(metric::SERIES_MAX)), metric::OTHER);
        assert_eq!(*kept.of(&name(metric::SERIES_MAX + 1)), metric::OTHER);
        assert!(Arc::ptr_eq(&kept.of(&name(0)), &first));
    }
}
