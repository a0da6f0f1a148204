//! `stepwell hosts` and `stepwell stats`

use clap::Args;
use serde::Deserialize;

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::{Out, one_line, table, when};
use crate::model::Timestamp;

#[derive(Debug, Args)]
pub struct Hosts {
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Deserialize)]
struct List {
    hosts: Vec<Host>,
}

#[derive(Debug, Deserialize)]
struct Host {
    id: String,
    name: String,
    alive: bool,
    version: String,
    started_at: Timestamp,
}

impl Hosts {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let answer = client.read(&["hosts"], &[]).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let list: List = answer.read()?;
        let mut table = table(&["ID", "NAME", "ALIVE", "VERSION", "STARTED"]);
        for host in &list.hosts {
            table.add_row([
                host.id.clone(),
                one_line(&host.name),
                if host.alive { "yes" } else { "no" }.to_owned(),
                one_line(&host.version),
                when(host.started_at),
            ]);
        }
        out.table(&table)
    }
}

#[derive(Debug, Args)]
pub struct Stats {
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Deserialize)]
struct Counts {
    executions: std::collections::BTreeMap<String, u64>,
    tasks: Vec<Queue>,
    dead_letters: u64,
}

#[derive(Debug, Deserialize)]
struct Queue {
    queue: String,
    waiting: u64,
    running: u64,
}

impl Stats {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let answer = client.read(&["stats"], &[]).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let counts: Counts = answer.read()?;
        let mut executions = table(&["EXECUTIONS", ""]);
        for (state, count) in &counts.executions {
            executions.add_row([state.clone(), count.to_string()]);
        }
        out.table(&executions)?;
        out.line("")?;
        let mut tasks = table(&["QUEUE", "TASKS WAITING", "RUNNING"]);
        for queue in &counts.tasks {
            let (waiting, running) = (queue.waiting.to_string(), queue.running.to_string());
            tasks.add_row([one_line(&queue.queue), waiting, running]);
        }
        out.table(&tasks)?;
        out.line("")?;
        out.line(format_args!("dead letters: {}", counts.dead_letters))
    }
}
