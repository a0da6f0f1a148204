//! Requests to end, returning, and the next run.

use super::super::{
    Admission, Arrival, Body, Command, Effect, Next, NextRun, Replay, RunReason, Stop,
};
use super::receiving::Told;
use super::{at, call, execution, json, limits, name};
use crate::model::{
    ChildOptions, ExecutionId, ExecutionState, Failure, ModuleDigest, Promise, Run, kind,
};

fn cancel() -> Arrival {
    Arrival::Cancel { reason: "enough".to_owned(), force: false }
}

fn child() -> Command {
    let options = ChildOptions::default();
    Command::StartChild { workflow: name("child"), input: json(1), options }
}

fn detached_child() -> Command {
    let options = ChildOptions { detached: true, ..ChildOptions::default() };
    Command::StartChild { workflow: name("child"), input: json(1), options }
}

fn child_id(promise: u32) -> ExecutionId {
    ExecutionId::of_child(execution(), Run(0), Promise(promise))
}

#[test]
fn a_cancel_settles_what_is_open_at_its_delivery_lowest_first_and_nothing_later() {
    let mut told = Told::new();
    told.issue(call("a"));
    told.receive();
    told.issue(Command::Sleep { milliseconds: 9 });
    told.admit(cancel());
    told.settles(0);

    told.expect_failed(0, kind::CANCELLED);
    told.issue(call("compensate"));
    told.expect_failed(1, kind::CANCELLED);
    told.expect_failed(2, kind::CANCELLED);
    told.expect_wait();
    told.settles(3);
    told.expect(3, "done");
    told.expect_nothing();
}

#[test]
fn a_promise_that_was_cancelled_meanwhile_is_not_settled_by_the_request() {
    let mut told = Told::new();
    told.issue(call("a"));
    told.issue(call("b"));
    told.issue(call("c"));
    told.admit(cancel());

    told.expect_failed(0, kind::CANCELLED);
    told.cancel(&[1]);

    told.expect_failed(2, kind::CANCELLED);
}

#[test]
fn an_event_before_the_request_is_delivered_before_it() {
    let mut told = Told::new();
    told.issue(call("a"));
    told.issue(call("b"));
    told.settles(1);
    told.admit(cancel());

    told.expect(1, "done");
    assert_eq!(told.replay.ending(), None);
    told.expect_failed(0, kind::CANCELLED);

    assert_eq!(told.replay.ending().unwrap().state, ExecutionState::Cancelled);
}

#[test]
fn the_end_of_max_duration_does_the_same_with_its_own_kind() {
    let mut told = Told::new();
    told.issue(call("a"));
    told.admit(Arrival::Expired);
    assert_eq!(told.admit(cancel()), Admission::Dropped);

    told.expect_failed(0, kind::TIMED_OUT);
    let ended = told.replay.end(Ok(json("undone")), 0, told.now);

    assert_eq!(ended.state, ExecutionState::TimedOut);
    let failure = ended.outcome.unwrap_err();
    assert_eq!((failure.kind.as_str(), failure.details), (kind::TIMED_OUT, Some(json("undone"))));
}

#[test]
fn a_failure_while_compensating_is_told_beside_the_request() {
    let mut told = Told::new();
    told.issue(call("a"));
    told.admit(cancel());
    told.expect_failed(0, kind::CANCELLED);

    let ended = told.replay.end(Err(Failure::new("refund", "no money")), 0, told.now);

    let failure = ended.outcome.unwrap_err();
    assert_eq!((ended.state, failure.kind.as_str()), (ExecutionState::Cancelled, kind::CANCELLED));
    assert!(failure.message.contains("enough") && failure.message.contains("no money"));
}

#[test]
fn a_cancel_stops_children_but_not_those_that_were_detached() {
    let mut told = Told::new();
    told.issue(child());
    told.issue(detached_child());
    told.replay.take_effects();
    told.admit(cancel());

    told.expect_failed(0, kind::CANCELLED);
    told.expect_failed(1, kind::CANCELLED);

    assert_eq!(told.replay.take_stops(), [Stop::Child(child_id(0))]);
}

#[test]
fn on_return_open_work_and_children_are_stopped_but_not_those_that_were_detached() {
    let mut told = Told::new();
    told.issue(call("a"));
    told.issue(child());
    told.issue(detached_child());
    told.replay.take_effects();

    let stops = told.replay.stop_all();

    assert_eq!(stops, [Stop::Call(Promise(0)), Stop::Child(child_id(1))]);
}

#[test]
fn a_detached_child_of_the_last_moment_is_still_begun() {
    let mut told = Told::new();
    told.issue(call("a"));
    told.issue(child());
    told.issue(detached_child());

    let (_next, rest) = told.continue_as_new();

    assert!(rest.stops.is_empty());
    let [Effect::Child { child, run: Run(0), .. }] = rest.effects.as_slice() else {
        panic!("{:?}", rest.effects)
    };
    assert_eq!(*child, child_id(2));
}

#[test]
fn a_detached_child_that_the_guest_no_longer_cares_for_is_begun_and_goes_on() {
    let mut told = Told::new();
    told.issue(detached_child());

    told.cancel(&[0]);

    assert!(matches!(told.replay.take_effects().as_slice(), [Effect::Child { .. }]));
    assert_eq!(told.replay.take_stops(), []);
    let late = told.settlement(0);
    assert_eq!(told.admit(late), Admission::Dropped);
}

#[test]
fn the_next_run_numbers_promises_anew_and_hears_nothing_of_the_one_before() {
    let mut told = Told::new();
    told.issue(call("a"));
    let late = told.settlement(0);
    let drawn = told.replay.random(8);

    let (mut next, rest) = told.continue_as_new();

    assert_eq!(next.replay.run(), Run(1));
    assert_ne!(next.replay.random(8), drawn);
    assert_eq!(next.issue(call("b")), Promise(0));
    assert_eq!(next.admit(late), Admission::Dropped);
    let entries = next.journal();
    let run = entries.iter().find(|entry| entry.seq == rest.base).unwrap();
    assert!(matches!(&run.body, Body::Run(run) if run.why == RunReason::ContinueAsNew));
}

#[test]
fn a_request_to_end_that_was_not_delivered_reaches_the_next_run() {
    let mut told = Told::new();
    told.admit(cancel());

    let (mut next, _rest) = told.continue_as_new();

    assert!(next.replay.is_asked_to_end());
    next.issue(call("a"));
    next.expect_failed(0, kind::CANCELLED);
}

#[test]
fn a_run_that_was_told_to_end_does_not_begin_another() {
    let mut told = Told::new();
    told.issue(call("a"));
    told.issue(Command::ContinueAsNew { input: json(2) });
    assert_eq!(told.replay.continued(), Some(&json(2)));

    told.admit(cancel());
    told.expect_failed(0, kind::CANCELLED);

    assert_eq!(told.replay.continued(), None);
}

#[test]
fn notes_are_counted_anew_in_each_run() {
    let note = |text: &str| crate::model::Note::Progress { text: text.to_owned() };
    let mut told = Told::new();
    told.replay.note(note("old"));
    let module = ModuleDigest::of(b"module");
    let NextRun { replay: mut next, base, .. } =
        told.replay.continue_as_new(json(2), module, &limits(), told.now);
    let pending = next.take_pending(told.now);
    assert_eq!(pending.notes, [note("old")]);
    let fresh = pending.entries.into_iter().filter(|entry| entry.seq >= base).collect();
    let mut replay = Replay::new(execution(), Run(1), fresh, &limits()).unwrap();

    replay.note(note("new"));

    assert_eq!(replay.take_pending(at(0)).notes, [note("new")]);
}

#[test]
fn nothing_is_open_means_nothing_to_wait_for() {
    let mut told = Told::new();
    told.expect_nothing();
    told.issue(call("a"));
    assert_eq!(told.replay.next(), Ok(Next::Wait));
    told.cancel(&[0]);
    told.expect_nothing();
}
