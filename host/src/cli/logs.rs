//! `stepwell logs`

use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::events::{Events, Told};
use super::out::{Out, Tone, one_line, when};
use super::pretty::indented;
use super::typed;
use crate::model::Timestamp;

#[derive(Debug, Args)]
pub struct Logs {
    /// The execution
    id: String,
    /// Go on until it has ended; with --json, a line of JSON each
    #[arg(long, short = 'f')]
    follow: bool,
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    shown: Shown,
}

/// Whose lines.
#[derive(Debug, Args)]
struct Whose {
    /// Only what this step has said
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
    /// Only what was said in an attempt with this number; 0 is the workflow itself
    #[arg(long, value_name = "NUMBER")]
    attempt: Option<u32>,
}

impl Whose {
    /// A page of them behind a line.
    async fn page(&self, client: &Client, id: &str, after: i64) -> Result<Page, CliError> {
        let (after, attempt) = (after.to_string(), self.attempt.map(|attempt| attempt.to_string()));
        let mut query = vec![("after", after.as_str()), ("limit", "1000")];
        query.extend(self.step.as_deref().map(|step| ("step", step)));
        query.extend(attempt.as_deref().map(|attempt| ("attempt", attempt)));
        client.read(&["executions", id, "logs"], &query).await?.read()
    }
}

/// Lines that steps say while they run may come without an entry.
const LOOKED_EVERY: Duration = Duration::from_secs(1);
/// How long to wait before a stream that broke off is opened again.
const OPENED_AGAIN_AFTER: Duration = Duration::from_millis(500);

#[derive(Debug, Deserialize)]
struct Page {
    lines: Vec<Box<RawValue>>,
    next_after: Option<i64>,
}

/// A line of an execution's log.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) id: i64,
    pub(super) at: Timestamp,
    step: Option<String>,
    attempt: u32,
    pub(super) level: String,
    message: String,
    fields: Box<RawValue>,
}

impl Logs {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let id = typed::execution(&self.id)?;
        if self.follow {
            let form = if self.shown.json { Form::Json } else { Form::Text };
            return follow(client, (&id, &self.whose), form, out).await;
        }
        let (mut after, mut whole) = (0, Vec::new());
        loop {
            let page = self.whose.page(client, &id, after).await?;
            if self.shown.json {
                whole.extend(page.lines);
            } else {
                page.lines.iter().try_for_each(|line| print(line, out))?;
            }
            match page.next_after {
                Some(next) => after = next,
                None if self.shown.json => return out.line(indented(&document(&whole))),
                None => return Ok(()),
            }
        }
    }
}

/// How lines are printed that come one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    /// A document a line.
    Json,
}

impl Form {
    fn print(self, line: &RawValue, out: &mut Out) -> Result<(), CliError> {
        match self {
            Self::Text => print(line, out),
            Self::Json => out.line(on_one_line(line.get())),
        }
    }
}

/// A document without its line ends: within texts there are none, and elsewhere they mean no more than a space.
fn on_one_line(document: &str) -> String {
    document.replace(['\n', '\r'], " ")
}

/// Prints lines as they come. Whenever something happens to the execution, there may be some.
async fn follow(
    client: &Client,
    (id, whose): (&str, &Whose),
    form: Form,
    out: &mut Out,
) -> Result<(), CliError> {
    let (mut seen, mut entry) = (0, 0);
    loop {
        let mut events = Events::open(client, id, entry).await?;
        loop {
            let told = tokio::select! {
                (told, seq) = events.next() => {
                    entry = seq.unwrap_or(entry);
                    told
                }
                () = tokio::time::sleep(LOOKED_EVERY) => Told::Entry,
            };
            seen = print_behind(client, (id, whose), (seen, form), out).await?;
            match told {
                Told::Entry => {}
                Told::End => return Ok(()),
                Told::Broken => break,
            }
        }
        tokio::time::sleep(OPENED_AGAIN_AFTER).await;
    }
}

/// Prints what is behind a line. Says which is the last one now.
async fn print_behind(
    client: &Client,
    (id, whose): (&str, &Whose),
    (mut seen, form): (i64, Form),
    out: &mut Out,
) -> Result<i64, CliError> {
    loop {
        let page = whose.page(client, id, seen).await?;
        page.lines.iter().try_for_each(|line| form.print(line, out))?;
        out.flush()?;
        let last = page.lines.last().and_then(|line| serde_json::from_str::<Line>(line.get()).ok());
        seen = page.next_after.or(last.map(|line| line.id)).unwrap_or(seen);
        if page.next_after.is_none() {
            return Ok(seen);
        }
    }
}

/// All pages as if they were one.
fn document(lines: &[Box<RawValue>]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| line.get()).collect();
    format!("{{\"lines\":[{}],\"next_after\":null}}", lines.join(","))
}

fn print(line: &RawValue, out: &mut Out) -> Result<(), CliError> {
    let Ok(line) = serde_json::from_str::<Line>(line.get()) else {
        return out.line(one_line(line.get()));
    };
    let head = Tone::Faint.paint(&when(line.at));
    let level = line.tone().paint(&format!("{:<8}", line.level));
    out.line(format_args!("{head} {level}{}", line.said()))
}

impl Line {
    /// How much it matters.
    pub(super) fn tone(&self) -> Tone {
        match self.level.as_str() {
            "error" => Tone::Bad,
            "warn" => Tone::Odd,
            "debug" | "trace" => Tone::Faint,
            _ => Tone::Plain,
        }
    }

    /// Who said what.
    pub(super) fn said(&self) -> String {
        let who = match (&self.step, self.attempt) {
            (None, _) => String::new(),
            (Some(step), attempt) if attempt > 1 => format!(" {}#{attempt}", one_line(step)),
            (Some(step), _) => format!(" {}", one_line(step)),
        };
        let fields = match self.fields.get() {
            "null" | "{}" => String::new(),
            fields => format!(" {}", one_line(fields)),
        };
        format!("{who} {}{fields}", one_line(&self.message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_stays_what_it_is_on_one_line() {
        let line = on_one_line("{\"a\":\r\n 1.0,\n\"b\":\"x\\n\"}");

        assert_eq!(line, "{\"a\":   1.0, \"b\":\"x\\n\"}");
    }

    #[test]
    fn all_pages_are_one_document() {
        let page: Page = serde_json::from_str(r#"{"lines":[{"n":1.0},{"n":2}]}"#).unwrap();

        assert_eq!(document(&page.lines), r#"{"lines":[{"n":1.0},{"n":2}],"next_after":null}"#);
        assert_eq!(document(&[]), r#"{"lines":[],"next_after":null}"#);
    }
}
