//! The workflow `changing` of the module `misbehaving`, after a change that running executions cannot follow: what it
//! asks for first is not what their journals say. For the tests of divergence only.

use stepwell::prelude::*;

/// Gives its input back.
#[stepwell::step]
async fn echo(word: String) -> Result<String, Failure> {
    Ok(word)
}

/// Says another word than it used to.
#[stepwell::workflow]
async fn changing() -> Result<String, Failure> {
    let first = echo("after").await?;
    let word: String = receive("go").await?;
    let second = echo(word).await?;
    Ok(format!("{first} {second}"))
}

stepwell::module!(workflows: [changing], steps: [echo]);
