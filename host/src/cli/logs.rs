//! `stepwell logs`

use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::{Out, Tone, one_line, when};
use super::pretty::indented;
use crate::model::Timestamp;

#[derive(Debug, Args)]
pub struct Logs {
    /// The execution
    id: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Deserialize)]
struct Page {
    lines: Vec<Box<RawValue>>,
    next_after: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Line {
    at: Timestamp,
    step: Option<String>,
    attempt: u32,
    level: String,
    message: String,
    fields: Box<RawValue>,
}

impl Logs {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let mut after = "0".to_owned();
        loop {
            let query = [("after", after.as_str()), ("limit", "1000")];
            let answer = client.read(&["executions", &self.id, "logs"], &query).await?;
            let page: Page = answer.read()?;
            for line in &page.lines {
                self.print(line, out)?;
            }
            match page.next_after {
                Some(next) => after = next.to_string(),
                None => return Ok(()),
            }
        }
    }

    /// With `--json`: one object after the other.
    fn print(&self, line: &RawValue, out: &mut Out) -> Result<(), CliError> {
        if self.shown.json {
            return out.line(indented(line.get()));
        }
        let Ok(line) = serde_json::from_str::<Line>(line.get()) else {
            return out.line(one_line(line.get()));
        };
        let who = match (&line.step, line.attempt) {
            (None, _) => String::new(),
            (Some(step), attempt) if attempt > 1 => format!(" {}#{attempt}", one_line(step)),
            (Some(step), _) => format!(" {}", one_line(step)),
        };
        let fields = match line.fields.get() {
            "null" | "{}" => String::new(),
            fields => format!(" {}", one_line(fields)),
        };
        let tone = match line.level.as_str() {
            "error" => Tone::Bad,
            "warn" => Tone::Odd,
            "debug" | "trace" => Tone::Faint,
            _ => Tone::Plain,
        };
        let head = Tone::Faint.paint(&when(line.at));
        let level = tone.paint(&format!("{:<8}", line.level));
        out.line(format_args!("{head} {level}{who} {}{fields}", one_line(&line.message)))
    }
}
