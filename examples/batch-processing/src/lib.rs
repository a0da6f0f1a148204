//! One step over many items: a thousand at a time, every outcome kept, and a second pass over what failed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stepwell::prelude::*;

/// How much there is to do.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Batch {
    /// How many items, up to 200,000: a journal holds 500,000 entries.
    items: u64,
    /// Every so many items one is broken; 0 for none.
    #[serde(default)]
    broken_every: u64,
    /// How many items are worked on at once.
    #[serde(default = "a_thousand")]
    at_once: usize,
}

fn a_thousand() -> usize {
    1_000
}

/// How it went.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Summary {
    done: u64,
    sum: u64,
    /// Items that could not be done, at most the first hundred.
    broken: Vec<u64>,
    broken_count: u64,
}

/// Works on one item of a batch: doubles it.
#[stepwell::step(timeout = "30s", retry(max_attempts = 3, initial_delay = "100ms", never_for = ["broken"]))]
async fn work(item: u64, broken_every: u64) -> Result<u64, Failure> {
    if broken_every > 0 && item % broken_every == broken_every - 1 {
        bail!("broken", "item {item} cannot be read");
    }
    Ok(2 * item)
}

/// Works on every item, and says which could not be done.
#[stepwell::workflow]
async fn batch(batch: Batch) -> Result<Summary, Failure> {
    let broken_every = batch.broken_every;
    stepwell::context::state("items").set(batch.items);
    // Results come in the order of the items, whatever the order in which they ended.
    let outcomes = map_outcomes(|item| work(item, broken_every), 0..batch.items)
        .in_flight(batch.at_once)
        .await;

    let mut summary = Summary { done: 0, sum: 0, broken: Vec::new(), broken_count: 0 };
    for (item, outcome) in (0..).zip(outcomes) {
        match outcome {
            Ok(doubled) => {
                summary.done += 1;
                summary.sum += doubled;
            }
            Err(failure) if failure.is(Failure::CANCELLED) => return Err(failure),
            Err(_) => {
                summary.broken_count += 1;
                if summary.broken.len() < 100 {
                    summary.broken.push(item);
                }
            }
        }
    }
    stepwell::context::counter("done").add(i64::try_from(summary.done)?);
    Ok(summary)
}

stepwell::module!(workflows: [batch], steps: [work]);
