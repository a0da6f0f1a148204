//! The test host: what tests read from it.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use stepwell::journal::Entry;
use stepwell::model::{ExecutionId, ExecutionState, Run};

use crate::host::TestHost;
use crate::steps::Attempt;
use crate::timeline::timeline;
use crate::world::{DeadLetter, LogLine};

impl TestHost {
    /// The virtual wall clock.
    pub fn now(&self) -> SystemTime {
        let micros = u64::try_from(self.world.now.as_micros()).unwrap_or(0);
        SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
    }

    /// How much virtual time has passed since the host began.
    pub fn passed(&self) -> Duration {
        self.world.since_beginning(self.world.now)
    }

    /// Where an execution stands.
    #[track_caller]
    pub fn state(&self, execution: ExecutionId) -> ExecutionState {
        self.life(execution).state
    }

    /// Its run: 0 at first, one more after each continue-as-new.
    #[track_caller]
    pub fn run_number(&self, execution: ExecutionId) -> u32 {
        let Run(number) = self.life(execution).run;
        number
    }

    /// All entries of its journal.
    #[track_caller]
    pub fn journal(&self, execution: ExecutionId) -> &[Entry] {
        &self.life(execution).journal
    }

    /// Its journal, a line an entry. Printed by itself where a test fails.
    #[track_caller]
    pub fn timeline(&self, execution: ExecutionId) -> String {
        timeline(&self.world, self.life(execution))
    }

    /// A counter of an execution; 0 where nothing was added.
    #[track_caller]
    pub fn counter(&self, execution: ExecutionId, name: &str) -> i64 {
        self.life(execution).counters.get(name).copied().unwrap_or(0)
    }

    /// All counters of an execution.
    #[track_caller]
    pub fn counters(&self, execution: ExecutionId) -> &BTreeMap<String, i64> {
        &self.life(execution).counters
    }

    /// A value that the execution set; none where it set none.
    #[track_caller]
    pub fn value(&self, execution: ExecutionId, key: &str) -> Option<&Value> {
        self.life(execution).values.get(key)
    }

    /// The lines that `progress` was given.
    #[track_caller]
    pub fn progress(&self, execution: ExecutionId) -> &[String] {
        &self.life(execution).progress
    }

    /// Its log: what it logged and printed, and what its steps did.
    #[track_caller]
    pub fn log(&self, execution: ExecutionId) -> &[LogLine] {
        &self.life(execution).log
    }

    /// Its children, in the order of their starts.
    pub fn children(&self, execution: ExecutionId) -> Vec<ExecutionId> {
        let is_child = |parent: Option<crate::world::Parent>| {
            parent.is_some_and(|parent| parent.execution == execution)
        };
        self.world.lives.iter().filter(|life| is_child(life.parent)).map(|life| life.id).collect()
    }

    /// All executions, in the order of their starts.
    pub fn executions(&self) -> Vec<ExecutionId> {
        self.world.lives.iter().map(|life| life.id).collect()
    }

    /// All attempts of a step, in the order in which they began, also those that a crash lost.
    pub fn attempts(&self, step: &str) -> Vec<&Attempt> {
        self.world.attempts.iter().filter(|attempt| attempt.step == step).collect()
    }

    /// The names of the steps, in the order in which their attempts began.
    pub fn steps(&self) -> Vec<&str> {
        self.world.attempts.iter().map(|attempt| attempt.step.as_str()).collect()
    }

    /// Steps whose attempts ran out.
    pub fn dead_letters(&self) -> &[DeadLetter] {
        &self.world.dead_letters
    }

    /// Entries of all journals.
    pub fn recorded(&self) -> u64 {
        self.world.recorded
    }

    /// How often the host has died.
    pub fn crashes(&self) -> u64 {
        self.world.crashes
    }
}

/// Shows what happened, where a test fails.
impl Drop for TestHost {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        if let Some(seed) = self.world.order.seed() {
            eprintln!("\nshuffled by seed {seed}: run it again with `.shuffled({seed})`");
        }
        for life in &self.world.lives {
            eprintln!("\n{}", timeline(&self.world, life));
        }
    }
}
