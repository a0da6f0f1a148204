//! `stepwell signal`

use clap::Args;
use reqwest::Method;

use super::client::Client;
use super::error::CliError;
use crate::model::{Name, Payload};

#[derive(Debug, Args)]
pub struct Signal {
    /// The execution
    id: String,
    /// The signal's name
    name: Name,
    /// What it says, as JSON
    #[arg(long, value_name = "PAYLOAD", default_value = "null", allow_hyphen_values = true)]
    json: String,
    /// The sender's id: a signal sent twice with one id is received once
    #[arg(long = "id", value_name = "SENDER_ID", id = "sender")]
    sender: Option<String>,
}

impl Signal {
    pub(super) async fn perform(self, client: &Client) -> Result<(), CliError> {
        let payload = Payload::new(self.json.as_str(), usize::MAX).map_err(|error| {
            let why = std::error::Error::source(&error).map(ToString::to_string);
            CliError::Usage(format!("what --json holds is no JSON: {}", why.unwrap_or_default()))
        })?;
        let parts = ["executions", &self.id, "signals", self.name.as_str()];
        let query: Vec<_> =
            self.sender.as_deref().map(|sender| ("id", sender)).into_iter().collect();
        let request = client.ask(Method::POST, &parts, &query);
        let request = request.header("content-type", "application/json");
        client.send(request.body(payload.as_str().to_owned())).await?;
        Ok(())
    }
}
