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

/// A page of a journal.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    pub(super) entries: Vec<Box<RawValue>>,
    pub(super) next_after: Option<u64>,
}

/// An execution, as far as people want to know it.
#[derive(Debug, Deserialize)]
pub(super) struct Execution {
    id: String,
    pub(super) workflow: String,
    module: String,
    pub(super) state: ExecutionState,
    run: u32,
    pub(super) paused_at: Option<Timestamp>,
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
        for (name, value) in self.facts() {
            out.line(format_args!("  {name:<9} {value}"))?;
        }
        Ok(())
    }

    /// What there is to say of it, by name. Nothing in it steers a terminal.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let expires = self.expires_at.filter(|_| self.completed_at.is_none());
        let waits = self.waits.as_ref().map(|waits| one_line(&waits.message));
        let parent = self.parent.as_ref().map(|parent| parent.execution.clone());
        let why = self.failure.as_ref().map(reason);
        let mut facts = vec![
            ("module", self.module.get(..12).unwrap_or(&self.module).to_owned()),
            ("queue", self.routing()),
            ("created", when(self.created_at)),
            ("ended", self.ended()),
            ("expires", expires.map(when).unwrap_or_default()),
            ("waits", waits.unwrap_or_default()),
            ("run", if self.run > 0 { self.run.to_string() } else { String::new() }),
            ("parent", parent.unwrap_or_default()),
        ];
        facts.extend(self.children.iter().map(|child| ("child", child.clone())));
        let counters = self.counters.iter();
        facts.extend(counters.map(|(name, it)| ("counter", one_line(&format!("{name} = {it}")))));
        let state = self.custom_state.iter();
        facts.extend(state.map(|(key, it)| ("state", one_line(&format!("{key} = {it}")))));
        facts.push(("why", harmless(&why.unwrap_or_default())));
        facts.retain(|(_, value)| !value.is_empty());
        facts
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
