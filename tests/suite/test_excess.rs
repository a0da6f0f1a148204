//! Guests that go too far: a typed failure each, within its limit, while the host serves others.

use futures::future::join_all;
use serde_json::{Value, json};
use stepwell::model::{Limits, kind};

use crate::api::End;
use crate::test_host::TestHost;

/// What each excess must end as; `completed` where what is too much is only left out.
const ENDS: [(&str, &[&str]); 14] = [
    ("computing", &[kind::FUEL_EXHAUSTED]),
    ("memory", &[kind::MEMORY_EXCEEDED]),
    ("one_allocation", &[kind::MEMORY_EXCEEDED]),
    ("recursion", &[kind::TRAPPED]),
    ("large_frames", &[kind::TRAPPED]),
    ("trap", &[kind::TRAPPED]),
    ("panic", &[kind::TRAPPED]),
    ("stdout", &[kind::OUTPUT_EXCEEDED]),
    ("log", &[kind::OUTPUT_EXCEEDED, kind::FUEL_EXHAUSTED]),
    ("result", &[kind::OUTPUT_EXCEEDED, kind::MEMORY_EXCEEDED]),
    ("failure", &["huge", kind::OUTPUT_EXCEEDED, kind::MEMORY_EXCEEDED]),
    ("host_calls", &[kind::FUEL_EXHAUSTED, kind::OUTPUT_EXCEEDED]),
    ("counters", &[kind::OUTPUT_EXCEEDED]),
    ("one_line", &[kind::OUTPUT_EXCEEDED, kind::MEMORY_EXCEEDED]),
];

/// Which of the two goes too far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Step,
    Workflow,
}

fn small(limits: &mut Limits) {
    limits.step_fuel = 500_000_000;
    limits.segment_fuel = 500_000_000;
}

async fn ends_typed(of: Where) {
    let mut host = TestHost::start_within(small).await;

    let run = async |(excess, kinds): (&str, &'static [&'static str])| {
        let input = json!({ "excess": excess, "in_step": of == Where::Step });
        (excess.to_owned(), kinds, host.run_to_end("excess_in_workflow", input).await)
    };
    let others = join_all((0..50).map(|number| host.run_to_end("noop", json!(number))));
    let (ends, others) = tokio::join!(join_all(ENDS.map(run)), others);

    for (excess, kinds, end) in ends {
        println!("{excess}: {} {}", end.state, end.failure);
        assert_eq!(end.state, "failed", "{excess}: {}", end.result);
        assert!(kinds.contains(&end.kind()), "{excess}: {}", end.failure);
        assert!(!end.message().is_empty() && end.message().len() <= 8 * 1024, "{excess}");
    }
    for (number, end) in others.into_iter().enumerate() {
        assert_eq!(end.value(), number);
    }
    host.audit().await;
}

#[tokio::test]
async fn a_step_that_goes_too_far_ends_as_its_typed_failure() {
    ends_typed(Where::Step).await;
}

#[tokio::test]
async fn a_workflow_that_goes_too_far_ends_as_its_typed_failure() {
    ends_typed(Where::Workflow).await;
}

#[tokio::test]
async fn a_guest_that_panics_leaves_its_words_and_its_backtrace() {
    let mut host = TestHost::start().await;

    for in_step in [true, false] {
        let input = json!({ "excess": "panic", "in_step": in_step });
        let End { failure, .. } = host.run_to_end("excess_in_workflow", input).await;

        let message = failure["message"].as_str().unwrap();
        assert!(message.contains("panics where it is asked to"), "{failure}");
        let frames = failure["details"]["backtrace"].as_array().unwrap();
        let named = frames.iter().filter_map(Value::as_str);
        assert!(named.clone().any(|frame| frame.contains("fail_badly")), "{failure}");
    }
    host.audit().await;
}

#[tokio::test]
async fn a_step_that_takes_longer_than_its_timeout_is_stopped() {
    let mut host = TestHost::start_within(|limits| limits.step_fuel = 50_000_000_000).await;

    let end = host.run_to_end("hasty", Value::Null).await;

    assert_eq!((end.state.as_str(), end.kind()), ("failed", kind::DEADLINE_EXCEEDED));
    host.audit().await;
}

#[tokio::test]
async fn a_journal_that_grows_without_end_is_full_one_day() {
    let mut host = TestHost::start_within(|limits| limits.journal_entries_max = 3_000).await;

    let flood = host.run("journal_flood", Value::Null);
    let (flood, other) = tokio::join!(flood, host.run_to_end("noop", json!(1)));
    let end = host.ended(&flood).await;

    assert_eq!(other.value(), 1);
    assert_eq!(end.state, "failed");
    assert!(end.failure.to_string().contains("journal_entries_max"), "{}", end.failure);
    let lines = host.logs(&flood).await;
    let warned = |line: &&Value| {
        line["message"].as_str().is_some_and(|said| said.contains("at most 3000 entries"))
    };
    assert_eq!(lines.iter().filter(warned).count(), 1, "{lines:#?}");
    assert!(host.journal(&flood).await.len() <= 3_010);
    host.audit().await;
}

#[tokio::test]
async fn a_loop_on_every_core_does_not_keep_others_from_being_served() {
    let mut host = TestHost::start_within(|limits| limits.step_fuel = 50_000_000_000).await;
    let endless = json!({ "excess": "computing", "in_step": true });
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);

    let looping =
        join_all((0..cores).map(|_| host.run("excess_in_workflow", endless.clone()))).await;
    for id in &looping {
        host.until_recorded(id, "call", 1).await;
    }
    for number in 0..100 {
        assert_eq!(host.run_to_end("noop", json!(number)).await.value(), number);
    }
    let still = join_all(looping.iter().map(|id| host.stands(id, "0s"))).await;

    // One that outlives the hot window goes on as a task, while its execution is parked.
    let goes_on = |stands: &End| ["running", "waiting"].contains(&stands.state.as_str());
    assert!(still.iter().all(goes_on), "{still:?}");
    for id in &looping {
        host.cancel(id, json!({ "force": true })).await;
        assert_eq!(host.ended(id).await.state, "cancelled");
    }
    host.audit().await;
}
