//! Nothing wrong with these.

use serde_json::Value;
use stepwell::prelude::*;

/// Returns its input at once.
#[stepwell::workflow]
pub(crate) async fn noop(input: Value) -> Result<Value, Failure> {
    Ok(input)
}

/// Returns its input.
#[stepwell::step(timeout = "30s")]
pub(crate) async fn echo(input: Value) -> Result<Value, Failure> {
    Ok(input)
}

/// Calls `echo` so many times, one after the other, and returns the sum of what it said.
#[stepwell::workflow]
pub(crate) async fn chain(length: u64) -> Result<u64, Failure> {
    let mut sum = 0;
    for number in 0..length {
        sum += echo(Value::from(number)).await?.as_u64().unwrap_or(0);
    }
    Ok(sum)
}

/// Calls `echo` so many times at once and returns the sum of what it said.
#[stepwell::workflow]
pub(crate) async fn wide(width: u64) -> Result<u64, Failure> {
    let said = map(echo, (0..width).map(Value::from)).await?;
    Ok(said.iter().filter_map(Value::as_u64).sum())
}

/// Receives so many signals called `message` and returns their payloads in order.
#[stepwell::workflow]
pub(crate) async fn signals(count: u64) -> Result<Vec<Value>, Failure> {
    let mut received = Vec::new();
    for _ in 0..count {
        received.push(receive("message").await?);
    }
    Ok(received)
}

/// Sleeps that long.
#[stepwell::workflow]
pub(crate) async fn sleeper(duration: String) -> Result<String, Failure> {
    sleep(&duration).await?;
    Ok(duration)
}

/// Says a word, waits for the signal `go`, and says its payload. The module `changed` has another workflow of this name.
#[stepwell::workflow]
pub(crate) async fn changing() -> Result<String, Failure> {
    let first = echo(Value::from("before")).await?;
    let word: Value = receive("go").await?;
    let second = echo(word).await?;
    Ok(format!("{} {}", first.as_str().unwrap_or("?"), second.as_str().unwrap_or("?")))
}
