//! Signals: bound, given, put back, carried.

use super::super::{
    Admission, Arrival, Body, Command, Entry, Event, Next, NextRun, Replay, decode, encode,
};
use super::{at, execution, json, limits, name, started};
use crate::model::{ExecutionState, ModuleDigest, Promise, Run, Seq, StepUsage, Timestamp};

/// A replay that is told what to do line by line.
pub(super) struct Told {
    pub(super) replay: Replay,
    pub(super) entries: Vec<Entry>,
    pub(super) now: Timestamp,
}

impl Told {
    pub(super) fn new() -> Self {
        let body = Body::Started(started());
        let began = Entry { seq: Seq(1), run: Run(0), recorded_at: at(10), noted: 0, body };
        let replay = Replay::new(execution(), Run(0), vec![began.clone()], &limits()).unwrap();
        Self { replay, entries: vec![began], now: at(100) }
    }

    pub(super) fn issue(&mut self, command: Command) -> Promise {
        self.replay.issue(command, self.now).unwrap()
    }

    pub(super) fn receive(&mut self) -> Promise {
        self.issue(Command::Receive { signal: name("s") })
    }

    pub(super) fn cancel(&mut self, promises: &[u32]) {
        let promises = promises.iter().copied().map(Promise).collect();
        self.issue(Command::Cancel { promises });
    }

    pub(super) fn admit(&mut self, arrival: Arrival) -> Admission {
        self.replay.admit(arrival, self.now)
    }

    pub(super) fn signal(&mut self, payload: &str) -> Admission {
        self.admit(Arrival::Signal { signal: name("s"), payload: json(payload), id: None })
    }

    pub(super) fn settlement(&self, promise: u32) -> Arrival {
        let usage = StepUsage::default();
        let (run, outcome) = (self.replay.run(), Ok(json("done")));
        Arrival::Settled { run, promise: Promise(promise), outcome, usage, attempt: 1 }
    }

    pub(super) fn settles(&mut self, promise: u32) {
        let settled = self.settlement(promise);
        assert!(matches!(self.admit(settled), Admission::Recorded(_)));
    }

    pub(super) fn expect(&mut self, promise: u32, payload: &str) {
        let settled = Next::Settled(Promise(promise), Ok(json(payload)));
        assert_eq!(self.replay.next(), Ok(settled));
    }

    pub(super) fn expect_failed(&mut self, promise: u32, kind: &str) {
        match self.replay.next().unwrap() {
            Next::Settled(of, Err(failure)) => {
                assert_eq!((of, failure.kind.as_str()), (Promise(promise), kind));
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn expect_wait(&mut self) {
        assert_eq!(self.replay.next(), Ok(Next::Wait));
    }

    pub(super) fn expect_nothing(&mut self) {
        assert_eq!(self.replay.next(), Ok(Next::Nothing));
    }

    /// All entries so far, written down and read back.
    pub(super) fn journal(&mut self) -> Vec<Entry> {
        self.entries.extend(self.replay.take_pending(self.now).entries);
        let rows = self
            .entries
            .iter()
            .map(|entry| decode(entry.seq, entry.run, entry.recorded_at, encode(entry)).unwrap());
        rows.collect()
    }

    pub(super) fn continue_as_new(mut self) -> (Self, NextRunRest) {
        self.journal();
        let module = ModuleDigest::of(b"module");
        let NextRun { mut replay, base, stops } =
            self.replay.continue_as_new(json("again"), module, &limits(), self.now);
        let effects = replay.take_effects();
        let next = Self { replay, entries: self.entries, now: self.now };
        (next, NextRunRest { base, effects, stops })
    }
}

/// A next run without its replay.
#[derive(Debug)]
pub(super) struct NextRunRest {
    pub(super) base: Seq,
    pub(super) effects: Vec<super::super::Effect>,
    pub(super) stops: Vec<super::super::Stop>,
}

#[test]
fn a_signal_waits_for_its_receive_and_a_receive_for_its_signal() {
    let mut told = Told::new();
    told.receive();
    told.signal("a");
    told.expect(0, "a");
    told.issue(Command::Sleep { milliseconds: 9 });
    told.signal("b");
    told.expect_wait();

    told.receive();

    told.expect(2, "b");
}

#[test]
fn bound_receives_settle_in_command_order_before_the_next_event() {
    let mut told = Told::new();
    told.issue(super::call("step"));
    told.issue(Command::Sleep { milliseconds: 9_000 });
    told.signal("a");
    told.signal("b");
    told.expect_wait();
    told.receive();
    told.receive();

    told.settles(0);

    told.expect(2, "a");
    told.expect(3, "b");
    told.expect(0, "done");
}

#[test]
fn a_cancelled_receive_that_was_bound_gives_its_signal_back() {
    let mut told = Told::new();
    told.issue(Command::Sleep { milliseconds: 9_000 });
    told.signal("a");
    told.signal("b");
    told.expect_wait();
    told.receive();

    told.cancel(&[1]);
    told.receive();
    told.receive();

    told.expect(2, "a");
    told.expect(3, "b");
}

#[test]
fn a_cancelled_receive_whose_value_was_not_read_gives_its_signal_back_in_front() {
    let mut told = Told::new();
    told.receive();
    told.issue(Command::Sleep { milliseconds: 9_000 });
    told.signal("a");
    told.signal("b");
    told.expect(0, "a");
    told.expect_wait();

    told.cancel(&[0]);
    told.receive();

    told.expect(2, "a");
}

#[test]
fn signals_that_come_back_keep_the_order_of_their_arrival() {
    for cancelled in [[0, 1], [1, 0]] {
        let mut told = Told::new();
        told.receive();
        told.receive();
        told.issue(Command::Sleep { milliseconds: 9_000 });
        told.signal("a");
        told.signal("b");
        told.expect(0, "a");
        told.expect(1, "b");

        told.cancel(&cancelled);
        told.receive();
        told.receive();

        told.expect(3, "a");
        told.expect(4, "b");
    }
}

#[test]
fn a_signal_that_comes_back_goes_to_the_oldest_receive_that_has_none() {
    let mut told = Told::new();
    told.receive();
    told.receive();
    told.receive();
    told.signal("a");
    told.expect(0, "a");

    told.cancel(&[0]);

    told.expect(1, "a");
    told.expect_wait();
}

#[test]
fn a_receive_that_was_cancelled_before_its_signal_takes_none() {
    let mut told = Told::new();
    told.receive();
    told.receive();
    told.cancel(&[0]);

    told.signal("a");

    told.expect(1, "a");
}

#[test]
fn a_repeat_by_the_senders_id_is_dropped_even_in_the_next_run() {
    let signal = |id: &str| {
        let id = Some(id.to_owned());
        Arrival::Signal { signal: name("s"), payload: json(1), id }
    };
    let mut told = Told::new();
    assert!(matches!(told.admit(signal("x")), Admission::Recorded(_)));
    assert_eq!(told.admit(signal("x")), Admission::Dropped);

    let (mut next, _rest) = told.continue_as_new();

    assert_eq!(next.admit(signal("x")), Admission::Dropped);
    assert!(matches!(next.admit(signal("y")), Admission::Recorded(_)));
}

#[test]
fn unreceived_signals_are_carried_into_the_next_run_in_the_order_of_arrival_with_their_ids() {
    let named = |signal: &str, id: &str| {
        let (signal, id) = (name(signal), Some(id.to_owned()));
        Arrival::Signal { signal, payload: json(id.clone().unwrap()), id }
    };
    let mut told = Told::new();
    told.receive();
    told.issue(Command::Sleep { milliseconds: 9_000 });
    for (signal, id) in [("s", "1"), ("z", "2"), ("s", "3"), ("a", "4")] {
        told.admit(named(signal, id));
    }
    told.expect(0, "1");
    told.expect_wait();
    told.admit(named("s", "5"));

    let (mut next, rest) = told.continue_as_new();

    let entries = next.journal();
    let carried: Vec<_> = entries.iter().filter(|entry| entry.seq > rest.base).collect();
    let ids = carried.iter().filter_map(|entry| match &entry.body {
        Body::Event(Event::Received { id, .. }) => id.clone(),
        _ => None,
    });
    assert_eq!(ids.collect::<Vec<_>>(), ["2", "3", "4", "5"]);
    assert!(rest.effects.is_empty() && rest.stops.is_empty());
}

#[test]
fn the_end_says_how_many_nobody_received() {
    let mut told = Told::new();
    told.receive();
    told.signal("a");
    told.signal("b");
    told.signal("c");
    told.expect(0, "a");
    told.receive();
    told.expect(1, "b");
    told.cancel(&[1]);

    told.replay.stop_all();
    let ended = told.replay.end(Ok(json(0)), 0, told.now);

    assert_eq!((ended.state, ended.unreceived), (ExecutionState::Completed, 2));
}
