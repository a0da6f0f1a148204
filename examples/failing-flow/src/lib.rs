//! What failures do: tried again, given up as a dead letter, handled by the workflow, and passed on to whoever started it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stepwell::prelude::*;

/// What is to go wrong.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Plan {
    /// How many attempts of `flaky` fail before one succeeds.
    #[serde(default)]
    flaky_failures: u32,
    /// Whether the card is declined.
    #[serde(default)]
    declined: bool,
    /// Whether the printer is out of order, however often it is tried.
    #[serde(default)]
    broken: bool,
}

/// What came of it.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Report {
    /// The attempt of `flaky` that succeeded.
    attempt: u32,
    /// `charged`, or `invoice sent` where the card was declined.
    payment: String,
    /// Whether the receipt was printed.
    printed: bool,
}

/// Fails as often as it is told to. Five attempts, a second before the second one, twice as long before each next one.
#[stepwell::step(retry(max_attempts = 5, initial_delay = "1s", jitter = 0.0))]
async fn flaky(failures: u32) -> Result<u32, Failure> {
    let attempt = stepwell::context::info().attempt;
    if attempt <= failures {
        bail!("no-answer", "attempt {attempt} got no answer");
    }
    Ok(attempt)
}

/// Charges the card. Trying again would not help a card that is declined.
#[stepwell::step(retry(max_attempts = 5, never_for = ["declined"]))]
async fn charge(declined: bool) -> Result<(), Failure> {
    if declined {
        return Err(Failure::new("declined", "no funds").with_details("code 51"));
    }
    Ok(())
}

/// Sends an invoice instead.
#[stepwell::step]
async fn send_invoice() -> Result<(), Failure> {
    Ok(())
}

/// Prints the receipt. What it cannot do in two attempts lies among the dead letters.
#[stepwell::step(retry(max_attempts = 2, initial_delay = "100ms"))]
async fn print_receipt(broken: bool) -> Result<(), Failure> {
    if broken {
        bail!("out-of-order", "the printer does not answer");
    }
    Ok(())
}

/// Goes on whatever fails.
#[stepwell::workflow]
async fn handled(plan: Plan) -> Result<Report, Failure> {
    let attempt = flaky(plan.flaky_failures).await?;
    let payment = match charge(plan.declined).await {
        Ok(()) => "charged",
        Err(failure) if failure.is("declined") => {
            send_invoice().await?;
            "invoice sent"
        }
        Err(failure) => return Err(failure),
    };
    let printed = print_receipt(plan.broken).await.is_ok();
    Ok(Report { attempt, payment: payment.to_owned(), printed })
}

/// Gives up with the first failure that is left to it. A dead letter that ended it can be replayed: it goes on from there.
#[stepwell::workflow]
async fn unhandled(plan: Plan) -> Result<Report, Failure> {
    let attempt = flaky(plan.flaky_failures).await?;
    charge(plan.declined).await?;
    print_receipt(plan.broken).await?;
    Ok(Report { attempt, payment: "charged".to_owned(), printed: true })
}

/// Runs `unhandled` as a child, and says where its failure came from.
#[stepwell::workflow]
async fn explained(plan: Plan) -> Result<String, Failure> {
    match unhandled(plan).await {
        Ok(report) => Ok(report.payment),
        Err(failure) => {
            let steps: Vec<_> = failure
                .places()
                .iter()
                .map(|place| match place {
                    stepwell::Place::Child { workflow, .. } => workflow.as_str(),
                    stepwell::Place::Step { step } => step.as_str(),
                })
                .collect();
            Ok(format!("{} at {}", failure.kind, steps.join(" > ")))
        }
    }
}

stepwell::module!(
    workflows: [handled, unhandled, explained],
    steps: [flaky, charge, send_invoice, print_receipt],
);
