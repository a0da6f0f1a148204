//! Virtual time: sleeps, time-outs, signals on cue.

use std::time::{Duration, Instant};

use stepwell_testing::{Cue, ExecutionState, json};

use crate::host;

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "what is shown is how little of the real time passes"
)]
fn a_sleep_of_thirty_days_takes_no_time() {
    let mut host = host("misbehaving");
    let began = Instant::now();

    let end = host.run("sleeper", json!("30d"));

    assert_eq!(end.value(), json!("30d"));
    assert_eq!(host.passed(), Duration::from_hours(30 * 24));
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_signal_comes_on_cue_and_stops_the_timer() {
    let mut host = host("approval");
    let id = host.start("approval", json!({ "subject": "a lamp", "timeout": "48h" }));
    host.when(Cue::after("36h")).signal(id, "approval", json!({ "by": "ada", "approved": true }));

    let end = host.end(id);

    assert_eq!(end.value(), json!({ "decision": "approved", "by": "ada" }));
    assert_eq!(host.passed(), Duration::from_hours(36));
    assert_eq!(host.value(id, "waiting_for"), Some(&json!(null)));
    assert_eq!(host.log(id)[0].message, "please decide on a lamp");
}

#[test]
fn a_signal_that_is_sent_between_two_waits_is_received() {
    let mut host = host("approval");
    let id = host.start("approval", json!({ "subject": "a lamp", "timeout": "48h" }));

    host.advance("12h");
    assert_eq!(host.value(id, "waiting_for"), Some(&json!("approval")));
    host.signal(id, "approval", json!({ "by": "ada", "approved": false }));

    assert_eq!(host.end(id).value(), json!({ "decision": "refused", "by": "ada" }));
    assert_eq!(host.passed(), Duration::from_hours(12));
}

#[test]
fn max_duration_ends_an_execution_that_does_not_end() {
    let mut host = host("checkout");

    let end = host.run("checkout", json!({ "order": "o-1", "amount": 100, "pack_for": "2d" }));

    assert_eq!(end.state, ExecutionState::TimedOut);
    assert_eq!(host.passed(), Duration::from_hours(24));
    assert_eq!(host.attempts("refund").len(), 1);
    assert_eq!(host.attempts("release").len(), 1);
}

#[test]
#[should_panic(expected = "waits for receive message")]
fn whoever_waits_for_what_nobody_sends_is_told() {
    let mut host = host("misbehaving");

    let id = host.start("signals", json!(1));
    host.end(id);
}
