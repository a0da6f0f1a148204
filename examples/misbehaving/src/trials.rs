//! What only shows when an execution is tried again, cancelled, continued or replayed.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stepwell::context::{counter, info, progress, state};
use stepwell::prelude::*;

use crate::durability::ledger;
use crate::excess::{Excess, excess_in_step};
use crate::failing::{flaky, hopeless};
use crate::plain::echo;

/// Fails in the first run of its execution, and in no other.
#[stepwell::step(retry(max_attempts = 1))]
pub(crate) async fn stumble() -> Result<u32, Failure> {
    let run = info().run;
    if run == 0 {
        bail!("stumbled", "the first run fails here");
    }
    Ok(run)
}

/// Writes a line, stumbles, and writes another one: completes when it is tried again.
#[stepwell::workflow]
pub(crate) async fn stumbling() -> Result<u32, Failure> {
    ledger("before").await?;
    let run = stumble().await?;
    ledger("after").await?;
    Ok(run)
}

/// Fails at its first attempt, and at no other.
#[stepwell::step(retry(max_attempts = 1))]
pub(crate) async fn balk() -> Result<u32, Failure> {
    let attempt = info().attempt;
    if attempt == 1 {
        bail!("balked", "the first attempt fails here");
    }
    Ok(attempt)
}

/// Balks in each of so many runs and one more.
#[stepwell::workflow]
pub(crate) async fn balking(left: u32) -> Result<u32, Failure> {
    let attempt = balk().await?;
    if left == 0 {
        return Ok(attempt);
    }
    continue_as_new(left - 1)
}

/// Takes so many milliseconds.
#[stepwell::step]
pub(crate) async fn tarry(millis: u64) -> Result<u64, Failure> {
    std::thread::sleep(std::time::Duration::from_millis(millis));
    Ok(millis)
}

/// Has somebody else take so many milliseconds: whoever serves the queue `far`.
#[stepwell::workflow]
pub(crate) async fn tarrying(millis: u64) -> Result<u64, Failure> {
    tarry(millis).queue("far").await
}

/// Handles a failure and goes on.
#[stepwell::workflow]
pub(crate) async fn forgiving() -> Result<Value, Failure> {
    let failure = hopeless().await.err();
    echo(Value::from(failure.is_some())).await
}

/// Does not want to end: waits again when it is cancelled.
#[stepwell::workflow]
pub(crate) async fn stubborn() -> Result<(), Failure> {
    let _cancelled = sleep("1h").await;
    sleep("1h").await
}

/// How far `relay` has come.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct Heard {
    left: u32,
    #[serde(default)]
    words: Vec<Value>,
}

/// Receives one signal `word` in each run, and returns all of them.
#[stepwell::workflow]
pub(crate) async fn relay(heard: Heard) -> Result<Vec<Value>, Failure> {
    let Heard { left, mut words } = heard;
    if left == 0 {
        return Ok(words);
    }
    words.push(receive("word").await?);
    continue_as_new(Heard { left: left - 1, words })
}

/// Says something in every way there is, in itself and in a step.
#[stepwell::step]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "that is what is tried")]
pub(crate) async fn talk(word: String) -> Result<String, Failure> {
    println!("step prints {word}");
    eprintln!("step warns {word}");
    stepwell::log::info!("step logs {word}");
    counter("words of steps").add(1);
    Ok(word)
}

/// Talks, waits for the signal `go`, and talks again.
#[stepwell::workflow]
#[expect(clippy::print_stdout, reason = "that is what is tried")]
pub(crate) async fn talking() -> Result<(), Failure> {
    for word in ["first", "second"] {
        println!("workflow prints {word}");
        stepwell::log::info!("workflow logs {word}");
        progress(word);
        counter("words").add(1);
        state("word").set(word);
        talk(word).await?;
        let _: Value = receive("go").await?;
    }
    Ok(())
}

/// Says so many lines, half a second after each other.
#[stepwell::step(timeout = "60s")]
pub(crate) async fn drawl(lines: u32) -> Result<(), Failure> {
    for number in 1..=lines {
        stepwell::log::info!("line {number}");
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    Ok(())
}

/// Calls a step that takes its time to say so many lines.
#[stepwell::workflow]
pub(crate) async fn drawling(lines: u32) -> Result<(), Failure> {
    drawl(lines).await
}

/// Calls a step that fails four times with another policy, queue and priority than it declares.
#[stepwell::workflow]
pub(crate) async fn overriding(attempts: u32) -> Result<u32, Failure> {
    let retry = Retry::attempts(attempts).initial_delay("10ms").jitter(0.0);
    flaky(4_u32).retry(retry).queue("elsewhere").priority(7).timeout("20s").await
}

/// Calls a step that never ends, and gives it a fifth of a second.
#[stepwell::workflow]
pub(crate) async fn hasty() -> Result<String, Failure> {
    excess_in_step(Excess::Computing).timeout("200ms").await
}
