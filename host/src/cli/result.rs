//! `stepwell result`

use clap::Args;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Shown;
use super::client::{Answer, Client};
use super::error::CliError;
use super::out::Out;
use crate::model::{ExecutionState, Failure};

/// How long one request waits; another one follows.
const WAIT: &str = "30s";

#[derive(Debug, Args)]
pub struct ResultOf {
    /// The execution
    id: String,
    /// Wait for the end
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    state: ExecutionState,
    result: Option<Box<RawValue>>,
    failure: Option<Failure>,
}

impl ResultOf {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        if self.wait {
            return await_result(client, &self.id, self.shown, out).await;
        }
        let answer = client.read(&["executions", &self.id, "result"], &[]).await?;
        print(&answer, &self.id, self.shown, out)
    }
}

/// Waits for the end of an execution, however long it takes, and prints its result.
pub(super) async fn await_result(
    client: &Client,
    id: &str,
    shown: Shown,
    out: &mut Out,
) -> Result<(), CliError> {
    loop {
        let answer = client.read(&["executions", id, "result"], &[("wait", WAIT)]).await?;
        let open = answer.status == StatusCode::ACCEPTED;
        if !open || outcome(&answer)?.state == ExecutionState::Blocked {
            return print(&answer, id, shown, out);
        }
    }
}

fn outcome(answer: &Answer) -> Result<Outcome, CliError> {
    answer.read()
}

fn print(answer: &Answer, id: &str, shown: Shown, out: &mut Out) -> Result<(), CliError> {
    let outcome = outcome(answer)?;
    if shown.json {
        out.json(answer)?;
    } else if let Some(result) = outcome.result {
        out.line(result)?;
    }
    let id = id.to_owned();
    match outcome.state {
        ExecutionState::Completed => Ok(()),
        ExecutionState::Blocked => Err(CliError::Blocked { id }),
        state if state.is_terminal() => {
            Err(CliError::Failed { id, state, failure: outcome.failure })
        }
        state => Err(CliError::NotYet { id, state }),
    }
}
