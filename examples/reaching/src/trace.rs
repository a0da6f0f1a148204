//! A workflow with a bit of everything that a trace connects.

use stepwell::prelude::*;

use crate::requests::{Answer, Ask, fetched, send};

/// Sends a request each time, and is content with the second answer.
#[stepwell::step(retry(max_attempts = 3, initial_delay = "50ms", jitter = 0.0), timeout = "30s")]
pub(crate) async fn fetch_twice(ask: Ask) -> Result<u16, Failure> {
    let answer = send(&ask)?;
    if stepwell::context::info().attempt == 1 {
        stepwell::bail!("not-yet", "once more");
    }
    Ok(answer.status())
}

/// A step that is tried again, somebody who says that it may go on, and a child that asks too.
#[stepwell::workflow]
pub(crate) async fn traced(ask: Ask) -> Result<Answer, Failure> {
    fetch_twice(ask.clone()).await?;
    let () = receive("go").await?;
    fetched(ask).await
}
