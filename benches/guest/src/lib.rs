//! What the benchmark runs: an ordinary module, with no more of WASI in it than every Rust component has.

use std::hint::black_box;

use serde_json::Value;
use stepwell::prelude::*;

/// Returns its input at once.
#[stepwell::workflow]
async fn noop(input: Value) -> Result<Value, Failure> {
    Ok(input)
}

/// Returns its input.
#[stepwell::step(timeout = "30s")]
async fn echo(input: Value) -> Result<Value, Failure> {
    Ok(input)
}

/// Calls `echo` so many times, one after the other, and returns the sum of what it said.
#[stepwell::workflow]
async fn chain(length: u64) -> Result<u64, Failure> {
    let mut sum = 0;
    for number in 0..length {
        sum += echo(Value::from(number)).await?.as_u64().unwrap_or(0);
    }
    Ok(sum)
}

/// Calls `echo` so many times, all of them at once, and returns the sum of what it said.
#[stepwell::workflow]
async fn fan(width: u64) -> Result<u64, Failure> {
    let in_flight = usize::try_from(width).unwrap_or(usize::MAX);
    let said = stepwell::map(echo, (0..width).map(Value::from)).in_flight(in_flight).await?;
    Ok(said.iter().filter_map(Value::as_u64).sum())
}

/// Waits for one signal and returns what it says.
#[stepwell::workflow]
async fn waiting() -> Result<Value, Failure> {
    receive("message").await
}

/// Computes until it is stopped.
#[stepwell::step(retry(max_attempts = 1), timeout = "2m")]
async fn compute() -> Result<u64, Failure> {
    let mut number = 0_u64;
    while black_box(true) {
        number = black_box(number.wrapping_add(1));
    }
    Ok(number)
}

/// Waits for a step that computes until it is stopped.
#[stepwell::workflow]
async fn noise() -> Result<u64, Failure> {
    compute().await
}

stepwell::module!(workflows: [chain, fan, noise, noop, waiting], steps: [compute, echo]);
