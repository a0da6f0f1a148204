//! Saying one word wherever a guest can say something that the host keeps.

use serde_json::json;
use stepwell::context::{heartbeat, info, progress, state};
use stepwell::prelude::*;

/// Fails with it at first, and says it in every other way.
#[stepwell::step(retry(max_attempts = 2, initial_delay = "10ms"))]
#[expect(clippy::print_stdout, reason = "that is what is tried")]
pub(crate) async fn confide(word: String) -> Result<String, Failure> {
    println!("{word}");
    stepwell::log::info!(word = word; "{word}");
    progress(&word);
    heartbeat(&word);
    if info().attempt == 1 {
        return Err(Failure::new("not-yet", &word).with_details(json!({ "word": word })));
    }
    state("of the step").set(&word);
    Ok(word)
}

/// The same, to be tried again in a long time.
#[stepwell::step(retry(max_attempts = 2, initial_delay = "1h"))]
pub(crate) async fn confide_late(word: String) -> Result<String, Failure> {
    heartbeat(&word);
    Err(Failure::new("not-yet", &word))
}

/// Its result is kept.
#[stepwell::step(idempotent)]
pub(crate) async fn confide_once(word: String) -> Result<String, Failure> {
    Ok(word)
}

/// Becomes a dead letter.
#[stepwell::step(retry(max_attempts = 1))]
pub(crate) async fn confide_in_vain(word: String) -> Result<String, Failure> {
    Err(Failure::new("never", &word))
}

/// Confides everything, hears another word, and fails with both.
#[stepwell::workflow]
pub(crate) async fn confiding(word: String) -> Result<String, Failure> {
    stepwell::log::info!(word = word; "{word}");
    state("of the workflow").set(&word);
    confide(word.clone()).await?;
    confide_once(word.clone()).await?;
    let _dead = confide_in_vain(word.clone()).await;
    let heard: String = receive("word").await?;
    stepwell::bail!("confided", "{word} and {heard}");
}

/// Waits for a step that is tried again in a long time.
#[stepwell::workflow]
pub(crate) async fn confiding_late(word: String) -> Result<String, Failure> {
    confide_late(word).await
}
