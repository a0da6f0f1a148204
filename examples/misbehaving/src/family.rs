//! Workflows that start workflows.

use serde_json::Value;
use stepwell::prelude::*;

use crate::failing::{Trouble, retried};
use crate::plain::echo;

/// Starts so many children at once and returns the sum of what they return.
#[stepwell::workflow]
pub(crate) async fn parent(children: u64) -> Result<u64, Failure> {
    Ok(try_join_all((0..children).map(child)).await?.into_iter().sum())
}

/// Doubles a number, by a step.
#[stepwell::workflow]
pub(crate) async fn child(number: u64) -> Result<u64, Failure> {
    Ok(echo(Value::from(2 * number)).await?.as_u64().unwrap_or(0))
}

/// Starts a child that receives a signal nobody sends, and waits for it: cancelling this one must reach the child.
#[stepwell::workflow]
pub(crate) async fn deaf_parent() -> Result<Value, Failure> {
    let heard = crate::plain::signals(1).await?;
    Ok(Value::from(heard))
}

/// Starts a child that fails, and fails as it does.
#[stepwell::workflow]
pub(crate) async fn bereaved() -> Result<u32, Failure> {
    retried(Trouble::Hopeless).await
}

/// Starts a child that outlives it.
#[stepwell::workflow]
pub(crate) async fn detaching(number: u64) -> Result<u64, Failure> {
    child(number).idempotency_key(format!("detached-{number}")).detach()?;
    Ok(number)
}
