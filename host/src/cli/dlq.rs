//! `stepwell dlq`

use clap::{Args, Subcommand};
use http::Method;
use serde::{Deserialize, Serialize};

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::{Out, harmless, one_line, reason, table, when};
use super::{redrive, typed};
use crate::model::{Failure, Name, Payload, Timestamp};

#[derive(Debug, Subcommand)]
pub enum Dlq {
    /// List dead letters, newest first
    List(List),
    /// Count them by step, most first
    Count(Count),
    /// Show one, with what its step was called with
    Show(One),
    /// Take the execution that failed by it back to that step
    Replay(redrive::Replay),
    /// The same for all that are meant
    ReplayAll(redrive::ReplayAll),
    /// Remove it
    Discard(One),
    /// Remove all that are meant
    DiscardAll(redrive::DiscardAll),
}

/// Which dead letters are meant.
#[derive(Debug, Default, Args, Serialize)]
pub(super) struct Which {
    /// Only those of this execution
    #[arg(long, value_name = "ID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    execution: Option<String>,
    /// Only those of executions of this workflow
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<Name>,
    /// Only those of this step
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<Name>,
    /// Only those that waited in this queue
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<Name>,
    /// Only those whose last failure was of this kind
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// Only those that are as old as that time or younger, such as 2030-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// Only those that are older than that time
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

impl Which {
    /// As it is, with what can be seen to be wrong refused before anybody is asked.
    pub(super) fn checked(self) -> Result<Self, CliError> {
        let execution = self.execution.as_deref().map(typed::execution).transpose()?;
        Ok(Self { execution, ..self })
    }

    /// Whether it leaves none out.
    pub(super) fn is_everything(&self) -> bool {
        self.query().is_empty()
    }

    /// As a query.
    fn query(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("execution", self.execution.as_deref()),
            ("workflow", self.workflow.as_ref().map(Name::as_str)),
            ("step", self.step.as_ref().map(Name::as_str)),
            ("queue", self.queue.as_ref().map(Name::as_str)),
            ("kind", self.kind.as_deref()),
            ("since", self.since.as_deref()),
            ("until", self.until.as_deref()),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    which: Which,
    /// How many at most, up to 1000
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Read on behind this one
    #[arg(long, value_name = "ID")]
    before: Option<i64>,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Args)]
pub struct Count {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Args)]
pub struct One {
    /// The dead letter
    pub(super) id: String,
    #[command(flatten)]
    pub(super) shown: Shown,
}

#[derive(Debug, Deserialize)]
struct Letters {
    dead_letters: Vec<Letter>,
    next_before: Option<String>,
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
    queue: Option<String>,
    input: Option<Payload>,
}

#[derive(Debug, Deserialize)]
struct Counts {
    counts: Vec<Counted>,
}

#[derive(Debug, Deserialize)]
struct Counted {
    workflow: String,
    step: String,
    count: u64,
    oldest: Timestamp,
    newest: Timestamp,
}

impl Dlq {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        match self {
            Self::List(list) => list.perform(client, out).await,
            Self::Count(count) => count.perform(client, out).await,
            Self::Show(one) => one.show(client, out).await,
            Self::Replay(replay) => replay.perform(client, out).await,
            Self::ReplayAll(all) => all.perform(client, out).await,
            Self::Discard(One { id, shown }) => {
                let id = typed::dead_letter(&id)?;
                let request = client.ask(Method::DELETE, &["dead-letters", &id], &[]);
                let answer = client.send(request).await?;
                out.outcome(shown, &answer, |_| Ok(format!("dead letter {id} is discarded")))
            }
            Self::DiscardAll(all) => all.perform(client, out).await,
        }
    }
}

impl Count {
    async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let which = self.which.checked()?;
        let answer = client.read(&["dead-letters", "counts"], &which.query()).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let counted: Counts = answer.read()?;
        let mut table = table(&["WORKFLOW", "STEP", "COUNT", "OLDEST", "NEWEST"]);
        for of in &counted.counts {
            table.add_row([
                one_line(&of.workflow),
                one_line(&of.step),
                of.count.to_string(),
                when(of.oldest),
                when(of.newest),
            ]);
        }
        out.table(&table)
    }
}

impl List {
    async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let limit = self.limit.to_string();
        let before = self.before.map(|id| id.to_string());
        let which = self.which.checked()?;
        let mut query = vec![("limit", limit.as_str())];
        query.extend(before.as_deref().map(|id| ("before", id)));
        query.extend(which.query());
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
        out.table(&table)?;
        out.more("before", letters.next_before.as_deref(), "--workflow, --step and --kind")
    }
}

impl One {
    async fn show(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let id = typed::dead_letter(&self.id)?;
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
        if let Some(queue) = &letter.queue {
            out.line(format_args!("  queue      {}", one_line(queue)))?;
        }
        out.line(format_args!("  attempts   {}", letter.attempts))?;
        out.line(format_args!("  why        {}", harmless(&reason(&letter.failure))))?;
        if let Some(details) = &letter.failure.details {
            out.line(super::pretty::indented(details.as_str()))?;
        }
        if let Some(input) = &letter.input {
            out.line("  input")?;
            out.line(super::pretty::indented(input.as_str()))?;
        }
        Ok(())
    }
}
