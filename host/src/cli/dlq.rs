//! `stepwell dlq`

use clap::{Args, Subcommand};
use reqwest::Method;
use serde::Deserialize;

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::{Out, harmless, one_line, reason, table, when};
use super::typed;
use crate::model::{Failure, Timestamp};

#[derive(Debug, Subcommand)]
pub enum Dlq {
    /// List dead letters, newest first
    List(List),
    /// Show one
    Show(Show),
    /// Take the execution that failed by it back to that step, with its attempts counted anew
    Replay(One),
    /// Remove it
    Discard(One),
}

#[derive(Debug, Args)]
pub struct List {
    /// Only those of this execution
    #[arg(long, value_name = "ID")]
    execution: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    letter: One,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Args)]
pub struct One {
    /// The dead letter
    id: String,
}

#[derive(Debug, Deserialize)]
struct Letters {
    dead_letters: Vec<Letter>,
}

#[derive(Debug, Deserialize)]
struct Letter {
    id: String,
    execution: String,
    workflow: String,
    step: String,
    attempts: u32,
    failure: Failure,
    created_at: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Replayed {
    execution: String,
    run: u32,
}

impl Dlq {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        match self {
            Self::List(list) => list.perform(client, out).await,
            Self::Show(show) => show.perform(client, out).await,
            Self::Replay(One { id }) => {
                let id = typed::dead_letter(&id)?;
                let request = client.ask(Method::POST, &["dead-letters", &id, "replay"], &[]);
                let Replayed { execution, run } = client.send(request).await?.read()?;
                out.line(format_args!("{execution} goes on in run {run}"))
            }
            Self::Discard(One { id }) => {
                let id = typed::dead_letter(&id)?;
                client.send(client.ask(Method::DELETE, &["dead-letters", &id], &[])).await?;
                out.line(format_args!("dead letter {id} is discarded"))
            }
        }
    }
}

impl List {
    async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let limit = self.limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        let execution = self.execution.as_deref().map(typed::execution).transpose()?;
        query.extend(execution.as_deref().map(|id| ("execution", id)));
        let answer = client.read(&["dead-letters"], &query).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let letters: Letters = answer.read()?;
        let mut table = table(&["ID", "EXECUTION", "STEP", "ATTEMPTS", "WHEN", "WHY"]);
        for letter in &letters.dead_letters {
            table.add_row([
                letter.id.clone(),
                letter.execution.clone(),
                one_line(&letter.step),
                letter.attempts.to_string(),
                when(letter.created_at),
                one_line(&letter.failure.kind),
            ]);
        }
        out.table(&table)
    }
}

impl Show {
    async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let id = typed::dead_letter(&self.letter.id)?;
        let answer = client.read(&["dead-letters", &id], &[]).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let letter: Letter = answer.read()?;
        out.line(format_args!("dead letter {} of {}", letter.id, when(letter.created_at)))?;
        out.line(format_args!(
            "  execution  {} ({})",
            letter.execution,
            one_line(&letter.workflow)
        ))?;
        out.line(format_args!("  step       {}", one_line(&letter.step)))?;
        out.line(format_args!("  attempts   {}", letter.attempts))?;
        out.line(format_args!("  why        {}", harmless(&reason(&letter.failure))))?;
        if let Some(details) = &letter.failure.details {
            out.line(super::pretty::indented(details.as_str()))?;
        }
        Ok(())
    }
}
