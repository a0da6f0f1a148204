//! Sells one order, and puts right what was done when something later fails or the execution is cancelled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stepwell::prelude::*;

/// What is sold, for how many cents.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the number is what people call the order")]
struct Order {
    order: String,
    amount: u64,
    /// The name of a step that is to fail, to see what happens then.
    #[serde(default)]
    fail_at: Option<String>,
    /// How long packing takes, such as "4s": a durable sleep between charging and shipping.
    #[serde(default)]
    pack_for: Option<String>,
}

/// What the buyer gets.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Receipt {
    order: String,
    total: u64,
    number: String,
    parcel: String,
}

/// Puts the goods aside and returns the shelf they are on.
#[stepwell::step(timeout = "10s")]
async fn reserve(order: Order) -> Result<String, Failure> {
    refuse_where_asked(&order, "reserve")?;
    Ok(format!("shelf-of-{}", order.order))
}

/// What the buyer owes, in cents: the price and the tax.
#[stepwell::step(timeout = "10s")]
async fn quote(order: Order) -> Result<u64, Failure> {
    refuse_where_asked(&order, "quote")?;
    Ok(order.amount + order.amount / 5)
}

/// Charges the card and returns the receipt number.
#[stepwell::step(retry(max_attempts = 5, initial_delay = "1s", never_for = ["refused"]), timeout = "30s")]
async fn charge(order: Order, total: u64) -> Result<String, Failure> {
    refuse_where_asked(&order, "charge")?;
    stepwell::context::counter("charges").add(1);
    stepwell::log::info!(total = total; "charged {}", order.order);
    // The same on every attempt: the provider recognises a repeat by it.
    Ok(stepwell::context::idempotency_key("receipt"))
}

/// Hands the parcel over and returns its number.
#[stepwell::step(timeout = "30s")]
async fn ship(order: Order, shelf: String) -> Result<String, Failure> {
    refuse_where_asked(&order, "ship")?;
    Ok(format!("parcel-from-{shelf}"))
}

/// Gives the money back.
#[stepwell::step(retry(max_attempts = 20))]
async fn refund(receipt: String) -> Result<(), Failure> {
    stepwell::context::counter("refunds").add(1);
    stepwell::log::warn!("refunded {receipt}");
    Ok(())
}

/// Puts the goods back on the shelf.
#[stepwell::step(retry(max_attempts = 20))]
async fn release(shelf: String) -> Result<(), Failure> {
    stepwell::context::counter("releases").add(1);
    stepwell::log::warn!("released {shelf}");
    Ok(())
}

/// Sells one order. Whatever fails or is cancelled on the way: the money and the goods go back.
#[stepwell::workflow(max_duration = "1d")]
async fn checkout(order: Order) -> Result<Receipt, Failure> {
    saga(async |saga| {
        let (shelf, total) = join!(reserve(&order), quote(&order));
        let shelf = shelf?;
        saga.undo(release(&shelf));
        let total = total?;
        let number = charge(&order, total).await?;
        saga.undo(refund(&number));
        stepwell::context::progress("charged");
        if let Some(time) = &order.pack_for {
            sleep(time.as_str()).await?;
        }
        let parcel = ship(&order, &shelf).await?;
        Ok(Receipt { order: order.order.clone(), total, number, parcel })
    })
    .await
}

fn refuse_where_asked(order: &Order, step: &str) -> Result<(), Failure> {
    if order.fail_at.as_deref() == Some(step) {
        stepwell::bail!("refused", "{} was to fail at {step}", order.order);
    }
    Ok(())
}

stepwell::module!(workflows: [checkout], steps: [reserve, quote, charge, ship, refund, release]);
