//! What a fresh store for each attempt costs. It is printed, and held to a bound only so wide that a slow machine keeps it.

use std::time::{Duration, Instant};

use stepwell::model::{Ending, Limits};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::house::{self, call};

/// Steps that loop without an end on every thread there is.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "this measures the machine, not the model's time")]
async fn others_are_served_while_every_thread_loops() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { step_fuel: u64::MAX / 4, ..house::limits() };
    let sandbox = house::sandbox_in(folder.path(), &limits);
    let (digest, _) = sandbox.admit(&house::guest("misbehaving")).await.unwrap();
    let module = sandbox.loaded(digest).unwrap();
    let stop = CancellationToken::new();
    let mut loops = JoinSet::new();
    for _ in 0..2 {
        let (sandbox, module, stop) = (sandbox.clone(), module.clone(), stop.clone());
        let looping = call("excess_in_step", "\"computing\"");
        loops.spawn(async move { sandbox.run_step(&module, looping, stop).await });
    }

    let mut waits = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        let report = sandbox.run_step(&module, call("echo", "1"), CancellationToken::new()).await;
        waits.push(began.elapsed());
        assert!(matches!(report.ending, Ending::Returned(Ok(_))), "{:?}", report.ending);
    }

    assert!(loops.try_join_next().is_none(), "they loop without an end");
    stop.cancel();
    for report in loops.join_all().await {
        assert_eq!(report.ending, Ending::Stopped);
        assert!(report.usage.fuel > 0);
    }
    waits.sort();
    println!(
        "beside two loops an attempt takes {:?}, one in a hundred {:?}",
        waits[100], waits[198]
    );
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "this measures the machine, not the model's time")]
async fn a_fresh_instance_for_each_attempt_is_cheap() {
    let module = house::misbehaving().await;
    let sandbox = house::sandbox();
    for _ in 0..50 {
        sandbox.run_step(module, call("echo", "1"), CancellationToken::new()).await;
    }

    let attempts = 500;
    let began = Instant::now();
    for _ in 0..attempts {
        sandbox.run_step(module, call("echo", "1"), CancellationToken::new()).await;
    }
    let each = began.elapsed() / attempts;

    println!("an attempt of an empty step, from call to report: {each:?}");
    assert!(each < Duration::from_millis(20), "{each:?}");
}
