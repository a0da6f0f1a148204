//! Steps whose results answer other calls.

use serde::{Deserialize, Serialize};
use stepwell::context::counter;
use stepwell::prelude::*;

/// Takes a while, counts that it ran, and brings nothing but a zero: a result like any other.
#[stepwell::step(idempotent)]
pub(crate) async fn once(word: String) -> Result<u32, Failure> {
    std::thread::sleep(std::time::Duration::from_millis(100));
    counter("ran").add(1);
    drop(word);
    Ok(0)
}

/// Counts that it ran, and says how long the word is.
#[stepwell::step(cached, cache_ttl = "1h", version = "2")]
pub(crate) async fn look_up(word: String) -> Result<usize, Failure> {
    counter("ran").add(1);
    Ok(word.len())
}

/// Counts that it ran, and fails for good.
#[stepwell::step(cached, retry(max_attempts = 1))]
pub(crate) async fn look_in_vain(word: String) -> Result<u32, Failure> {
    counter("tried").add(1);
    bail!("not-found", "nobody has heard of {word}")
}

/// Which of them `asking` is to call.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Question {
    Once(String),
    OnceElsewhere(String),
    LookUp(String),
    LookUpAnew(String),
    LookInVain(String),
    Keyed { key: String, word: String },
}

/// Calls one of them, and returns what it brought.
#[stepwell::workflow]
pub(crate) async fn asking(question: Question) -> Result<u32, Failure> {
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    match question {
        Question::Once(word) => once(word).await,
        Question::OnceElsewhere(word) => once(word).queue("elsewhere").await,
        Question::LookUp(word) => look_up(word).await.map(length),
        Question::LookUpAnew(word) => look_up(word).cached(false).await.map(length),
        Question::LookInVain(word) => look_in_vain(word).await,
        Question::Keyed { key, word } => {
            look_up(word).cached(false).idempotency_key(key).await.map(length)
        }
    }
}
