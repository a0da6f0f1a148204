//! One step over thousands of inputs, a thousand at a time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stepwell::prelude::*;

/// How much there is to do.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Work {
    /// How many items.
    #[serde(default = "ten_thousand")]
    items: u64,
}

fn ten_thousand() -> u64 {
    10_000
}

/// How it went.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Summary {
    items: u64,
    sum: u64,
    /// Whether each result stood where its item had stood.
    in_order: bool,
}

/// Squares one number.
#[stepwell::step(timeout = "10s", retry(max_attempts = 3))]
async fn square(number: u64) -> Result<u64, Failure> {
    number.checked_mul(number).ok_or_else(|| Failure::new("too-large", format!("{number} squared")))
}

/// Adds up the squares of 0, 1, 2 and so on.
#[stepwell::workflow]
async fn fan_out(work: Work) -> Result<Summary, Failure> {
    let squares = map(square, 0..work.items).await?;
    let in_order = squares.iter().zip(0..).all(|(square, number)| *square == number * number);
    Ok(Summary { items: work.items, sum: squares.iter().sum(), in_order })
}

stepwell::module!(workflows: [fan_out], steps: [square]);
