//! `stepwell cancel`, `retry`, `pause`, `resume`

use clap::Args;
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::error::CliError;
use super::out::Out;
use crate::model::ExecutionState;

#[derive(Debug, Args)]
pub struct Cancel {
    /// The execution
    id: String,
    /// Why, for people
    #[arg(long, default_value = "")]
    reason: String,
    /// End it without letting it compensate
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Serialize)]
struct Cancellation<'a> {
    reason: &'a str,
    force: bool,
}

#[derive(Debug, Deserialize)]
struct Standing {
    state: ExecutionState,
}

impl Cancel {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let order = Cancellation { reason: &self.reason, force: self.force };
        let answer = client.order(&["executions", &self.id, "cancel"], &order).await?;
        let Standing { state } = answer.read()?;
        if state.is_terminal() {
            return out.line(format_args!("{} has ended: it is {state}", self.id));
        }
        out.line(format_args!("{} is asked to end", self.id))
    }
}

#[derive(Debug, Args)]
pub struct Revive {
    /// The execution
    id: String,
    /// Go on with this module, by name or digest [default: the one it has]
    #[arg(long)]
    module: Option<String>,
}

#[derive(Debug, Serialize)]
struct With {
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
}

impl Revive {
    pub(super) async fn perform(self, client: &Client, verb: &str) -> Result<(), CliError> {
        let order = With { module: self.module };
        client.order(&["executions", &self.id, verb], &order).await?;
        Ok(())
    }
}

#[derive(Debug, Args)]
pub struct Pause {
    /// The execution
    id: String,
}

impl Pause {
    pub(super) async fn perform(self, client: &Client) -> Result<(), CliError> {
        client.order(&["executions", &self.id, "pause"], &With { module: None }).await?;
        Ok(())
    }
}
