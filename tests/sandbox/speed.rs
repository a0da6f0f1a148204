//! What a fresh store for each attempt costs. It is printed, and held to a bound only so wide that a slow machine keeps it.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::house::{self, call};

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
