//! Steps: run, replaced, failed, tried again.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use stepwell_testing::{ExecutionState, Failure, json};

use crate::host;

#[test]
fn steps_run_for_real_unless_they_are_replaced() {
    let mut host = host("checkout");
    host.replace("quote", |order| Ok(json!(order["amount"].as_u64().unwrap() * 2)));

    let id = host.start("checkout", json!({ "order": "o-1", "amount": 100 }));
    let receipt = host.end(id).value();

    assert_eq!(receipt["total"], 200);
    assert_eq!(receipt["parcel"], "parcel-from-shelf-of-o-1");
    assert_eq!(host.counter(id, "charges"), 1);
    assert_eq!(host.progress(id), ["charged"]);
}

#[test]
fn a_failed_step_is_tried_again_by_its_policy() {
    let mut host = host("checkout");
    let numbers = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&numbers);
    host.replace_attempts("charge", move |attempt| {
        seen.borrow_mut().push(attempt.number);
        match attempt.number {
            1..=3 => Err(Failure::new("no-answer", "the provider is away")),
            _ => Ok(json!("receipt-1")),
        }
    });

    let end = host.run("checkout", json!({ "order": "o-1", "amount": 100 }));

    assert_eq!(end.value()["number"], "receipt-1");
    assert_eq!(*numbers.borrow(), [1, 2, 3, 4]);
    assert_eq!(host.passed(), Duration::from_secs(1 + 2 + 4));
}

#[test]
fn attempts_that_run_out_make_a_dead_letter() {
    let mut host = host("checkout");
    host.fail("charge", Failure::new("no-answer", "the provider is away"));

    let end = host.run("checkout", json!({ "order": "o-1", "amount": 100 }));

    assert_eq!(end.state, ExecutionState::Failed);
    assert_eq!(end.failure().kind, "no-answer");
    assert_eq!(host.dead_letters()[0].attempts, 5);
    assert_eq!(host.attempts("release").len(), 1);
}

#[test]
fn a_failure_that_the_policy_does_not_cover_goes_to_the_workflow() {
    let mut host = host("checkout");
    host.fail("charge", Failure::new("refused", "no funds"));

    let end = host.run("checkout", json!({ "order": "o-1", "amount": 100 }));

    assert_eq!(end.failure().kind, "refused");
    assert!(host.dead_letters().is_empty());
    assert_eq!(host.attempts("charge").len(), 1);
}

#[test]
fn a_step_that_takes_longer_than_its_timeout_fails_and_has_run() {
    let mut host = host("checkout");
    host.takes("ship", "1m");

    let end = host.run("checkout", json!({ "order": "o-1", "amount": 100 }));

    assert_eq!(end.failure().kind, "deadline-exceeded");
    assert_eq!(host.attempts("ship").len(), 3);
    assert_eq!(host.attempts("refund").len(), 1);
    assert_eq!(host.passed(), Duration::from_secs(30 + 1 + 30 + 2 + 30));
}

#[test]
#[should_panic(expected = "the module has no step refnd; it has reserve, quote")]
fn a_step_that_is_not_there_cannot_be_replaced() {
    host("checkout").replace("refnd", |_| Ok(json!(null)));
}
