//! The two cursors that walk a journal while its workflow runs again, and go on live where the journal ends.
//!
//! A guest issues commands and asks for the next settlement; the owner admits arrivals and takes away what is to be written
//! and what is to be started. Both sides hold the one `Replay` in turn, by value, so there is no lock and no doubt about
//! who may write.
//!
//! The cursor of commands stands at the first recorded command that the guest has not issued again, the cursor of events at
//! the first recorded event that `next` has not passed. A command that finds no recorded one left is new, even where events
//! lie ahead: commands are written lazily, so the last ones before a crash may never have been written.

mod admit;
mod bounds;
mod command;
mod end;
mod next;
mod promises;
mod signals;

pub use admit::Admission;
pub use bounds::HalfFull;
pub use command::{Command, Effect, Stop};
pub use end::NextRun;
pub use next::Next;

use std::collections::{BTreeMap, HashSet, VecDeque};

use sha2::{Digest, Sha256};

use self::bounds::Bounds;
use self::command::Owed;
use self::promises::Promises;
use self::signals::Signals;
use super::entry::{Body, CommandEntry, Ended, Entry, Event, Started};
use crate::model::{
    ExecutionId, ExecutionState, Failure, Limits, Name, Note, Payload, Promise, Run, Seq, Timestamp,
};

/// Where an execution stands: its journal so far, and what the guest has seen of it.
#[derive(Debug)]
pub struct Replay {
    execution: ExecutionId,
    run: Run,
    started: Started,
    bounds: Bounds,

    /// The run that wrote `started`: later ones that went back into this journal draw the same randomness again.
    started_in: Run,
    /// The first run of which none since has ended: what they started and nobody stopped is still under way.
    unbroken_since: Run,
    /// Recorded commands that the guest has not issued again, and the runs that wrote them.
    commands: VecDeque<(Seq, Run, CommandEntry)>,
    /// Recorded events that `next` has not passed.
    events: VecDeque<(Seq, Timestamp, Event)>,
    /// The event passed last: what the next command comes after.
    last_event: Seq,
    /// What the guest is told the time is: when the event delivered last was recorded.
    now: Timestamp,
    promises: Promises,
    signals: Signals,
    /// Set once a request to end has been passed.
    ending: Option<Request>,
    /// Promises open when it was passed that it has not settled yet.
    expanding: VecDeque<Promise>,
    random_at: u64,
    continued: Option<Payload>,
    recorded_end: Option<Ended>,

    /// The seq of the next new entry.
    next_seq: Seq,
    last_recorded_at: Timestamp,
    bytes: u64,
    /// Whether a request to end lies in the journal, passed or not.
    asked_to_end: bool,
    /// The first entry that counts.
    first_seq: Seq,
    /// Ids of signals in the journal, and the same in the order of their arrival.
    signal_ids: HashSet<String>,
    signal_order: Vec<String>,
    /// Work to begin that the owner has not taken.
    effects: BTreeMap<Promise, Owed>,
    /// What the run before this one left to begin.
    inherited: Vec<Effect>,
    /// Work to stop that the owner has not taken.
    stops: Vec<Stop>,
    /// New entries that are not durable yet.
    pending: Vec<Entry>,
    /// Notes that are not durable yet.
    notes: Vec<Note>,
    notes_seen: u64,
    /// How many the entries say are durable, or will be with them.
    notes_marked: u64,
    notes_durable: u64,
}

/// Why a run is being ended from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `cancelled` or `timed_out`: what the execution will be.
    pub state: ExecutionState,
    /// What its open promises settle with.
    pub failure: Failure,
    /// When it was recorded: compensation is counted from here.
    pub at: Timestamp,
}

/// What is to be written with the next commit.
#[derive(Debug, Default)]
pub struct Pending {
    /// New entries, in order.
    pub entries: Vec<Entry>,
    /// New notes, in order.
    pub notes: Vec<Note>,
}

/// A journal that does not begin with `started`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal of execution {execution} does not begin with a started entry")]
pub struct NoBeginning {
    /// Whose.
    pub execution: ExecutionId,
}

impl Replay {
    /// Begins at the first of the effective entries of a journal (see [`super::effective`]).
    pub fn new(
        execution: ExecutionId,
        run: Run,
        entries: Vec<Entry>,
        limits: &Limits,
    ) -> Result<Self, NoBeginning> {
        let begin = entries.iter().find_map(|entry| match &entry.body {
            Body::Started(started) => Some((started.clone(), entry)),
            _other => None,
        });
        let (started, entry) = begin.ok_or(NoBeginning { execution })?;
        let (seq, at, started_in) = (entry.seq, entry.recorded_at, entry.run);
        let first_seq = entries.first().map_or(seq, |first| first.seq);
        let mut replay = Self {
            execution,
            run,
            started,
            started_in,
            unbroken_since: Run(0),
            bounds: Bounds::of(limits),
            commands: VecDeque::new(),
            events: VecDeque::new(),
            last_event: seq,
            now: at,
            promises: Promises::default(),
            signals: Signals::default(),
            ending: None,
            expanding: VecDeque::new(),
            random_at: 0,
            continued: None,
            recorded_end: None,
            next_seq: seq.next(),
            last_recorded_at: at,
            bytes: 0,
            asked_to_end: false,
            first_seq,
            signal_ids: HashSet::new(),
            signal_order: Vec::new(),
            effects: BTreeMap::new(),
            inherited: Vec::new(),
            stops: Vec::new(),
            pending: Vec::new(),
            notes: Vec::new(),
            notes_seen: 0,
            notes_marked: 0,
            notes_durable: 0,
        };
        for entry in entries {
            replay.load(entry);
        }
        replay.notes_marked = replay.notes_durable;
        Ok(replay)
    }

    fn load(&mut self, entry: Entry) {
        self.next_seq = self.next_seq.max(entry.seq.next());
        self.last_recorded_at = self.last_recorded_at.max(entry.recorded_at);
        self.notes_durable = self.notes_durable.max(entry.noted);
        self.bytes += size(&entry.body);
        match entry.body {
            Body::Command(command) => self.commands.push_back((entry.seq, entry.run, command)),
            Body::Event(event) => {
                self.remember(&event);
                self.events.push_back((entry.seq, entry.recorded_at, event));
            }
            Body::Run(run) => {
                if !run.goes_on_at(entry.seq) {
                    self.unbroken_since = entry.run;
                }
                run.signal_ids.into_iter().for_each(|id| self.remember_signal(id));
            }
            Body::Ended(ended) => self.recorded_end = Some(ended),
            Body::Started(_) | Body::Noted => {}
        }
    }

    /// Which execution.
    pub fn execution(&self) -> ExecutionId {
        self.execution
    }

    /// Which run.
    pub fn run(&self) -> Run {
        self.run
    }

    /// What runs.
    pub fn workflow(&self) -> &Name {
        &self.started.workflow
    }

    /// Its argument.
    pub fn input(&self) -> &Payload {
        &self.started.input
    }

    /// The recorded time of the last delivered event.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Whether nothing recorded lies ahead of the guest.
    pub fn is_live(&self) -> bool {
        self.commands.is_empty() && self.events.is_empty()
    }

    /// Entries since the last continue-as-new, those that are not durable yet included: what `journal_entries_max` bounds.
    pub fn entries(&self) -> u64 {
        self.next_seq.0 - self.first_seq.0
    }

    /// How it ended when it was recorded, for a journal that is complete.
    pub fn recorded_end(&self) -> Option<&Ended> {
        self.recorded_end.as_ref()
    }

    /// The request to end that the guest has been told of.
    pub fn ending(&self) -> Option<&Request> {
        self.ending.as_ref()
    }

    /// Whether somebody has asked for the end, told or not.
    pub fn is_asked_to_end(&self) -> bool {
        self.asked_to_end
    }

    /// The next bytes of the execution's own randomness: the same on every replay.
    pub fn random(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let block = self.random_block(b"random", self.random_at);
            bytes.extend_from_slice(&block[..block.len().min(length - bytes.len())]);
            self.random_at += 1;
        }
        bytes
    }

    /// What the randomness of WASI is made from, the same on every replay.
    pub fn wasi_seed(&self) -> [u8; 32] {
        self.random_block(b"wasi", 0)
    }

    fn random_block(&self, purpose: &[u8], number: u64) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.started.seed)
            .chain_update(self.started_in.0.to_be_bytes())
            .chain_update(purpose)
            .chain_update(number.to_be_bytes())
            .finalize()
            .into()
    }

    /// Takes a note, unless it was durable before this replay.
    pub fn note(&mut self, note: Note) {
        self.notes_seen += 1;
        if self.notes_seen > self.notes_durable {
            self.notes.push(note);
        }
    }

    /// Whether anything waits to be written.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty() || !self.notes.is_empty()
    }

    /// Takes what is to be written. It counts as durable from here on: where the write fails, drop the replay.
    pub fn take_pending(&mut self, now: Timestamp) -> Pending {
        let notes = std::mem::take(&mut self.notes);
        if !notes.is_empty() {
            if self.pending.is_empty() {
                self.record(Body::Noted, now);
            }
            self.notes_durable = self.notes_durable.max(self.notes_seen);
        }
        if let Some(last) = self.pending.last_mut()
            && self.notes_seen > self.notes_marked
        {
            last.noted = self.notes_seen;
            self.notes_marked = self.notes_seen;
        }
        Pending { entries: std::mem::take(&mut self.pending), notes }
    }

    /// Appends an entry to what is to be written. It says at once how many notes came before it, so that a journal that is
    /// taken back to this entry still knows.
    fn record(&mut self, body: Body, now: Timestamp) -> (Seq, Timestamp) {
        let seq = self.next_seq;
        let at = now.max(self.last_recorded_at);
        self.next_seq = seq.next();
        self.last_recorded_at = at;
        self.bytes += size(&body);
        let noted = if self.notes_seen > self.notes_marked { self.notes_seen } else { 0 };
        self.notes_marked = self.notes_marked.max(noted);
        self.pending.push(Entry { seq, run: self.run, recorded_at: at, noted, body });
        (seq, at)
    }
}

/// What an entry takes up, about.
fn size(body: &Body) -> u64 {
    const ROW: usize = 64;
    let payload = match body {
        Body::Started(started) => started.input.bytes(),
        Body::Command(entry) => entry.command.payload_bytes(),
        Body::Event(
            Event::Settled { outcome: Ok(payload), .. } | Event::Received { payload, .. },
        ) => payload.bytes(),
        Body::Event(Event::Settled { outcome: Err(failure), .. }) => {
            failure.message.len() + failure.details.as_ref().map_or(0, Payload::bytes)
        }
        Body::Event(Event::Fired { .. } | Event::CancelRequested { .. } | Event::Expired)
        | Body::Run(_)
        | Body::Ended(_)
        | Body::Noted => 0,
    };
    (ROW + payload) as u64
}
