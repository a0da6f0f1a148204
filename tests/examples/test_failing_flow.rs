use std::time::Duration;

use stepwell_testing::{ExecutionState, json};

use crate::host;

#[test]
fn what_fails_at_first_is_tried_again() {
    let mut host = host("failing_flow");

    let report = host.run("handled", json!({ "flaky_failures": 3 })).value();

    assert_eq!(report["attempt"], 4);
    assert_eq!(host.passed(), Duration::from_secs(1 + 2 + 4));
    assert!(host.dead_letters().is_empty());
}

#[test]
fn a_declined_card_is_not_tried_again_and_an_invoice_is_sent() {
    let mut host = host("failing_flow");

    let report = host.run("handled", json!({ "declined": true })).value();

    assert_eq!(report["payment"], "invoice sent");
    assert_eq!(host.attempts("charge").len(), 1);
}

#[test]
fn a_dead_letter_does_not_end_a_workflow_that_goes_on_without() {
    let mut host = host("failing_flow");

    let report = host.run("handled", json!({ "broken": true })).value();

    assert_eq!(report["printed"], false);
    let letters = host.dead_letters();
    assert_eq!((letters[0].step.as_str(), letters[0].attempts), ("print_receipt", 2));
}

#[test]
fn what_nobody_handles_ends_the_execution() {
    let mut host = host("failing_flow");

    let end = host.run("unhandled", json!({ "flaky_failures": 5 }));

    assert_eq!(end.state, ExecutionState::Failed);
    let failure = end.failure();
    assert_eq!(failure.kind, "no-answer");
    assert_eq!(failure.details.unwrap().as_str(), r#"{"path":[{"step":"flaky"}]}"#);
    assert_eq!(host.dead_letters().len(), 1);
}

#[test]
fn the_failure_of_a_child_says_where_it_came_from() {
    let mut host = host("failing_flow");

    let said = host.run("explained", json!({ "broken": true })).value();

    assert_eq!(said, "out-of-order at unhandled > print_receipt");
}

#[test]
fn details_that_have_no_room_for_the_way_are_kept() {
    let mut host = host("failing_flow");

    let said = host.run("explained", json!({ "declined": true })).value();

    assert_eq!(said, "declined at ");
}
