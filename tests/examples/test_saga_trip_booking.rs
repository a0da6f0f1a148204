//! Failure, cancel, time-out and death at each step: what was booked is taken back exactly, the last thing first.

use stepwell_testing::{Cue, ExecutionId, ExecutionState, Failure, TestHost, Value, json};

use crate::host;

const BOOKINGS: [&str; 4] = ["book_flight", "book_hotel", "book_car", "charge"];
const UNDOINGS: [&str; 4] = ["cancel_flight", "cancel_hotel", "cancel_car", "refund"];

fn trip() -> Value {
    json!({ "traveller": "ada", "pause": "1h" })
}

/// The undoings that were called, in the order of their calls.
fn undone(host: &TestHost, id: ExecutionId) -> Vec<String> {
    let calls = host.journal(id).iter().filter_map(|entry| match &entry.body {
        stepwell_testing::journal::Body::Command(command) => match &command.command {
            stepwell_testing::journal::Recorded::Call { step, .. } => Some(step.to_string()),
            _ => None,
        },
        _ => None,
    });
    calls.filter(|step| UNDOINGS.contains(&step.as_str())).collect()
}

/// The undoings of the first so many bookings, the last one first.
fn undoings_of(bookings: usize) -> Vec<String> {
    UNDOINGS[..bookings].iter().rev().map(|step| (*step).to_owned()).collect()
}

/// Whether the undoing of a booking is registered before it.
fn registered_before(booking: usize) -> bool {
    booking >= 2
}

#[test]
fn a_trip_is_booked_and_nothing_taken_back() {
    let mut host = host("saga_trip_booking");

    let id = host.start("book_trip", trip());
    let booked = host.end(id).value();

    assert_eq!(booked["receipt"], "charge-of-ada");
    assert_eq!(host.steps(), BOOKINGS);
    assert!(undone(&host, id).is_empty());
}

#[test]
fn a_failure_at_each_step_takes_back_what_was_booked_before() {
    for (place, step) in BOOKINGS.iter().enumerate() {
        let mut host = host("saga_trip_booking");

        let id = host.start("book_trip", json!({ "traveller": "ada", "fail_at": step }));
        let failure = host.end(id).failure();

        assert_eq!(failure.kind, "sold-out", "{step}");
        let done = place + usize::from(registered_before(place));
        assert_eq!(undone(&host, id), undoings_of(done), "{step}");
    }
}

#[test]
fn a_step_whose_attempts_run_out_is_taken_back_too() {
    let mut host = host("saga_trip_booking");
    host.fail("charge", Failure::new("no-answer", "the provider is away"));

    let id = host.start("book_trip", trip());
    let failure = host.end(id).failure();

    assert_eq!(failure.kind, "no-answer");
    assert_eq!(host.attempts("charge").len(), 3);
    assert_eq!(undone(&host, id), undoings_of(4));
}

#[test]
fn a_cancel_while_each_step_runs_takes_back_what_may_have_been_booked() {
    for (place, step) in BOOKINGS.iter().enumerate() {
        let mut host = host("saga_trip_booking");
        host.takes(step, "10s");
        let id = host.start("book_trip", trip());
        host.when(Cue::begun(step)).cancel(id, "no longer wanted");

        let end = host.end(id);

        assert_eq!(end.state, ExecutionState::Cancelled, "{step}");
        let done = place + usize::from(registered_before(place));
        assert_eq!(undone(&host, id), undoings_of(done), "{step}");
    }
}

#[test]
fn a_cancel_after_each_step_takes_it_back() {
    for (place, step) in BOOKINGS.iter().enumerate() {
        let mut host = host("saga_trip_booking");
        let id = host.start("book_trip", trip());
        host.when(Cue::settled(step)).cancel(id, "no longer wanted");

        let end = host.end(id);

        assert_eq!(end.state, ExecutionState::Cancelled, "{step}");
        assert_eq!(undone(&host, id), undoings_of(place + 1), "{step}");
    }
}

#[test]
fn a_cancel_while_each_undoing_runs_undoes_it_again_and_the_rest_once() {
    for (place, step) in UNDOINGS.iter().enumerate() {
        let mut host = host("saga_trip_booking");
        host.fail("charge", Failure::new("sold-out", "no funds"));
        host.takes(step, "10s");
        let id = host.start("book_trip", trip());
        host.when(Cue::begun(step)).cancel(id, "no longer wanted");

        let end = host.end(id);

        assert_eq!(end.state, ExecutionState::Cancelled, "{step}");
        let mut expected = undoings_of(4);
        expected.insert(4 - place, (*step).to_owned());
        assert_eq!(undone(&host, id), expected, "{step}");
        for step in UNDOINGS {
            let completed = host.attempts(step);
            let completed = completed.iter().filter(|attempt| attempt.outcome.is_some());
            assert_eq!(completed.count(), 1, "{step}");
        }
    }
}

#[test]
fn what_cannot_be_undone_is_told_and_the_rest_is_undone() {
    let mut host = host("saga_trip_booking");
    host.fail("charge", Failure::new("sold-out", "no funds"));
    host.fail("cancel_hotel", Failure::new("no-answer", "the hotel does not answer"));

    let id = host.start("book_trip", trip());
    let failure = host.end(id).failure();

    assert_eq!(failure.kind, "not-undone");
    let details: Value = serde_json::from_str(failure.details.unwrap().as_str()).unwrap();
    assert_eq!(details["kind"], "sold-out");
    assert_eq!(details["not_undone"][0]["what"], "cancel_hotel");
    assert_eq!(undone(&host, id), undoings_of(4));
    assert_eq!(host.counter(id, "flight-back"), 1);
}

#[test]
fn a_death_at_any_entry_of_a_failing_trip_cannot_be_seen() {
    let mut host = host("saga_trip_booking");
    host.fail("charge", Failure::new("sold-out", "no funds"));

    let (undone, counters) = host.crash_everywhere(|host| {
        let id = host.start("book_trip", trip());
        host.end(id).failure();
        (undone(host, id), host.counters(id).clone())
    });

    assert_eq!(undone, undoings_of(4));
    assert!(counters.values().all(|count| *count == 1), "{counters:?}");
}

#[test]
fn a_death_at_any_entry_of_a_cancelled_trip_cannot_be_seen() {
    let host = host("saga_trip_booking");

    let undone = host.crash_everywhere(|host| {
        let id = host.start("book_trip", trip());
        host.when(Cue::after("150m")).cancel(id, "no longer wanted");
        assert_eq!(host.end(id).state, ExecutionState::Cancelled);
        undone(host, id)
    });

    assert_eq!(undone, undoings_of(3));
}
