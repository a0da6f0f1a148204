use std::time::Duration;

use stepwell_testing::{Cue, ExecutionState, json};

use crate::host;

#[test]
fn parts_ship_at_the_same_time_once_somebody_approved() {
    let mut host = host("complex_workflow");
    let id = host.start("fulfil", json!({ "id": "o-1", "warehouses": ["north", "south", "east"] }));
    host.when(Cue::after("2h")).signal(id, "approval", json!({ "by": "ada" }));
    host.when(Cue::after("5h")).signal(id, "remark", json!("mind the lamp"));
    host.when(Cue::settled("pack")).signal(id, "remark", json!("packed"));

    let shipped = host.end(id).value();

    assert_eq!(shipped["approved_by"], "ada");
    assert_eq!(shipped["parcels"], json!(["o-1-from-north", "o-1-from-south", "o-1-from-east"]));
    assert_eq!(shipped["remarks"], json!(["mind the lamp", "packed"]));
    assert_eq!(host.passed(), Duration::from_hours(2 + 12));
    assert_eq!(host.value(id, "stage"), Some(&json!("done")));
}

#[test]
fn the_archive_goes_on_when_its_parent_has_ended() {
    let mut host = host("complex_workflow");
    let id = host.start("fulfil", json!({ "id": "o-1", "warehouses": [] }));
    host.signal(id, "approval", json!({ "by": "ada" }));

    host.end(id).value();
    let archive = host.children(id)[0];

    assert_eq!(host.end(archive).value(), "o-1 is in the archive");
    assert_eq!(host.passed(), Duration::from_hours(52 * 7 * 24));
}

#[test]
fn without_an_approval_nothing_is_shipped() {
    let mut host = host("complex_workflow");

    let end = host.run("fulfil", json!({ "id": "o-1", "warehouses": ["north"] }));

    assert_eq!(end.failure().kind, "not-approved");
    assert_eq!(host.passed(), Duration::from_hours(48));
    assert!(host.steps().is_empty());
}

#[test]
fn one_part_that_fails_ends_the_others_and_is_named() {
    let mut host = host("complex_workflow");
    let id = host.start("fulfil", json!({ "id": "o-1", "warehouses": ["north", "closed"] }));
    host.signal(id, "approval", json!({ "by": "ada" }));

    let failure = host.end(id).failure();
    host.settle();

    assert_eq!(failure.kind, "closed");
    let details = failure.details.unwrap();
    assert!(details.as_str().contains(r#""workflow":"ship_part""#), "{}", details.as_str());
    let states: Vec<_> = host.children(id).iter().map(|child| host.state(*child)).collect();
    assert_eq!(states, [ExecutionState::Cancelled, ExecutionState::Failed]);
}

#[test]
fn a_subscription_goes_on_for_years_in_short_journals() {
    let mut host = host("complex_workflow");
    let id = host.start("subscription", json!({ "customer": "ada" }));

    host.advance("730d");
    host.signal(id, "stop", json!(null));

    assert_eq!(host.end(id).value(), 24);
    assert_eq!(host.run_number(id), 24);
    assert_eq!(host.counter(id, "months"), 24);
    assert_eq!(host.attempts("charge_month").len(), 24);
}

#[test]
fn a_crash_at_any_entry_cannot_be_seen_in_any_order() {
    for seed in 0..3 {
        host("complex_workflow").shuffled(seed).crash_everywhere(|host| {
            let id = host.start("fulfil", json!({ "id": "o-1", "warehouses": ["north", "south"] }));
            host.signal(id, "remark", json!("hello"));
            host.signal(id, "approval", json!({ "by": "ada" }));
            (host.end(id).value(), host.children(id).len())
        });
    }
}
