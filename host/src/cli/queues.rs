//! `stepwell queues`

use clap::{Args, Subcommand};
use http::Method;
use serde::Deserialize;

use super::Shown;
use super::client::{Answer as Said, Client};
use super::error::CliError;
use super::out::{Out, one_line, table, when};
use super::typed;
use crate::model::{Name, Timestamp};

#[derive(Debug, Subcommand)]
pub enum Queues {
    /// List queues and what is in them
    List(List),
    /// Have nothing of a queue begin; what runs goes on
    Pause(One),
    /// Have a queue go on
    Resume(One),
}

#[derive(Debug, Args)]
pub struct List {
    /// How many at most
    #[arg(long, default_value_t = 100)]
    limit: u32,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Args)]
pub struct One {
    /// The queue
    name: Name,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Deserialize)]
struct Answer {
    queues: Vec<Queue>,
}

#[derive(Debug, Deserialize)]
struct Queue {
    name: String,
    paused_at: Option<Timestamp>,
    waiting: u64,
    running: u64,
    blocked: u64,
    oldest_at: Option<Timestamp>,
    executions: u64,
}

impl Queues {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        match self {
            Self::List(list) => list.perform(client, out).await,
            Self::Pause(One { name, shown }) => {
                let answer = change(client, &name, "pause").await?;
                out.outcome(shown, &answer, |_| Ok(format!("queue {name} is paused")))
            }
            Self::Resume(One { name, shown }) => {
                let answer = change(client, &name, "resume").await?;
                out.outcome(shown, &answer, |_| Ok(format!("queue {name} goes on")))
            }
        }
    }
}

async fn change(client: &Client, queue: &Name, change: &str) -> Result<Said, CliError> {
    let path = ["queues", typed::in_path(queue)?, change];
    client.send(client.ask(Method::POST, &path, &[])).await
}

impl List {
    async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let limit = self.limit.to_string();
        let answer = client.read(&["queues"], &[("limit", limit.as_str())]).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let list: Answer = answer.read()?;
        let heads = ["QUEUE", "PAUSED", "WAITING", "LIMITED", "RUNNING", "OLDEST", "EXECUTIONS"];
        let mut table = table(&heads);
        for queue in &list.queues {
            table.add_row([
                one_line(&queue.name),
                queue.paused_at.map(when).unwrap_or_default(),
                queue.waiting.to_string(),
                queue.blocked.to_string(),
                queue.running.to_string(),
                queue.oldest_at.map(when).unwrap_or_default(),
                queue.executions.to_string(),
            ]);
        }
        out.table(&table)
    }
}
