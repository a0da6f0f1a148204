//! Children, signals, timers, `select!` and continue-as-new together: an order that is approved and shipped in parts, and a
//! subscription that goes on for years.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stepwell::prelude::*;

/// What is ordered: a parcel from each warehouse.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Order {
    id: String,
    warehouses: Vec<String>,
    /// How long an approval is waited for, such as `"48h"`.
    #[serde(default = "two_days")]
    approve_within: String,
}

fn two_days() -> String {
    "48h".to_owned()
}

/// The payload of the signal `approval`.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Approval {
    by: String,
}

/// What became of the order.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Shipped {
    approved_by: String,
    parcels: Vec<String>,
    /// What people remarked meanwhile, by the signal `remark`.
    remarks: Vec<String>,
}

/// Looks whether there is enough.
#[stepwell::step(timeout = "30s")]
async fn check_stock(warehouse: String) -> Result<u64, Failure> {
    if warehouse == "closed" {
        bail!("closed", "the warehouse is closed");
    }
    Ok(warehouse.len() as u64)
}

/// Packs one parcel, and returns its number.
#[stepwell::step(timeout = "5m", max_concurrent = 10)]
async fn pack(order: String, warehouse: String) -> Result<String, Failure> {
    stepwell::context::counter("parcels").add(1);
    Ok(format!("{order}-from-{warehouse}"))
}

/// Charges for one month.
#[stepwell::step(timeout = "30s", rate = "50/s")]
async fn charge_month(customer: String, month: u32) -> Result<(), Failure> {
    stepwell::log::info!(month = month; "charged {customer}");
    Ok(())
}

/// Ships what one warehouse has: a child of `fulfil`, with a time of its own.
#[stepwell::workflow(max_duration = "7d")]
async fn ship_part(order: String, warehouse: String) -> Result<String, Failure> {
    check_stock(&warehouse).await?;
    // It is picked over night.
    sleep("12h").await?;
    pack(order, warehouse).await
}

/// Waits for an approval, ships all parts at the same time, and collects remarks until they have gone.
#[stepwell::workflow]
async fn fulfil(order: Order) -> Result<Shipped, Failure> {
    stepwell::context::state("stage").set("approval");
    let Some(approval) = receive::<Approval>("approval").timeout(&order.approve_within).await?
    else {
        bail!("not-approved", "nobody approved {} within {}", order.id, order.approve_within);
    };

    stepwell::context::state("stage").set("shipping");
    let parts = order.warehouses.iter().map(|warehouse| ship_part(&order.id, warehouse));
    let mut parts = Box::pin(try_join_all(parts));
    let mut remarks = Vec::new();
    let parcels = loop {
        select! {
            shipped = &mut parts => break shipped?,
            remark = receive::<String>("remark") => remarks.push(remark?),
        }
    };
    // What arrived at the very end.
    remarks.extend(drain::<String>("remark").await?);

    stepwell::context::state("stage").set("done");
    // Nobody waits for the archive: it goes on when this has ended.
    archive(&order.id).detach()?;
    Ok(Shipped { approved_by: approval.by, parcels, remarks })
}

/// Puts the papers away, a year later.
#[stepwell::workflow]
async fn archive(order: String) -> Result<String, Failure> {
    sleep("52w").await?;
    Ok(format!("{order} is in the archive"))
}

/// Who subscribes, and how far it has come.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Subscription {
    customer: String,
    #[serde(default)]
    months: u32,
}

/// Charges every thirty days until the signal `stop` comes. Each month is a run of its own, so its journal stays short.
#[stepwell::workflow]
async fn subscription(subscription: Subscription) -> Result<u32, Failure> {
    let Subscription { customer, months } = subscription;
    if receive::<()>("stop").timeout("30d").await?.is_some() {
        return Ok(months);
    }
    charge_month(&customer, months + 1).await?;
    stepwell::context::counter("months").add(1);
    continue_as_new(Subscription { customer, months: months + 1 })
}

stepwell::module!(
    workflows: [fulfil, ship_part, archive, subscription],
    steps: [check_stock, pack, charge_month],
);
