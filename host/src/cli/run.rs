//! `stepwell run`

use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::Out;
use super::result::await_result;
use super::typed;
use crate::model::{BadDuration, Name, format_duration, parse_duration};

#[derive(Debug, Args)]
pub struct Run {
    /// The workflow
    workflow: Name,
    /// Its argument: JSON, @FILE, or - for standard input [default: null]
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    input: Option<String>,
    /// The module, by name or by the first 8 digits or more of its digest; needed where several have a workflow of this name
    #[arg(long)]
    module: Option<String>,
    /// The queue [default: as the workflow declares]
    #[arg(long)]
    queue: Option<Name>,
    /// A tag; may be given several times [default: as the workflow declares]
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<Name>,
    /// From -100 to 100, higher goes first [default: as the workflow declares]
    #[arg(long, allow_negative_numbers = true)]
    priority: Option<i32>,
    /// How long to wait before it begins, such as 30s or 1h30m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    delay: Option<Duration>,
    /// After which it is timed out, such as 2h [default: as the workflow declares]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    max_duration: Option<Duration>,
    /// Start it once for this key, however often this is run
    #[arg(long)]
    key: Option<String>,
    /// Wait for the end and print the result instead of the id
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    shown: Shown,
}

fn duration(text: &str) -> Result<Duration, BadDuration> {
    parse_duration(text)
}

#[derive(Debug, Serialize)]
struct Order {
    workflow: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<Name>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Started {
    id: String,
}

impl Run {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let input = match &self.input {
            Some(given) => Some(typed::json(given, "--input").await?),
            None => None,
        };
        let order = Order {
            workflow: self.workflow,
            module: self.module,
            input,
            queue: self.queue,
            tags: self.tags,
            priority: self.priority,
            delay: self.delay.map(format_duration),
            max_duration: self.max_duration.map(format_duration),
            idempotency_key: self.key,
        };
        let answer = client.order(&["executions"], &order).await?;
        let started: Started = answer.read()?;
        match (self.wait, self.shown.json) {
            (true, _) => await_result(client, &started.id, self.shown, out).await,
            (false, true) => out.json(&answer),
            (false, false) => out.line(started.id),
        }
    }
}
