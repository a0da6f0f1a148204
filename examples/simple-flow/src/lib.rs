//! The smallest useful workflow: three steps, one after the other, with a durable pause between them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stepwell::prelude::*;

/// Who signs up.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct SignUp {
    name: String,
    email: String,
    /// How long to wait before the second letter, such as `"3d"`.
    #[serde(default = "three_days")]
    remind_after: String,
}

fn three_days() -> String {
    "3d".to_owned()
}

/// What became of it.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Welcomed {
    account: String,
    letters: u32,
}

/// Opens the account, and returns its number.
#[stepwell::step(timeout = "10s")]
async fn open_account(sign_up: SignUp) -> Result<String, Failure> {
    let email = sign_up.email.trim().to_lowercase();
    if !email.contains('@') {
        bail!("bad-email", "{email} is no address");
    }
    Ok(format!("account-of-{email}"))
}

/// Sends a letter.
#[stepwell::step(timeout = "10s", retry(max_attempts = 5))]
async fn send_letter(account: String, subject: String) -> Result<(), Failure> {
    stepwell::log::info!(account = account; "{subject}");
    stepwell::context::counter("letters").add(1);
    Ok(())
}

/// Welcomes somebody, and writes again after some days.
#[stepwell::workflow]
async fn welcome(sign_up: SignUp) -> Result<Welcomed, Failure> {
    let account = open_account(&sign_up).await?;
    send_letter(&account, format!("Welcome, {}", sign_up.name)).await?;
    sleep(&sign_up.remind_after).await?;
    send_letter(&account, "How do you like it?").await?;
    Ok(Welcomed { account, letters: 2 })
}

stepwell::module!(workflows: [welcome], steps: [open_account, send_letter]);
