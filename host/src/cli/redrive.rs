//! `stepwell dlq replay`, `replay-all` and `discard-all`

use clap::Args;
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::dlq::{One, Which};
use super::error::CliError;
use super::out::{Out, harmless};
use super::progress::Progress;
use super::typed;
use crate::model::Name;

/// How dead letters are replayed.
#[derive(Debug, Args)]
struct How {
    /// To another queue than its workflow sends it
    #[arg(long, value_name = "QUEUE")]
    to_queue: Option<Name>,
    /// Count the attempts that were made: it has one more, instead of all of them again
    #[arg(long)]
    keep_attempts: bool,
}

/// The same, as the server reads it.
#[derive(Debug, Clone, Copy, Serialize)]
struct Redriving<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<&'a Name>,
    attempts: &'static str,
}

impl How {
    fn order(&self) -> Redriving<'_> {
        let attempts = if self.keep_attempts { "keep" } else { "reset" };
        Redriving { queue: self.to_queue.as_ref(), attempts }
    }
}

#[derive(Debug, Args)]
pub struct Replay {
    #[command(flatten)]
    letter: One,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Deserialize)]
struct Replayed {
    execution: String,
    run: u32,
}

impl Replay {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let id = typed::dead_letter(&self.letter.id)?;
        let answer = client.order(&["dead-letters", &id, "replay"], &self.how.order()).await?;
        let Replayed { execution, run } = answer.read()?;
        out.line(format_args!("{execution} goes on in run {run}"))
    }
}

#[derive(Debug, Args)]
pub struct ReplayAll {
    #[command(flatten)]
    which: Which,
    /// All there are, where nothing else says which
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    how: How,
}

/// A page of what is meant.
#[derive(Debug, Serialize)]
struct Page<'a> {
    filter: &'a Which,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    how: Option<Redriving<'a>>,
}

#[derive(Debug, Deserialize)]
struct ReplayedMany {
    replayed: Vec<serde::de::IgnoredAny>,
    refused: Vec<Refused>,
    next_before: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Refused {
    pub(super) id: String,
    pub(super) problem: Why,
}

#[derive(Debug, Deserialize)]
pub(super) struct Why {
    pub(super) detail: String,
}

impl ReplayAll {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let which = self.which.checked()?;
        if which.is_everything() && !self.all {
            let told = "say which dead letters are to be replayed, or --all".to_owned();
            return Err(CliError::Usage(told));
        }
        let (mut replayed, mut refused, mut before) = (0, 0, None);
        let progress = Progress::of("replayed:");
        loop {
            let page = Page { filter: &which, before, how: Some(self.how.order()) };
            let answer = client.order(&["dead-letters", "replay"], &page).await?;
            let many: ReplayedMany = answer.read()?;
            replayed += many.replayed.len();
            refused += many.refused.len();
            progress.clear();
            for one in &many.refused {
                out.line(format_args!("{}: {}", one.id, harmless(&one.problem.detail)))?;
            }
            progress.say(&format!("{replayed} dead letters, {refused} refused"));
            before = many.next_before;
            if before.is_none() {
                progress.clear();
                return out.line(format_args!("{replayed} replayed, {refused} refused"));
            }
        }
    }
}

#[derive(Debug, Args)]
pub struct DiscardAll {
    #[command(flatten)]
    which: Which,
    /// All there are, where nothing else says which
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Deserialize)]
struct DiscardedMany {
    discarded: u64,
    next_before: Option<String>,
}

impl DiscardAll {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let which = self.which.checked()?;
        if which.is_everything() && !self.all {
            let told = "say which dead letters are to be discarded, or --all".to_owned();
            return Err(CliError::Usage(told));
        }
        let (mut discarded, mut before) = (0, None);
        let progress = Progress::of("discarded:");
        loop {
            let page = Page { filter: &which, before, how: None };
            let answer = client.order(&["dead-letters", "discard"], &page).await?;
            let many: DiscardedMany = answer.read()?;
            discarded += many.discarded;
            progress.say(&format!("{discarded} dead letters"));
            before = many.next_before;
            if before.is_none() {
                progress.clear();
                return out.line(format_args!("{discarded} discarded"));
            }
        }
    }
}
