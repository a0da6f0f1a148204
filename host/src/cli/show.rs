//! `stepwell show`

use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Shown;
use super::client::Client;
use super::draw::draw;
use super::error::CliError;
use super::out::{Out, Tone, harmless, one_line, reason, span, when};
use super::pretty::indented;
use super::timeline::{Entry, lines};
use super::typed;
use crate::model::{ExecutionState, Failure, Timestamp};

#[derive(Debug, Args)]
pub struct Show {
    /// The execution
    id: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Deserialize)]
struct Page {
    entries: Vec<Box<RawValue>>,
    next_after: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Execution {
    id: String,
    workflow: String,
    module: String,
    state: ExecutionState,
    run: u32,
    paused_at: Option<Timestamp>,
    queue: String,
    tags: Vec<String>,
    priority: i32,
    parent: Option<Parent>,
    created_at: Timestamp,
    completed_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    failure: Option<Failure>,
    waits: Option<Waits>,
    counters: serde_json::Map<String, serde_json::Value>,
    custom_state: std::collections::BTreeMap<String, Box<RawValue>>,
    children: Vec<String>,
}

/// Why nothing goes on.
#[derive(Debug, Deserialize)]
struct Waits {
    message: String,
}

#[derive(Debug, Deserialize)]
struct Parent {
    execution: String,
}

impl Show {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let id = typed::execution(&self.id)?;
        let answer = client.read(&["executions", &id], &[]).await?;
        let journal = journal(client, &id).await?;
        if self.shown.json {
            let entries: Vec<_> = journal.iter().map(|entry| entry.get()).collect();
            let entries = entries.join(",");
            let whole = format!("{{\"execution\":{},\"journal\":[{entries}]}}", answer.text);
            return out.line(indented(&whole));
        }
        answer.read::<Execution>()?.head(out)?;
        let entries: Vec<Entry> =
            journal.iter().filter_map(|entry| serde_json::from_str(entry.get()).ok()).collect();
        let lines = lines(&entries);
        if !lines.is_empty() {
            out.line("")?;
        }
        draw(&lines, out)
    }
}

async fn journal(client: &Client, id: &str) -> Result<Vec<Box<RawValue>>, CliError> {
    let mut entries = Vec::new();
    let mut after = "0".to_owned();
    loop {
        let query = [("after", after.as_str()), ("limit", "1000")];
        let page: Page = client.read(&["executions", id, "journal"], &query).await?.read()?;
        entries.extend(page.entries);
        match page.next_after {
            Some(next) => after = next.to_string(),
            None => return Ok(entries),
        }
    }
}

impl Execution {
    fn head(&self, out: &mut Out) -> Result<(), CliError> {
        let state = Tone::of(self.state).paint(self.state.as_str());
        let workflow = Tone::Strong.paint(&one_line(&self.workflow));
        let paused = if self.paused_at.is_some() { " (paused)" } else { "" };
        out.line(format_args!("{workflow} {}  {state}{paused}", self.id))?;
        let mut fact = |name: &str, value: String| {
            if value.is_empty() { Ok(()) } else { out.line(format_args!("  {name:<9} {value}")) }
        };
        fact("module", self.module.get(..12).unwrap_or(&self.module).to_owned())?;
        fact("queue", self.routing())?;
        fact("created", when(self.created_at))?;
        fact("ended", self.ended())?;
        let expires = self.expires_at.filter(|_| self.completed_at.is_none());
        fact("expires", expires.map(when).unwrap_or_default())?;
        let waits = self.waits.as_ref().map(|waits| one_line(&waits.message));
        fact("waits", waits.unwrap_or_default())?;
        fact("run", if self.run > 0 { self.run.to_string() } else { String::new() })?;
        let parent = self.parent.as_ref().map(|parent| parent.execution.clone());
        fact("parent", parent.unwrap_or_default())?;
        for child in &self.children {
            fact("child", child.clone())?;
        }
        for (name, value) in &self.counters {
            fact("counter", one_line(&format!("{name} = {value}")))?;
        }
        for (key, value) in &self.custom_state {
            fact("state", one_line(&format!("{key} = {value}")))?;
        }
        let why = self.failure.as_ref().map(reason);
        fact("why", harmless(&why.unwrap_or_default()))
    }

    fn routing(&self) -> String {
        let mut routing = vec![self.queue.clone()];
        if !self.tags.is_empty() {
            routing.push(format!("tags {}", self.tags.join(" ")));
        }
        if self.priority != 0 {
            routing.push(format!("priority {}", self.priority));
        }
        one_line(&routing.join(", "))
    }

    fn ended(&self) -> String {
        let Some(end) = self.completed_at else { return String::new() };
        let took = u64::try_from(end.since(self.created_at).as_micros()).unwrap_or(u64::MAX);
        format!("{}, after {}", when(end), span(took))
    }
}
