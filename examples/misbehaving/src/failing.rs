//! Failures, and what becomes of them.

use stepwell::prelude::*;

/// Fails so many times and then returns the number of the attempt that did not.
#[stepwell::step(retry(
    max_attempts = 10,
    initial_delay = "10ms",
    max_delay = "50ms",
    jitter = 0.0
))]
pub(crate) async fn flaky(failures: u32) -> Result<u32, Failure> {
    let attempt = stepwell::context::info().attempt;
    let before: Option<u32> = stepwell::context::last_heartbeat();
    stepwell::context::heartbeat(attempt);
    stepwell::context::counter("attempts that count").add(1);
    if attempt <= failures {
        bail!("flaky", "attempt {attempt} of {failures} that fail, after {before:?}");
    }
    Ok(attempt)
}

/// Fails whatever happens: its attempts run out, and it becomes a dead letter.
#[stepwell::step(retry(max_attempts = 2, initial_delay = "10ms", jitter = 0.0))]
pub(crate) async fn hopeless() -> Result<(), Failure> {
    Err(Failure::new("hopeless", "this never goes well").with_details(["tried", "hard"]))
}

/// Fails in a way that its policy does not retry.
#[stepwell::step(retry(max_attempts = 5, never_for = ["unreasonable"]))]
pub(crate) async fn unreasonable() -> Result<(), Failure> {
    bail!("unreasonable", "trying again is no use")
}

/// What `retried` is to call.
#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trouble {
    Flaky { failures: u32 },
    Hopeless,
    Unreasonable,
}

/// Calls a step that fails, and fails as it does.
#[stepwell::workflow]
pub(crate) async fn retried(trouble: Trouble) -> Result<u32, Failure> {
    match trouble {
        Trouble::Flaky { failures } => flaky(failures).await,
        Trouble::Hopeless => hopeless().await.map(|()| 0),
        Trouble::Unreasonable => unreasonable().await.map(|()| 0),
    }
}

/// Waits for something that nobody will ever settle.
#[stepwell::workflow]
pub(crate) async fn deadlock() -> Result<(), Failure> {
    std::future::pending().await
}
