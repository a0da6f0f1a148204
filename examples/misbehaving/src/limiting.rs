//! Steps with limits across the cluster, and who calls many of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use stepwell::prelude::*;

/// How long one takes that is to be seen beside others.
const WORK: Duration = Duration::from_millis(30);

/// Takes its time, five at once.
#[stepwell::step(max_concurrent = 5, retry(max_attempts = 5, initial_delay = "10ms"))]
pub(crate) async fn narrow(number: u64) -> Result<u64, Failure> {
    std::thread::sleep(WORK);
    Ok(number)
}

/// Returns at once, fifty times a second.
#[stepwell::step(rate = "50/s")]
pub(crate) async fn paced(number: u64) -> Result<u64, Failure> {
    Ok(number)
}

/// Something for a customer.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct Order {
    customer: String,
    number: u64,
}

/// Takes its time, two at once for one customer.
#[stepwell::step(per_key(pointer = "/customer", max_concurrent = 2))]
pub(crate) async fn served(order: Order) -> Result<u64, Failure> {
    std::thread::sleep(WORK);
    Ok(order.number)
}

/// Takes so many milliseconds, one at once; `slow` is the queue of these.
#[stepwell::step(max_concurrent = 1, queue = "slow")]
pub(crate) async fn single(millis: u64) -> Result<u64, Failure> {
    std::thread::sleep(Duration::from_millis(millis));
    Ok(millis)
}

/// One of the steps with a limit, and how often it is called at once.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Many {
    Narrow(u64),
    Paced(u64),
    Served(Order),
    Single { millis: u64, times: u64 },
}

/// Calls it so often at once and returns the sum of what it said.
#[stepwell::workflow]
pub(crate) async fn limited(many: Many) -> Result<u64, Failure> {
    let said = match many {
        Many::Narrow(count) => map(narrow, 0..count).await?,
        Many::Paced(count) => map(paced, 0..count).await?,
        Many::Served(Order { customer, number }) => {
            let order = |number| Order { customer: customer.clone(), number };
            map(served, (0..number).map(order)).await?
        }
        Many::Single { millis, times } => map(single, (0..times).map(|_| millis)).await?,
    };
    Ok(said.iter().sum())
}
