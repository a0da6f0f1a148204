//! `stepwell result`

use clap::Args;
use http::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Shown;
use super::client::{Answer, Client};
use super::error::CliError;
use super::out::Out;
use super::typed;
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
    #[serde(default, deserialize_with = "present")]
    result: Option<Box<RawValue>>,
    failure: Option<Failure>,
}

/// A result that is there, `null` among them.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(from).map(Some)
}

impl ResultOf {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let id = typed::execution(&self.id)?;
        if self.wait {
            return await_result(client, &id, self.shown, out).await;
        }
        let answer = client.read(&["executions", &id, "result"], &[]).await?;
        print(&answer, &id, self.shown, out)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_of_null_is_a_result() {
        let read = |text: &str| serde_json::from_str::<Outcome>(text).unwrap().result;

        let null = read(r#"{"state":"completed","result":null}"#).unwrap();

        assert_eq!(null.get(), "null");
        assert!(read(r#"{"state":"running"}"#).is_none());
    }
}
