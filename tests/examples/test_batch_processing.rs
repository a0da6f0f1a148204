use stepwell_testing::{ExecutionState, json};

use crate::host;

#[test]
fn every_item_is_done_or_named() {
    let mut host = host("batch_processing");

    let id = host.start("batch", json!({ "items": 100, "broken_every": 40 }));
    let summary = host.end(id).value();

    assert_eq!(summary["done"], 98);
    assert_eq!(summary["broken"], json!([39, 79]));
    assert_eq!(summary["sum"], 2 * (0..100).filter(|item| item % 40 != 39).sum::<u64>());
    assert_eq!(host.counter(id, "done"), 98);
    assert_eq!(host.attempts("work").len(), 100);
}

#[test]
fn results_are_in_the_order_of_the_items_whatever_ends_first() {
    host("batch_processing").for_each_seed(0..10, |host| {
        let summary = host.run("batch", json!({ "items": 30, "broken_every": 7, "at_once": 8 }));

        assert_eq!(summary.value()["broken"], json!([6, 13, 20, 27]));
    });
}

#[test]
fn a_batch_that_is_cancelled_stops_calling() {
    let mut host = host("batch_processing");
    host.takes("work", "20s");
    let id = host.start("batch", json!({ "items": 1_000, "at_once": 10 }));

    host.advance("30s");
    host.cancel(id, "no longer wanted");

    assert_eq!(host.end(id).state, ExecutionState::Cancelled);
    assert!(host.attempts("work").len() <= 20);
}

#[test]
fn a_hundred_thousand_items_pass_through_a_window_of_a_thousand() {
    let mut host = host("batch_processing");
    host.replace("work", |input| Ok(json!(input["item"].as_u64().unwrap() * 2)));

    let summary = host.run("batch", json!({ "items": 100_000 })).value();

    assert_eq!(summary["sum"], 100_000_u64 * 99_999);
}
