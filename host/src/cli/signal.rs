//! `stepwell signal`

use clap::Args;
use http::Method;

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::{Out, one_line};
use super::typed;
use crate::model::Name;

#[derive(Debug, Args)]
pub struct Signal {
    /// The execution
    id: String,
    /// The signal's name
    name: Name,
    /// What it says: JSON, @FILE, or - for standard input
    #[arg(long, value_name = "JSON", default_value = "null", allow_hyphen_values = true)]
    payload: String,
    /// The sender's id: a signal sent twice with one id is received once
    #[arg(long = "id", value_name = "SENDER_ID", id = "sender")]
    sender: Option<String>,
    #[command(flatten)]
    shown: Shown,
}

impl Signal {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let id = typed::execution(&self.id)?;
        let name = typed::in_path(&self.name)?;
        let payload = typed::json(&self.payload, "--payload").await?;
        let query: Vec<_> =
            self.sender.as_deref().map(|sender| ("id", sender)).into_iter().collect();
        let request = client.ask(Method::POST, &["executions", &id, "signals", name], &query);
        let answer = client.send(request.json(&payload)).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        out.line(format_args!("{} is sent to {id}", one_line(name)))
    }
}
