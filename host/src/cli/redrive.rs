//! `stepwell dlq replay`, `replay-all` and `discard-all`

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::client::Client;
use super::dlq::{One, Which};
use super::error::CliError;
use super::out::Out;
use super::pages::{GoesOn, Paged, Refused, tell_ids, tell_refused};
use super::{Shown, typed};
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
        out.outcome(self.letter.shown, &answer, |answer| {
            let Replayed { execution, run } = answer.read()?;
            Ok(format!("{execution} goes on in run {run}"))
        })
    }
}

/// Of which dead letters an order for many is.
#[derive(Debug, Args)]
struct Meant {
    #[command(flatten)]
    which: Which,
    /// All there are, where nothing else says which
    #[arg(long)]
    all: bool,
    /// Only say which ones it would be done to
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    shown: Shown,
}

impl Meant {
    /// The order, where it says of which it is.
    fn order(self, what: &str) -> Result<Map<String, Value>, CliError> {
        let which = self.which.checked()?;
        if which.is_everything() && !self.all {
            let told = format!("say which dead letters are to be {what}, or --all");
            return Err(CliError::Usage(told));
        }
        let order = json!({ "filter": which, "dry_run": self.dry_run });
        Ok(order.as_object().cloned().unwrap_or_default())
    }
}

/// A dead letter is behind those with higher numbers.
const GOES_ON: GoesOn = GoesOn::Behind("next_before", "before");

#[derive(Debug, Args)]
pub struct ReplayAll {
    #[command(flatten)]
    meant: Meant,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Deserialize)]
struct ReplayedMany {
    replayed: Vec<Letter>,
    refused: Vec<Refused>,
    dry_run: bool,
}

#[derive(Debug, Deserialize)]
struct Letter {
    id: String,
}

impl ReplayAll {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let shown = self.meant.shown;
        let mut body = self.meant.order("replayed")?;
        let how = json!(self.how.order());
        body.extend(how.as_object().cloned().unwrap_or_default());
        let path = &["dead-letters", "replay"];
        let order = Paged { verb: "replay:", path, body, goes_on: GOES_ON };
        order
            .carry_out(client, shown, out, |many: ReplayedMany, out| {
                tell_refused(&many.refused, out)?;
                let (count, refused) = (many.replayed.len(), many.refused.len());
                if !many.dry_run {
                    return out.line(format_args!("{count} replayed, {refused} refused"));
                }
                let ids: Vec<_> = many.replayed.into_iter().map(|letter| letter.id).collect();
                tell_ids(&ids, out)?;
                out.line(format_args!("{count} would be replayed, {refused} would be refused"))
            })
            .await
    }
}

#[derive(Debug, Args)]
pub struct DiscardAll {
    #[command(flatten)]
    meant: Meant,
}

#[derive(Debug, Deserialize)]
struct DiscardedMany {
    ids: Vec<String>,
    dry_run: bool,
}

impl DiscardAll {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let (shown, body) = (self.meant.shown, self.meant.order("discarded")?);
        let path = &["dead-letters", "discard"];
        let order = Paged { verb: "discard:", path, body, goes_on: GOES_ON };
        order
            .carry_out(client, shown, out, |many: DiscardedMany, out| {
                let count = many.ids.len();
                if !many.dry_run {
                    return out.line(format_args!("{count} discarded"));
                }
                tell_ids(&many.ids, out)?;
                out.line(format_args!("{count} would be discarded"))
            })
            .await
    }
}
