//! Timers, delayed starts and `max_duration`.

use serde_json::{Value, json};

use crate::test_host::TestHost;

/// Microseconds since 1970 of a time as the API writes it.
fn micros(time: &Value) -> i64 {
    let time = time.as_str().unwrap_or_else(|| panic!("{time} is no time"));
    time.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

#[tokio::test]
async fn a_timer_fires_no_earlier_than_it_is_due() {
    let mut host = TestHost::start().await;

    let id = host.run("sleeper", json!("250ms")).await;
    let slept = host.ended(&id).await.value();

    assert_eq!(slept, "250ms");
    let (sleep, fired) = (host.recorded(&id, "sleep").await, host.recorded(&id, "fired").await);
    assert_eq!((sleep.len(), fired.len()), (1, 1));
    assert!(micros(&fired[0]["at"]) >= micros(&sleep[0]["due"]), "{fired:?}");
    host.audit().await;
}

#[tokio::test]
async fn a_timer_is_still_due_at_the_same_time_after_a_crash() {
    let mut host = TestHost::start().await;
    let id = host.run("sleeper", json!("1s")).await;
    host.until_recorded(&id, "sleep", 1).await;
    let due = host.recorded(&id, "sleep").await[0]["due"].clone();

    host.kill_and_restart().await;
    host.kill_and_restart().await;

    host.ended(&id).await.value();
    let sleep = host.recorded(&id, "sleep").await;
    assert_eq!(sleep.len(), 1);
    assert_eq!(sleep[0]["due"], due);
    assert!(micros(&host.recorded(&id, "fired").await[0]["at"]) >= micros(&due));
    host.audit().await;
}

#[tokio::test]
async fn a_timer_that_was_due_while_no_host_lived_fires_at_once() {
    let mut host = TestHost::start().await;
    let id = host.run("sleeper", json!("50ms")).await;
    host.until_recorded(&id, "sleep", 1).await;

    host.kill_and_restart().await;

    assert_eq!(host.ended(&id).await.value(), "50ms");
    host.audit().await;
}

#[tokio::test]
async fn a_parked_execution_is_woken_by_its_timer() {
    let mut host =
        TestHost::start_within(|limits| limits.hot_for = std::time::Duration::ZERO).await;

    let id = host.run("sleeper", json!("700ms")).await;
    let parked = host.until_state(&id, "waiting").await;

    assert!(parked["owner"].is_null() && !parked["visible_at"].is_null(), "{parked}");
    assert_eq!(host.ended(&id).await.value(), "700ms");
    host.audit().await;
}

#[tokio::test]
async fn a_delayed_start_begins_when_it_is_due_and_not_before() {
    let mut host = TestHost::start().await;

    let order = json!({ "workflow": "noop", "input": 1, "delay": "600ms" });
    let id = host.start(order).await;
    let before = host.execution(&id).await;
    let value = host.ended(&id).await.value();

    assert_eq!(before["state"], "pending");
    assert_eq!(value, 1);
    let after = host.execution(&id).await;
    let waited = micros(&after["started_at"]) - micros(&after["created_at"]);
    assert!(waited >= 600_000, "it began after {waited} us");
    host.audit().await;
}

#[tokio::test]
async fn a_delayed_start_survives_a_crash() {
    let mut host = TestHost::start().await;
    let order = json!({ "workflow": "noop", "input": "late", "delay": "400ms" });
    let id = host.start(order).await;

    host.kill_and_restart().await;

    assert_eq!(host.ended(&id).await.value(), "late");
    host.audit().await;
}

#[tokio::test]
async fn an_execution_that_goes_on_beyond_max_duration_is_timed_out_and_compensates() {
    let mut host = TestHost::start().await;

    let order = json!({ "workflow": "compensate", "input": "1h", "max_duration": "500ms" });
    let id = host.start(order).await;
    let end = host.ended(&id).await;

    assert_eq!(end.state, "timed_out");
    assert_eq!(end.kind(), "timed-out");
    assert_eq!(host.recorded(&id, "expired").await.len(), 1);
    assert_eq!(host.execution(&id).await["counters"], json!({ "ledger": 1, "undone": 1 }));
    host.audit().await;
}

#[tokio::test]
async fn max_duration_passes_while_no_host_lives_too() {
    let mut host = TestHost::start().await;
    let order = json!({ "workflow": "compensate", "input": "1h", "max_duration": "700ms" });
    let id = host.start(order).await;
    host.until_recorded(&id, "sleep", 1).await;

    host.kill_and_restart().await;

    assert_eq!(host.ended(&id).await.state, "timed_out");
    assert_eq!(host.execution(&id).await["counters"]["undone"], 1);
    host.audit().await;
}

#[tokio::test]
async fn a_workflow_that_does_not_end_when_it_is_timed_out_is_ended() {
    let limits = |limits: &mut stepwell::model::Limits| {
        limits.compensate_for = std::time::Duration::from_millis(400);
    };
    let mut host = TestHost::start_within(limits).await;

    let order = json!({ "workflow": "stubborn", "max_duration": "200ms" });
    let id = host.start(order).await;
    let end = host.ended(&id).await;

    assert_eq!(end.state, "timed_out", "{}", end.failure);
    host.audit().await;
}
