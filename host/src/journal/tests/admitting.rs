//! Which arrivals become events, when they are recorded, and what lazily written commands lose.

use super::super::{
    Admission, Arrival, Body, Command, CommandEntry, Effect, Entry, Event, Halt, Recorded, Replay,
    Stop,
};
use super::receiving::Told;
use super::{at, call, execution, json, limits};
use crate::model::{Limits, Note, Promise, Run, Seq, kind};

fn replayed(told: &mut Told) -> Replay {
    Replay::new(execution(), Run(0), told.journal(), &limits()).unwrap()
}

#[test]
fn a_settlement_of_another_run_is_dropped() {
    let mut told = Told::new();
    told.issue(call("step"));
    let Arrival::Settled { promise, outcome, usage, attempt, .. } = told.settlement(0) else {
        panic!("a settlement")
    };

    let strange = Arrival::Settled { run: Run(1), promise, outcome, usage, attempt };

    assert_eq!(told.admit(strange), Admission::Dropped);
}

#[test]
fn a_promise_settles_once_and_not_when_it_was_cancelled() {
    let mut told = Told::new();
    told.issue(call("step"));
    told.issue(call("other"));
    told.settles(0);

    let again = told.settlement(0);
    assert_eq!(told.admit(again.clone()), Admission::Dropped);
    told.expect(0, "done");
    assert_eq!(told.admit(again), Admission::Dropped);

    told.cancel(&[1]);
    let late = told.settlement(1);
    assert_eq!(told.admit(late), Admission::Dropped);
}

#[test]
fn the_outcome_of_a_step_does_not_settle_a_timer_or_a_receive() {
    let mut told = Told::new();
    told.issue(Command::Sleep { milliseconds: 1 });
    told.receive();

    for promise in [0, 1] {
        let strange = told.settlement(promise);
        assert_eq!(told.admit(strange), Admission::Dropped);
    }
}

#[test]
fn a_timer_fires_no_earlier_than_it_is_due_and_once() {
    let mut told = Told::new();
    told.issue(Command::Sleep { milliseconds: 5 });
    let fired = Arrival::Fired { promise: Promise(0) };
    assert_eq!(told.replay.next_timer(), Some(at(5_100)));
    told.now = at(5_099);
    assert_eq!(told.replay.due(told.now), []);
    assert_eq!(told.admit(fired.clone()), Admission::Dropped);

    told.now = at(5_100);

    assert_eq!(told.replay.due(told.now), [Promise(0)]);
    assert!(matches!(told.admit(fired.clone()), Admission::Recorded(_)));
    assert_eq!(told.admit(fired), Admission::Dropped);
    assert_eq!(told.replay.next_timer(), None);
}

#[test]
fn a_timer_counts_from_the_time_that_the_guest_is_told() {
    let mut told = Told::new();
    told.issue(call("step"));
    told.settles(0);
    told.expect(0, "done");
    told.now = at(40);

    told.issue(Command::Sleep { milliseconds: 1 });

    assert_eq!(told.replay.now(), at(100));
    assert_eq!(told.replay.next_timer(), Some(at(1_100)));
}

#[test]
fn when_a_timer_is_due_stays_as_it_was_recorded() {
    let mut told = Told::new();
    told.issue(Command::Sleep { milliseconds: 5 });
    let mut replay = replayed(&mut told);

    replay.issue(Command::Sleep { milliseconds: 5 }, at(77_000)).unwrap();

    assert_eq!(replay.next_timer(), Some(at(5_100)));
    assert!(!replay.has_pending());
}

#[test]
fn recorded_times_never_run_backwards() {
    let mut told = Told::new();
    told.issue(call("step"));
    told.now = at(50);
    told.settles(0);

    let times: Vec<_> = told.journal().iter().map(|entry| entry.recorded_at).collect();

    assert_eq!(times, [at(10), at(100), at(100)]);
}

#[test]
fn a_recorded_call_without_an_outcome_is_called_again() {
    let mut told = Told::new();
    told.issue(call("step"));
    told.issue(call("other"));
    told.settles(1);
    let mut replay = replayed(&mut told);

    replay.issue(call("step"), at(0)).unwrap();
    replay.issue(call("other"), at(0)).unwrap();

    let effects = replay.take_effects();
    let [Effect::Call { promise, again: true, input_at, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((*promise, *input_at), (Promise(0), (Seq(2), 0)));
}

#[test]
fn a_command_that_was_never_written_is_new_though_events_lie_ahead() {
    let mut told = Told::new();
    told.issue(call("a"));
    told.issue(call("b"));
    told.settles(0);
    told.settles(1);
    let mut replay = replayed(&mut told);
    replay.issue(call("a"), at(0)).unwrap();
    replay.issue(call("b"), at(0)).unwrap();
    replay.next().unwrap();

    replay.issue(call("c"), at(0)).unwrap();

    replay.next().unwrap();
    let pending = replay.take_pending(at(0)).entries;
    let [Entry { seq: Seq(6), body: Body::Command(CommandEntry { after, command }), .. }] =
        pending.as_slice()
    else {
        panic!("{pending:?}")
    };
    assert_eq!(*after, Seq(4));
    assert!(matches!(command, Recorded::Call { promise: Promise(2), .. }));
}

#[test]
fn work_that_nobody_has_begun_need_not_be_stopped() {
    let mut told = Told::new();
    told.issue(call("a"));
    told.cancel(&[0]);
    assert_eq!((told.replay.take_effects(), told.replay.take_stops()), (vec![], vec![]));

    told.issue(call("b"));
    told.replay.take_effects();
    told.cancel(&[1]);

    assert_eq!(told.replay.take_stops(), [Stop::Call(Promise(1))]);
}

#[test]
fn notes_that_are_durable_are_not_taken_again() {
    let note = |text: &str| Note::Progress { text: text.to_owned() };
    let mut told = Told::new();
    told.replay.note(note("one"));
    told.issue(call("step"));
    told.replay.note(note("two"));
    let pending = told.replay.take_pending(told.now);
    assert_eq!(pending.notes, [note("one"), note("two")]);
    told.entries.extend(pending.entries);
    let mut replay = replayed(&mut told);

    replay.note(note("one"));
    replay.issue(call("step"), at(0)).unwrap();
    replay.note(note("two"));
    assert!(!replay.has_pending());
    replay.note(note("three"));

    let pending = replay.take_pending(at(0));
    assert_eq!(pending.notes, [note("three")]);
    assert!(matches!(pending.entries.as_slice(), [Entry { noted: 3, body: Body::Noted, .. }]));
}

#[test]
fn a_journal_that_is_full_says_which_limit_and_continue_as_new_empties_it() {
    let tight = Limits { journal_entries_max: 3, ..limits() };
    let mut told = Told::new();
    let mut replay = Replay::new(execution(), Run(0), told.journal(), &tight).unwrap();
    replay.issue(call("a"), at(0)).unwrap();
    replay.issue(call("b"), at(0)).unwrap();

    let Err(Halt::Exceeded(failure)) = replay.issue(call("c"), at(0)) else { panic!("no limit") };
    assert_eq!(failure.kind, kind::JOURNAL_FULL);
    assert!(failure.message.contains("journal_entries_max"), "{failure}");

    let module = crate::model::ModuleDigest::of(b"module");
    let mut next = replay.continue_as_new(json(1), module, &tight, at(0)).replay;
    next.issue(call("a"), at(0)).unwrap();
}

#[test]
fn a_journal_warns_of_its_length_past_half_of_it_and_no_more_as_new() {
    let tight = Limits { journal_entries_max: 4, ..limits() };
    let mut told = Told::new();
    let mut replay = Replay::new(execution(), Run(0), told.journal(), &tight).unwrap();
    replay.issue(call("a"), at(0)).unwrap();
    assert_eq!(replay.half_full(), None);

    replay.issue(call("b"), at(0)).unwrap();

    let said = replay.half_full().unwrap().to_string();
    assert!(said.contains("3 of at most 4 entries (journal_entries_max)"), "{said}");
    let module = crate::model::ModuleDigest::of(b"module");
    let next = replay.continue_as_new(json(1), module, &tight, at(0)).replay;
    assert_eq!(next.half_full(), None);
}

#[test]
fn too_many_open_promises_are_refused_and_leave_no_trace() {
    let tight = Limits { open_promises_max: 1, ..limits() };
    let mut told = Told::new();
    let mut replay = Replay::new(execution(), Run(0), told.journal(), &tight).unwrap();
    replay.issue(call("a"), at(0)).unwrap();

    assert!(matches!(replay.issue(call("b"), at(0)), Err(Halt::Exceeded(_))));

    let is_call = |entry: &Entry| matches!(entry.body, Body::Command(_));
    assert_eq!(replay.take_pending(at(0)).entries.iter().filter(|e| is_call(e)).count(), 1);
}

#[test]
fn an_event_is_delivered_with_the_time_it_was_recorded_at() {
    let mut told = Told::new();
    told.issue(call("a"));
    told.now = at(500);
    told.settles(0);
    assert_eq!(told.replay.now(), at(10));

    told.expect(0, "done");

    assert_eq!(told.replay.now(), at(500));
    assert!(
        told.journal().iter().any(|entry| matches!(entry.body, Body::Event(Event::Settled { .. })))
    );
}
