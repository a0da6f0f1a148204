//! One execution: what would lie in a database, and what is in memory.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde_json::Value;
use stepwell::journal::{Arrival, Body, Entry, Replay, Started, effective};
use stepwell::model::{
    ExecutionId, ExecutionState, Level, Name, Note, Outcome, Payload, Promise, Run, Seq, Timestamp,
};
use stepwell::sandbox::WorkflowGuest;

/// Whose child it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parent {
    pub(crate) execution: ExecutionId,
    pub(crate) run: Run,
    pub(crate) promise: Promise,
}

/// A line of an execution's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// What it says.
    pub message: String,
    /// Its fields: a JSON object, or null.
    pub fields: Value,
}

/// A guest that waits, and its replay.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) guest: WorkflowGuest,
    pub(crate) replay: Replay,
    /// Counts up: the lowest has waited longest.
    pub(crate) since: u64,
}

/// One execution.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) id: ExecutionId,
    pub(crate) workflow: Name,
    pub(crate) parent: Option<Parent>,
    pub(crate) state: ExecutionState,
    pub(crate) run: Run,
    /// The `run` entry before which nothing is read any more.
    pub(crate) base: Seq,
    pub(crate) journal: Vec<Entry>,
    /// Notes of this run that are durable.
    pub(crate) noted: u64,
    pub(crate) inbox: VecDeque<Arrival>,
    pub(crate) start_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) counters: BTreeMap<String, i64>,
    pub(crate) values: BTreeMap<String, Value>,
    pub(crate) progress: Vec<String>,
    pub(crate) log: Vec<LogLine>,

    // In memory: gone when the host dies.
    pub(crate) waiting: Option<Waiting>,
    /// Set where its instance was dropped.
    pub(crate) parked: Option<Parked>,
    /// Children that were started by this activation, and what they settle.
    pub(crate) children: HashMap<ExecutionId, Promise>,
}

/// What an execution waits for whose instance was dropped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parked {
    /// When its next timer is due.
    pub(crate) next_timer: Option<Timestamp>,
}

/// What a life begins with.
#[derive(Debug)]
pub(crate) struct Birth {
    pub(crate) id: ExecutionId,
    pub(crate) workflow: Name,
    pub(crate) input: Payload,
    pub(crate) parent: Option<Parent>,
    pub(crate) start_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) seed: [u8; 32],
}

impl Life {
    pub(crate) fn new(birth: Birth, now: Timestamp) -> Self {
        let Birth { id, workflow, input, parent, start_at, expires_at, seed } = birth;
        let started = Started { workflow: workflow.clone(), input, seed };
        let (seq, run) = (Seq(1), Run(0));
        let first = Entry { seq, run, recorded_at: now, noted: 0, body: Body::Started(started) };
        Self {
            id,
            workflow,
            parent,
            state: ExecutionState::Pending,
            run,
            base: Seq(0),
            journal: vec![first],
            noted: 0,
            inbox: VecDeque::new(),
            start_at,
            expires_at,
            outcome: None,
            counters: BTreeMap::new(),
            values: BTreeMap::new(),
            progress: Vec::new(),
            log: Vec::new(),
            waiting: None,
            parked: None,
            children: HashMap::new(),
        }
    }

    /// Whether nothing more happens to it.
    pub(crate) fn is_over(&self) -> bool {
        self.state.is_terminal() || self.state == ExecutionState::Blocked
    }

    /// The entries that count, as an activation reads them.
    pub(crate) fn effective(&self) -> Vec<Entry> {
        let read = self.journal.iter().filter(|entry| entry.seq >= self.base);
        effective(read.cloned().collect())
    }

    /// Forgets what was in memory.
    pub(crate) fn die(&mut self) {
        self.waiting = None;
        self.parked = None;
        self.children.clear();
    }

    /// Whether it is to be activated: it has not begun, its host died, or there is something for it where it is parked.
    pub(crate) fn must_wake(&self, now: Timestamp) -> bool {
        if self.is_over() || self.waiting.is_some() || self.start_at > now {
            return false;
        }
        let Some(Parked { next_timer }) = self.parked else { return true };
        let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        !self.inbox.is_empty() || is_due(next_timer) || is_due(self.expires_at)
    }

    /// When something is due that is not yet.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        if self.is_over() {
            return None;
        }
        let timer = match (&self.waiting, self.parked) {
            (Some(waiting), _) => waiting.replay.next_timer(),
            (None, Some(Parked { next_timer })) => next_timer,
            (None, None) => Some(self.start_at),
        };
        [timer, self.expires_at].into_iter().flatten().min()
    }

    pub(crate) fn note(&mut self, note: Note) {
        match note {
            Note::Log { level, message, fields } => {
                let fields = value(&fields);
                self.log.push(LogLine { level, message, fields });
            }
            Note::Progress { text } => self.progress.push(text),
            Note::Counter { name, amount } => {
                *self.counters.entry(name.as_str().to_owned()).or_default() += amount;
            }
            Note::State { key, value: set } => {
                self.values.insert(key.as_str().to_owned(), value(&set));
            }
        }
    }
}

/// A payload as a value. Every payload was checked to be JSON.
pub(crate) fn value(payload: &Payload) -> Value {
    serde_json::from_str(payload.as_str()).unwrap_or(Value::Null)
}
