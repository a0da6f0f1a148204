//! A real host under guests that go too far: it serves others, and its memory returns.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};

use crate::api::Api;
use crate::process::Process;

/// What a host may hold more than before once a storm is over: caches, pools that stay warm, a larger heap.
const MARGIN_BYTES: u64 = 96 << 20;

/// A guest's memory goes after its end was written, on a thread that others may keep busy for a while.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);

/// How long the start and the result of a no-op workflow take: the median and the 99th percentile.
#[expect(clippy::disallowed_methods, reason = "a measurement that is printed, not judged")]
async fn no_ops(api: &Api, count: usize) -> (Duration, Duration) {
    let mut took = Vec::with_capacity(count);
    for number in 0..count {
        let began = Instant::now();
        assert_eq!(api.run_to_end("noop", json!(number)).await.value(), number);
        took.push(began.elapsed());
    }
    took.sort();
    (took[count / 2], took[count * 99 / 100])
}

#[tokio::test]
async fn a_looping_step_on_every_core_does_not_keep_others_waiting() {
    let process = Process::start().await;
    let api = process.api();
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    no_ops(api, 50).await;
    let (median, slowest) = no_ops(api, 200).await;

    // Enough fuel for some seconds each; they are stopped when that has been used up, or here.
    let endless = json!({ "excess": "computing", "in_step": true });
    let looping =
        join_all((0..cores).map(|_| api.run("excess_in_workflow", endless.clone()))).await;
    for id in &looping {
        api.until_recorded(id, "call", 1).await;
    }
    let (busy_median, busy_slowest) = no_ops(api, 200).await;
    let still = join_all(looping.iter().map(|id| api.stands(id, "0s"))).await;
    for id in &looping {
        api.cancel(id, json!({ "force": true })).await;
        api.ended(id).await;
    }

    let ratio = busy_slowest.as_secs_f64() / slowest.as_secs_f64();
    println!(
        "p50 {median:?} -> {busy_median:?}, p99 {slowest:?} -> {busy_slowest:?}: {ratio:.1} x"
    );
    let running = still.iter().filter(|stands| stands.state != "failed").count();
    println!("{running} of {cores} loops were still running at the end of the measurement");
    process.audit(&looping).await;
}

#[tokio::test]
async fn memory_that_guests_took_returns() {
    let process = Process::start().await;
    let api = process.api();
    let excesses = ["memory", "one_allocation", "recursion", "stdout", "result", "one_line"];
    let storm = async |times: usize| {
        let all = excesses.iter().cycle().take(times * excesses.len());
        let runs = all.enumerate().map(|(number, excess)| {
            let input = json!({ "excess": excess, "in_step": number % 2 == 0 });
            api.run_to_end("excess_in_workflow", input)
        });
        for end in join_all(runs).await {
            assert_eq!(end.state, "failed", "{:?}", end.result);
        }
    };
    storm(1).await;
    let before = process.resident_bytes();

    storm(8).await;

    let at_once = process.resident_bytes();
    let settled = async {
        while process.resident_bytes() > before + MARGIN_BYTES {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let returned = tokio::time::timeout(SETTLES_WITHIN, settled).await;
    let [before, at_once, after] =
        [before, at_once, process.resident_bytes()].map(|bytes| bytes >> 20);
    println!("resident: {before} MiB before, {at_once} MiB at once, {after} MiB when settled");
    assert!(returned.is_ok(), "{before} MiB before, {after} MiB after {SETTLES_WITHIN:?}");
    assert_eq!(api.run_to_end("noop", Value::Null).await.value(), Value::Null);
    process.audit(&[]).await;
}
