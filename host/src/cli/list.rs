//! `stepwell list`

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Shown;
use super::bulk::Which;
use super::client::{Answer, Client};
use super::error::CliError;
use super::out::{Out, one_line, span, state_cell, table, when};
use crate::model::{ExecutionState, Failure, Timestamp};

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    which: Which,
    /// How many at most, up to 1000
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Read on behind the page that ended with this
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    #[command(flatten)]
    shown: Shown,
}

/// A list, or a page of it.
#[derive(Debug, Serialize, Deserialize)]
struct Executions<T = Execution> {
    executions: Vec<T>,
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Execution {
    id: String,
    workflow: String,
    state: ExecutionState,
    paused_at: Option<Timestamp>,
    queue: String,
    created_at: Timestamp,
    completed_at: Option<Timestamp>,
    failure: Option<Failure>,
}

impl List {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let narrowed = self.which.checked()?.query();
        let answer = gathered(client, narrowed, (self.limit, self.cursor)).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let list: Executions = answer.read()?;
        let mut table = table(&["ID", "WORKFLOW", "STATE", "QUEUE", "CREATED", "TOOK", "WHY"]);
        for execution in &list.executions {
            table.add_row(execution.cells());
        }
        out.table(&table)?;
        out.more("cursor", list.next_cursor.as_deref(), "--state, --workflow and others")
    }
}

/// As many as are wanted, behind a cursor, of as many pages as it takes: one that finds little in what it may read through ends early.
async fn gathered(
    client: &Client,
    narrowed: Vec<(&'static str, String)>,
    (limit, behind): (u32, Option<String>),
) -> Result<Answer, CliError> {
    let mut all = Executions::<Value> { executions: Vec::new(), next_cursor: behind };
    loop {
        let found = u32::try_from(all.executions.len()).unwrap_or(limit);
        let left = limit.saturating_sub(found).to_string();
        let mut query = vec![("limit", left.as_str())];
        query.extend(narrowed.iter().map(|(name, value)| (*name, value.as_str())));
        query.extend(all.next_cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let mut answer = client.read(&["executions"], &query).await?;
        let page: Executions<Value> = answer.read()?;
        all.executions.extend(page.executions);
        all.next_cursor = page.next_cursor;
        if all.next_cursor.is_none() || all.executions.len() >= limit as usize {
            answer.text = serde_json::to_string(&all).expect("JSON can be written as such");
            return Ok(answer);
        }
    }
}

impl Execution {
    fn cells(&self) -> Vec<comfy_table::Cell> {
        let took = self.completed_at.map(|end| end.since(self.created_at).as_micros());
        let took = took.map(|micros| span(u64::try_from(micros).unwrap_or(u64::MAX)));
        let why = match (&self.failure, self.paused_at) {
            (Some(failure), _) => one_line(&failure.kind),
            (None, Some(_)) => "paused".to_owned(),
            (None, None) => String::new(),
        };
        vec![
            self.id.as_str().into(),
            one_line(&self.workflow).into(),
            state_cell(self.state),
            one_line(&self.queue).into(),
            when(self.created_at).into(),
            took.unwrap_or_default().into(),
            why.into(),
        ]
    }
}
