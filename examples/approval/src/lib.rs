//! Waits for somebody's word, and no longer than agreed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stepwell::prelude::*;

/// What is asked for.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Request {
    /// What is to be approved.
    subject: String,
    /// How long to wait, such as `"48h"`.
    timeout: String,
}

/// The payload of the signal `approval`.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Approval {
    by: String,
    approved: bool,
}

/// How it ended.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "decision")]
enum Decision {
    Approved { by: String },
    Refused { by: String },
    Expired,
}

/// Tells whoever has to decide.
#[stepwell::step(timeout = "30s")]
async fn ask(subject: String) -> Result<(), Failure> {
    stepwell::log::info!(subject = subject; "please decide on {subject}");
    Ok(())
}

/// Asks for an approval and waits for it.
#[stepwell::workflow]
async fn approval(request: Request) -> Result<Decision, Failure> {
    ask(&request.subject).await?;
    stepwell::context::state("waiting_for").set("approval");
    let decision = select! {
        // The topmost wins where both are ready: a word on the last second counts.
        approval = receive::<Approval>("approval") => {
            let Approval { by, approved } = approval?;
            if approved { Decision::Approved { by } } else { Decision::Refused { by } }
        }
        // Cancelling the execution ends the timer too: that is a failure, and not a decision.
        waited = sleep(&request.timeout) => {
            waited?;
            Decision::Expired
        }
    };
    stepwell::context::state("waiting_for").set(());
    Ok(decision)
}

stepwell::module!(workflows: [approval], steps: [ask]);
