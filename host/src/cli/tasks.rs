//! `stepwell tasks`

use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::{Out, harmless, one_line, reason, table, when};
use super::typed;
use crate::model::{Failure, Name, Timestamp};

#[derive(Debug, Subcommand)]
pub enum Tasks {
    /// List tasks, the oldest first, and why each waits
    List(List),
    /// Show one, and who holds what it waits for
    Show(Show),
}

#[derive(Debug, Args)]
pub struct List {
    /// Only those in this queue
    #[arg(long)]
    queue: Option<Name>,
    /// Only those of this step
    #[arg(long)]
    step: Option<Name>,
    /// Only those of this execution
    #[arg(long, value_name = "ID")]
    execution: Option<String>,
    /// Only those that stand so
    #[arg(long)]
    state: Option<State>,
    /// How many at most, up to 1000
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Read on behind the page that ended with this
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Waiting,
    Running,
}

#[derive(Debug, Args)]
pub struct Show {
    /// The task
    id: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Deserialize)]
struct Answer {
    tasks: Vec<Task>,
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Task {
    id: String,
    execution: String,
    workflow: String,
    step: String,
    state: String,
    queue: String,
    attempt: u32,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    owner: Option<String>,
    last_failure: Option<Failure>,
    waits: Option<Waits>,
}

#[derive(Debug, Deserialize)]
struct Waits {
    message: String,
    #[serde(default)]
    holders: Vec<Holder>,
}

#[derive(Debug, Deserialize)]
struct Holder {
    execution: String,
    step: String,
    since: Option<Timestamp>,
}

impl Tasks {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        match self {
            Self::List(list) => list.perform(client, out).await,
            Self::Show(show) => show.perform(client, out).await,
        }
    }
}

impl List {
    async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let limit = self.limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(self.cursor.as_deref().map(|cursor| ("cursor", cursor)));
        query.extend(self.queue.as_ref().map(|queue| ("queue", queue.as_str())));
        query.extend(self.step.as_ref().map(|step| ("step", step.as_str())));
        let execution = self.execution.as_deref().map(typed::execution).transpose()?;
        query.extend(execution.as_deref().map(|id| ("execution", id)));
        query.extend(self.state.map(|state| match state {
            State::Waiting => ("state", "waiting"),
            State::Running => ("state", "running"),
        }));
        let answer = client.read(&["tasks"], &query).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let list: Answer = answer.read()?;
        let mut table = table(&["ID", "STEP", "QUEUE", "STATE", "CALLED", "WHY IT WAITS"]);
        for task in &list.tasks {
            table.add_row([
                task.id.clone(),
                one_line(&task.step),
                one_line(&task.queue),
                one_line(&task.state),
                when(task.created_at),
                task.waits.as_ref().map(|waits| one_line(&waits.message)).unwrap_or_default(),
            ]);
        }
        out.table(&table)?;
        out.more("cursor", list.next_cursor.as_deref(), "--queue, --step and --state")
    }
}

impl Show {
    async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let id = typed::task(&self.id)?;
        let answer = client.read(&["tasks", &id], &[]).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let task: Task = answer.read()?;
        out.line(format_args!("task {} of {}", task.id, when(task.created_at)))?;
        out.line(format_args!("  execution  {} ({})", task.execution, one_line(&task.workflow)))?;
        out.line(format_args!("  step       {}, attempt {}", one_line(&task.step), task.attempt))?;
        out.line(format_args!("  queue      {}", one_line(&task.queue)))?;
        out.line(format_args!("  state      {}", one_line(&task.state)))?;
        if let (Some(owner), Some(started)) = (&task.owner, task.started_at) {
            out.line(format_args!("  host       {owner}, since {}", when(started)))?;
        }
        if let Some(failure) = &task.last_failure {
            out.line(format_args!("  failed     {}", harmless(&reason(failure))))?;
        }
        let Some(waits) = &task.waits else { return Ok(()) };
        out.line(format_args!("  waits      {}", harmless(&waits.message)))?;
        for holder in &waits.holders {
            let since = holder.since.map(when).unwrap_or_default();
            let (execution, step) = (one_line(&holder.execution), one_line(&holder.step));
            out.line(format_args!("    held by  {execution} ({step}) since {since}"))?;
        }
        Ok(())
    }
}
