//! `stepwell run`

use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::io::AsyncReadExt;

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::Out;
use super::result::await_result;
use crate::model::{BadDuration, Name, format_duration, parse_duration};

#[derive(Debug, Args)]
pub struct Run {
    /// The workflow
    workflow: Name,
    /// Its argument: JSON, @FILE, or - for standard input [default: null]
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    input: Option<String>,
    /// The module, by name or digest; needed where several have a workflow of this name
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
            Some(given) => Some(read_input(given).await?),
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

/// JSON that was typed, or lies in a file, or comes from standard input.
async fn read_input(given: &str) -> Result<Box<RawValue>, CliError> {
    let (text, from) = match given.strip_prefix('@') {
        Some(path) => (tokio::fs::read_to_string(path).await, path),
        None if given == "-" => {
            let mut text = String::new();
            (
                tokio::io::stdin().read_to_string(&mut text).await.map(|_bytes| text),
                "standard input",
            )
        }
        None => (Ok(given.to_owned()), "--input"),
    };
    let text = text.map_err(|source| CliError::Unreadable { path: from.to_owned(), source })?;
    RawValue::from_string(text.trim().to_owned())
        .map_err(|error| CliError::Usage(format!("what {from} holds is no JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn input_is_taken_as_it_was_typed() {
        let input = read_input(" { \"b\": 1.0 }\n").await.unwrap();

        assert_eq!(input.get(), "{ \"b\": 1.0 }");
    }

    #[tokio::test]
    async fn what_is_no_json_is_refused_before_it_is_sent() {
        let refused = read_input("{'a':1}").await.unwrap_err().to_string();

        assert!(refused.contains("--input") && refused.contains("column 2"), "{refused}");
        assert!(matches!(read_input("@no/such").await, Err(CliError::Unreadable { .. })));
    }
}
