//! The owner of an execution, and everything around it: steps, children, senders of signals, the clock, and death.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use proptest::prelude::*;

use super::super::{
    Admission, Arrival, Body, Effect, Encoded, Entry, Event, Replay, Revival, RunEntry, RunReason,
    Stop, decode, effective, encode,
};
use super::{at, execution, json, limits, name, started};
use crate::model::{
    ExecutionId, Failure, ModuleDigest, Note, Outcome, Promise, Run, Seq, StepUsage, Timestamp,
};

/// A row of the journal as a database holds it.
type Row = (Seq, Run, Timestamp, Encoded);

/// Whether the owner still lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Goes,
    Died,
}

/// A child, and what became of it.
#[derive(Debug)]
struct Child {
    run: Run,
    promise: Promise,
    outcome: Option<Outcome>,
}

/// All that outlives a guest.
#[derive(Debug)]
pub(super) struct World {
    /// What happens next; when there are none left, everything comes to its end in order.
    choices: VecDeque<u8>,
    pub(super) now: Timestamp,
    rows: Vec<Row>,
    pub(super) run: Run,
    base: Seq,
    /// Local steps: they die with their owner.
    calls: BTreeMap<Promise, Run>,
    children: BTreeMap<ExecutionId, Child>,
    /// Children to be born with the next commit.
    unborn: Vec<(ExecutionId, Child)>,
    /// Durable arrivals that are not admitted, and those whose admission is not durable.
    inbox: Vec<Arrival>,
    taken: Vec<Arrival>,
    /// Settlements that are durable, to be sent again, and those that are not yet.
    past: Vec<Arrival>,
    fresh: Vec<Arrival>,
    signals_sent: u64,
    /// Numbers of the signals that have become entries.
    pub(super) admitted: BTreeSet<u64>,
    ids: BTreeMap<String, u64>,
    /// Notes of the run that are durable.
    pub(super) noted: Vec<String>,
}

/// What the world will do.
pub(super) fn choices() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..120)
}

impl World {
    /// One in which an execution was accepted.
    pub(super) fn new(choices: Vec<u8>) -> Self {
        let began = Entry {
            seq: Seq(1),
            run: Run(0),
            recorded_at: at(1_000),
            noted: 0,
            body: Body::Started(started()),
        };
        Self {
            choices: choices.into(),
            now: at(1_000),
            rows: vec![row(&began)],
            run: Run(0),
            base: Seq(0),
            calls: BTreeMap::new(),
            children: BTreeMap::new(),
            unborn: Vec::new(),
            inbox: Vec::new(),
            taken: Vec::new(),
            past: Vec::new(),
            fresh: Vec::new(),
            signals_sent: 0,
            admitted: BTreeSet::new(),
            ids: BTreeMap::new(),
            noted: Vec::new(),
        }
    }

    /// One in which exactly these entries are durable.
    pub(super) fn continuing(entries: &[Entry], choices: Vec<u8>) -> Self {
        let mut world = Self::new(choices);
        world.rows = entries.iter().map(row).collect();
        let last = entries.last().unwrap();
        (world.now, world.run, world.signals_sent) = (last.recorded_at, last.run, 1_000_000);
        for entry in entries {
            world.remember(entry);
            let Body::Command(command) = &entry.body else { continue };
            if let Some(child) = command.command.child() {
                let promise = command.command.promises_created().next().unwrap();
                let born = Child { run: entry.run, promise, outcome: None };
                world.children.insert(child, born);
            }
        }
        world
    }

    pub(super) fn choose(&mut self) -> Option<u8> {
        self.choices.pop_front()
    }

    /// The entries that count, as an activation reads them: without the inputs of commands.
    pub(super) fn effective(&self) -> Vec<Entry> {
        let rows = self.rows.iter().filter(|(seq, ..)| *seq >= self.base);
        effective(rows.map(|row| read(row, Inputs::Absent)).collect())
    }

    /// All entries ever written, with everything in them.
    pub(super) fn journal(&self) -> Vec<Entry> {
        self.rows.iter().map(|row| read(row, Inputs::Loaded)).collect()
    }

    pub(super) fn claim(&self) -> Replay {
        Replay::new(execution(), self.run, self.effective(), &limits()).unwrap()
    }

    /// The guest waits: what it called begins, something arrives and is committed; or the owner dies.
    pub(super) fn turn(&mut self, replay: &mut Replay) -> Turn {
        let (effects, stops) = (replay.take_effects(), replay.take_stops());
        self.begin(effects, &stops);
        self.now = self.now + Duration::from_micros(7);
        for _ in 0..=self.choose().unwrap_or(0) % 3 {
            self.let_arrive(replay);
        }
        for arrival in std::mem::take(&mut self.inbox) {
            self.taken.push(arrival.clone());
            self.admit(replay, arrival);
        }
        self.write(replay)
    }

    /// Commits, or dies before or after.
    pub(super) fn write(&mut self, replay: &mut Replay) -> Turn {
        let fate = self.choose().unwrap_or(255) % 16;
        if fate < 2 {
            return self.die();
        }
        let pending = replay.take_pending(self.now);
        for entry in &pending.entries {
            self.remember(entry);
            self.rows.push(row(entry));
        }
        self.noted.extend(pending.notes.into_iter().map(|note| match note {
            Note::Progress { text } => text,
            other => panic!("the guest does not say {other:?}"),
        }));
        self.taken.clear();
        self.past.append(&mut self.fresh);
        for (id, child) in std::mem::take(&mut self.unborn) {
            let there = self.children.entry(id).or_insert(child);
            if let Some(outcome) = there.outcome.clone() {
                self.inbox.push(settled(there.run, there.promise, outcome));
            }
        }
        if fate == 2 { self.die() } else { Turn::Goes }
    }

    fn die(&mut self) -> Turn {
        self.calls.clear();
        self.unborn.clear();
        self.fresh.clear();
        let taken = std::mem::take(&mut self.taken);
        self.inbox.splice(0..0, taken);
        Turn::Died
    }

    fn remember(&mut self, entry: &Entry) {
        let Body::Event(Event::Received { payload, id, .. }) = &entry.body else { return };
        let signal: u64 = payload.as_str().parse().unwrap();
        self.admitted.insert(signal);
        if let Some(id) = id {
            let first = *self.ids.entry(id.clone()).or_insert(signal);
            assert_eq!(first, signal, "a repeat of {id} was admitted");
        }
    }

    /// Begins and stops work.
    pub(super) fn begin(&mut self, effects: Vec<Effect>, stops: &[Stop]) {
        for effect in effects {
            match effect {
                Effect::Call { promise, run, .. } => {
                    self.calls.insert(promise, run);
                }
                Effect::Child { promise, run, child, .. } => {
                    self.unborn.push((child, Child { run, promise, outcome: None }));
                }
            }
        }
        for stop in stops {
            match stop {
                Stop::Call(promise) => {
                    self.calls.remove(promise);
                }
                Stop::Child(id) => self.unborn.retain(|(child, _)| child != id),
            }
        }
    }

    /// What the next run begins with.
    pub(super) fn begin_run(&mut self, base: Seq) {
        self.run = self.run.next();
        self.base = base;
        self.calls.clear();
        self.noted.clear();
    }

    /// Takes the journal back, as the store would.
    pub(super) fn revive(&mut self, why: RunReason, revival: Revival, choices: Vec<u8>) {
        let Revival { from, noted, carried, .. } = revival;
        self.run = self.run.next();
        self.calls.clear();
        self.past.clear();
        self.choices = choices.into();
        self.now = self.now.max(self.rows.last().unwrap().2);
        let module = ModuleDigest::of(b"module");
        let run = Body::Run(RunEntry { from, why, module, signal_ids: Vec::new(), redrive: None });
        let noted = std::iter::once(noted).chain(std::iter::repeat(0));
        for (body, noted) in std::iter::once(run).chain(carried).zip(noted) {
            let seq = self.rows.last().unwrap().0.next();
            let entry = Entry { seq, run: self.run, recorded_at: self.now, noted, body };
            self.rows.push(row(&entry));
        }
    }

    fn let_arrive(&mut self, replay: &mut Replay) {
        let Some(choice) = self.choose() else { return self.bring_to_an_end(replay) };
        let which = usize::from(self.choose().unwrap_or(0));
        match choice % 16 {
            0..=4 => self.settle_call(replay, which),
            5 | 6 => self.end_child(which),
            7 => self.fire(replay),
            8 | 9 => self.send(which, None),
            10 => self.send(which, Some(format!("id-{}", which % 5))),
            11 if !self.past.is_empty() => {
                let again = self.past[which % self.past.len()].clone();
                assert_eq!(replay.admit(again, self.now), Admission::Dropped);
            }
            12 => {
                let (run, promise) = (self.run.next(), Promise(u32::from(choice) % 8));
                let strange = settled(run, promise, Ok(json("of another run")));
                assert_eq!(replay.admit(strange, self.now), Admission::Dropped);
            }
            13 if which < 40 => self.ask_to_end(which),
            14 => self.fire_early(replay, which),
            15 => self.now = self.now - Duration::from_micros(100),
            _ => {}
        }
    }

    fn ask_to_end(&mut self, which: usize) {
        let reason = "no longer wanted".to_owned();
        let cancel = Arrival::Cancel { reason, force: false };
        self.inbox.push(if which.is_multiple_of(2) { cancel } else { Arrival::Expired });
    }

    /// Without choices: steps, then children, then timers, then signals.
    fn bring_to_an_end(&mut self, replay: &mut Replay) {
        if !self.calls.is_empty() {
            self.settle_call(replay, 0);
        } else if self.children.values().any(|child| child.outcome.is_none()) {
            self.end_child(0);
        } else if replay.next_timer().is_some() {
            self.fire(replay);
        } else {
            self.send(0, None);
            self.send(1, None);
        }
    }

    fn admit(&mut self, replay: &mut Replay, arrival: Arrival) {
        let is_settled = matches!(arrival, Arrival::Settled { .. });
        let admission = replay.admit(arrival.clone(), self.now);
        if is_settled && matches!(admission, Admission::Recorded(_)) {
            assert_eq!(replay.admit(arrival.clone(), self.now), Admission::Dropped);
            self.fresh.push(arrival);
        }
    }

    fn settle_call(&mut self, replay: &mut Replay, which: usize) {
        let nth = which.checked_rem(self.calls.len()).unwrap_or(0);
        let Some((promise, run)) = self.calls.iter().nth(nth).map(|(p, run)| (*p, *run)) else {
            return;
        };
        self.calls.remove(&promise);
        self.admit(replay, settled(run, promise, outcome(which, promise)));
    }

    fn end_child(&mut self, which: usize) {
        let open = self.children.values_mut().filter(|child| child.outcome.is_none());
        let mut open: Vec<_> = open.collect();
        if !open.is_empty() {
            let nth = which % open.len();
            let outcome = outcome(which, open[nth].promise);
            open[nth].outcome = Some(outcome.clone());
            self.inbox.push(settled(open[nth].run, open[nth].promise, outcome));
        }
    }

    fn fire(&mut self, replay: &mut Replay) {
        if let Some(due) = replay.next_timer() {
            self.now = self.now.max(due);
            for promise in replay.due(self.now) {
                self.admit(replay, Arrival::Fired { promise });
            }
        }
    }

    fn fire_early(&mut self, replay: &mut Replay, which: usize) {
        let promise = Promise(u32::try_from(which % 12).unwrap());
        self.admit(replay, Arrival::Fired { promise });
    }

    fn send(&mut self, which: usize, id: Option<String>) {
        self.signals_sent += 1;
        let signal = name(&format!("signal-{}", which % 2));
        self.inbox.push(Arrival::Signal { signal, payload: json(self.signals_sent), id });
    }
}

fn outcome(which: usize, promise: Promise) -> Outcome {
    if which % 8 == 7 {
        Err(Failure::new("declined", format!("no {promise}")))
    } else {
        Ok(json(format!("result of {promise}")))
    }
}

fn settled(run: Run, promise: Promise, outcome: Outcome) -> Arrival {
    Arrival::Settled { run, promise, outcome, usage: StepUsage::default(), attempt: 1 }
}

fn row(entry: &Entry) -> Row {
    (entry.seq, entry.run, entry.recorded_at, encode(entry))
}

#[derive(Clone, Copy, PartialEq)]
enum Inputs {
    Loaded,
    Absent,
}

fn read((seq, run, recorded_at, encoded): &Row, inputs: Inputs) -> Entry {
    let mut encoded = encoded.clone();
    if inputs == Inputs::Absent && (10..20).contains(&encoded.kind) {
        encoded.data = None;
    }
    decode(*seq, *run, *recorded_at, encoded).unwrap()
}
