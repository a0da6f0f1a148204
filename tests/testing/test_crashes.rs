//! Crashes after every entry, and other orders.

use std::collections::BTreeSet;

use stepwell_testing::{Cue, ExecutionState, json};

use crate::host;

#[test]
fn a_crash_after_any_entry_of_checkout_cannot_be_seen() {
    let mut host = host("checkout");
    host.replace("ship", |_| Ok(json!("parcel-1")));

    let receipt = host.crash_everywhere(|host| {
        let id = host.start("checkout", json!({ "order": "o-1", "amount": 100, "pack_for": "1h" }));
        let receipt = host.end(id).value();
        assert!(host.attempts("ship").len() <= 2, "one more for the crash");
        (receipt["parcel"].clone(), host.counter(id, "charges"))
    });

    assert_eq!(receipt, (json!("parcel-1"), 1));
}

#[test]
fn a_crash_after_any_entry_of_a_parent_and_its_children_cannot_be_seen() {
    let host = host("misbehaving");

    let sum = host.crash_everywhere(|host| {
        let id = host.start("parent", json!(3));
        let end = host.end(id);
        assert_eq!(host.children(id).len(), 3);
        end.value()
    });

    assert_eq!(sum, 6);
}

#[test]
fn a_crash_after_any_entry_of_signals_and_compensations_cannot_be_seen() {
    let host = host("misbehaving");

    host.crash_everywhere(|host| {
        let id = host.start("signals", json!(3));
        for number in 0..3 {
            host.signal(id, "message", json!(number));
        }
        host.end(id).value()
    });
    let (state, counters) = host.crash_everywhere(|host| {
        let id = host.start("compensate", json!("1h"));
        host.when(Cue::after("10m")).cancel(id, "no longer wanted");
        (host.end(id).state, host.counters(id).clone())
    });

    assert_eq!(state, ExecutionState::Cancelled);
    assert_eq!(counters["undone"], 1);
}

#[test]
fn another_seed_is_another_order_and_the_same_seed_the_same() {
    let host = host("misbehaving");
    let order = |seed| {
        let mut host = self::host("misbehaving").shuffled(seed);
        let id = host.start("wide", json!(20));
        host.end(id).value();
        host.timeline(id)
    };

    assert_eq!(order(1), order(1));
    let orders: BTreeSet<_> = (0..5).map(order).collect();
    assert_eq!(orders.len(), 5);
    host.for_each_seed(0..5, |host| {
        assert_eq!(host.run("wide", json!(20)).value(), 190);
    });
}

#[test]
fn whoever_is_never_hot_is_replayed_each_time_it_goes_on() {
    let mut host = host("misbehaving").never_hot();

    assert_eq!(host.run("chain", json!(20)).value(), 190);
    assert_eq!(host.run("parent", json!(3)).value(), 6);
}

#[test]
fn a_crash_after_any_entry_of_several_runs_cannot_be_seen() {
    let host = host("misbehaving");

    let (rounds, runs) = host.crash_everywhere(|host| {
        let id = host.start("continue_as_new", json!({ "left": 3, "done": 0 }));
        (host.end(id).value(), host.run_number(id))
    });

    assert_eq!((rounds, runs), (json!(3), 3));
}
