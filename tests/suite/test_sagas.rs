//! Sagas on a real host: failure, cancel and time-out at each step. What was booked is taken back once, the last thing first;
//! death at each write is among the tests of `dying`.

use serde_json::{Value, json};

use crate::api::End;
use crate::test_host::TestHost;

const BOOKINGS: [&str; 4] = ["book_flight", "book_hotel", "book_car", "charge"];
const UNDOINGS: [&str; 4] = ["cancel_flight", "cancel_hotel", "cancel_car", "refund"];

/// What was undone is exactly what the first so many bookings did.
async fn assert_undone(host: &TestHost, id: &str, bookings: usize, why: &str) {
    let calls = host.recorded(id, "call").await;
    let steps = calls.iter().map(|call| call["name"].as_str().unwrap());
    let undone: Vec<_> = steps.filter(|step| UNDOINGS.contains(step)).collect();
    let expected: Vec<_> = UNDOINGS[..bookings].iter().rev().copied().collect();
    assert_eq!(undone, expected, "{why}");
    let counters = host.execution(id).await["counters"].clone();
    for (place, what) in ["flight", "hotel", "car", "charge"].iter().enumerate() {
        let back = counters[format!("{what}-back")].as_u64().unwrap_or(0);
        assert_eq!(back, u64::from(place < bookings), "{why}: {counters}");
    }
}

fn order(trip: &Value) -> Value {
    json!({ "workflow": "book_trip", "input": trip })
}

#[tokio::test]
async fn a_failure_at_each_step_takes_back_what_was_booked() {
    let mut host = TestHost::start().await;

    for (place, step) in BOOKINGS.iter().enumerate() {
        let id = host.run("book_trip", json!({ "traveller": "ada", "fail_at": step })).await;
        let end = host.ended(&id).await;

        assert_eq!((end.state.as_str(), end.kind()), ("failed", "sold-out"), "{step}");
        assert_eq!(end.failure["details"]["path"], json!([{ "step": step }]));
        // The last two are registered before they are done.
        let registered = place + usize::from(place >= 2);
        assert_undone(&host, &id, registered, step).await;
    }
    host.audit().await;
}

#[tokio::test]
async fn a_cancel_after_each_step_takes_back_what_was_booked() {
    let mut host = TestHost::start().await;

    for (place, step) in BOOKINGS.iter().enumerate() {
        let trip = json!({ "traveller": "ada", "pause": "1h", "pause_after": step });
        let id = host.run("book_trip", trip).await;
        host.until_recorded(&id, "sleep", 1).await;
        host.cancel(&id, json!({ "reason": "no longer wanted" })).await;

        assert_eq!(host.ended(&id).await.state, "cancelled", "{step}");
        assert_undone(&host, &id, place + 1, step).await;
    }
    host.audit().await;
}

#[tokio::test]
async fn a_time_out_after_each_step_takes_back_what_was_booked() {
    let mut host = TestHost::start().await;

    for (place, step) in BOOKINGS.iter().enumerate() {
        let trip = json!({ "traveller": "ada", "pause": "1h", "pause_after": step });
        let mut order = order(&trip);
        order["max_duration"] = json!("2s");
        let started = host.post("/v1/executions", &order).await;
        let id = started.body["id"].as_str().unwrap().to_owned();

        let End { state, .. } = host.ended(&id).await;

        assert_eq!(state, "timed_out", "{step}");
        assert_undone(&host, &id, place + 1, step).await;
    }
    host.audit().await;
}

#[tokio::test]
async fn a_host_that_dies_while_it_takes_back_goes_on_with_it() {
    let mut host = TestHost::start().await;
    let trip = json!({ "traveller": "ada", "pause": "1h", "pause_after": "charge" });
    let id = host.run("book_trip", trip).await;
    host.until_recorded(&id, "sleep", 1).await;

    host.cancel(&id, json!({})).await;
    host.kill_and_restart().await;
    host.kill_and_restart().await;

    assert_eq!(host.ended(&id).await.state, "cancelled");
    assert_undone(&host, &id, 4, "killed twice").await;
    host.audit().await;
}
