//! Variables and secrets.

use stepwell::context::{Level, heartbeat, log, progress, state};
use stepwell::http;
use stepwell::prelude::*;

/// A variable.
#[stepwell::step(retry(max_attempts = 1), timeout = "10s")]
pub(crate) async fn env_of(name: String) -> Result<String, Failure> {
    stepwell::env(&name)
}

/// What stands for a secret.
#[stepwell::step(retry(max_attempts = 1), timeout = "10s")]
pub(crate) async fn secret_of(name: String) -> Result<String, Failure> {
    stepwell::secret(&name)
}

/// Asks with a key, and tells everybody everything that it was told.
#[stepwell::step(retry(max_attempts = 2, initial_delay = "10ms"), timeout = "10s")]
pub(crate) async fn research(url: String, fails: bool) -> Result<String, Failure> {
    let key = stepwell::secret("API_KEY")?;
    let answer = http::get(&*url).bearer(&key).header("x-key", &key).send()?;
    let told = format!("{:?} {}", answer.header("x-echo"), String::from_utf8_lossy(answer.bytes()));
    log(Level::Info, &told, serde_json::json!({ "key": key, "told": told }));
    progress(&told);
    heartbeat(&told);
    state("told").set(&told);
    if fails {
        return Err(Failure::new("leaky", format!("{key} {told}")).with_details(&told));
    }
    Ok(format!("{key} {told}"))
}

/// Asks twice: once it goes well, once it does not.
#[stepwell::workflow]
pub(crate) async fn researched(url: String) -> Result<String, Failure> {
    let told = research(url.clone(), false).await?;
    match research(url, true).await {
        Ok(more) => Ok(format!("{told} {more}")),
        Err(failure) => Ok(format!("{told} {failure}")),
    }
}

/// Sends a key in the body of a request.
#[stepwell::step(retry(max_attempts = 1), timeout = "10s")]
pub(crate) async fn send_in_body(url: String) -> Result<String, Failure> {
    let key = stepwell::secret("API_KEY")?;
    http::post(url).body(format!("key={key}&end")).send()?.text()
}

/// Sends a key in the address of a request.
#[stepwell::step(retry(max_attempts = 1), timeout = "10s")]
pub(crate) async fn send_in_address(url: String) -> Result<String, Failure> {
    let key = stepwell::secret("API_KEY")?;
    http::get(format!("{url}?key={key}")).send()?.text()
}
