//! `stepwell bulk`: one order for many executions

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::Client;
use super::error::CliError;
use super::out::{Out, harmless};
use super::progress::Progress;
use super::redrive::Refused;
use super::typed;
use crate::model::{ExecutionState, Name, Timestamp};

/// Executions by what they are of.
#[derive(Debug, Args, Serialize)]
pub(super) struct Which {
    /// Only those in this state
    #[arg(long)]
    state: Option<ExecutionState>,
    /// Only those of this workflow
    #[arg(long)]
    workflow: Option<Name>,
    /// Only those of this module: a digest, the first digits of one, or a name for its active version
    #[arg(long)]
    module: Option<String>,
    /// Only those in this queue
    #[arg(long)]
    queue: Option<Name>,
    /// Only those with this tag
    #[arg(long)]
    tag: Option<Name>,
    /// Only children of this execution
    #[arg(long, value_name = "ID")]
    parent: Option<String>,
    /// Only those that failed with this kind
    #[arg(long, value_name = "KIND")]
    failure: Option<String>,
    /// Only those accepted at this time or later, such as 2027-01-31T08:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Only those accepted before
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
}

impl Which {
    /// As it is, with what can be seen to be wrong refused before anybody is asked.
    pub(super) fn checked(self) -> Result<Self, CliError> {
        let parent = self.parent.as_deref().map(typed::execution).transpose()?;
        Ok(Self { parent, ..self })
    }

    /// As a query.
    pub(super) fn query(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("state", self.state.map(|state| state.as_str().to_owned())),
            ("workflow", self.workflow.as_ref().map(Name::to_string)),
            ("module", self.module.clone()),
            ("queue", self.queue.as_ref().map(Name::to_string)),
            ("tag", self.tag.as_ref().map(Name::to_string)),
            ("parent", self.parent.clone()),
            ("failure", self.failure.clone()),
            ("since", self.since.as_ref().map(Timestamp::to_string)),
            ("until", self.until.as_ref().map(Timestamp::to_string)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// One order for many executions
#[derive(Debug, Subcommand)]
pub enum Bulk {
    /// Ask them to end
    Cancel(Cancel),
    /// Try those again that have ended badly or are blocked
    Retry(Many),
    /// Have them stand still
    Pause(Many),
    /// Have those go on that are paused or blocked
    Resume(Many),
}

#[derive(Debug, Args)]
pub struct Many {
    #[command(flatten)]
    which: Which,
    /// All there are, where nothing else says which
    #[arg(long)]
    all: bool,
    /// Only say to how many it would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Cancel {
    #[command(flatten)]
    many: Many,
    /// Why, for people
    #[arg(long, default_value = "")]
    reason: String,
    /// End them without letting them compensate
    #[arg(long)]
    force: bool,
}

/// A page of what is meant.
#[derive(Debug, Serialize)]
struct Page<'a> {
    filter: &'a Which,
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    #[serde(flatten)]
    more: &'a Value,
}

#[derive(Debug, Deserialize)]
struct Answer {
    done: Vec<serde::de::IgnoredAny>,
    refused: Vec<Refused>,
    next_cursor: Option<String>,
}

impl Bulk {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let nothing = serde_json::json!({});
        match self {
            Self::Cancel(Cancel { many, reason, force }) => {
                let more = serde_json::json!({ "reason": reason, "force": force });
                many.perform("cancel", &more, client, out).await
            }
            Self::Retry(many) => many.perform("retry", &nothing, client, out).await,
            Self::Pause(many) => many.perform("pause", &nothing, client, out).await,
            Self::Resume(many) => many.perform("resume", &nothing, client, out).await,
        }
    }
}

impl Many {
    async fn perform(
        self,
        verb: &'static str,
        more: &Value,
        client: &Client,
        out: &mut Out,
    ) -> Result<(), CliError> {
        let (which, dry_run) = (self.which.checked()?, self.dry_run);
        if which.query().is_empty() && !self.all {
            return Err(CliError::Usage("say which executions are meant, or --all".to_owned()));
        }
        let (mut done, mut refused, mut cursor) = (0, 0, None);
        let progress = Progress::of(verb);
        let told = if dry_run { "would be done, nothing was" } else { "done" };
        loop {
            let page = Page { filter: &which, dry_run, cursor, more };
            let answer: Answer = client.order(&["bulk", verb], &page).await?.read()?;
            done += answer.done.len();
            refused += answer.refused.len();
            progress.clear();
            for one in &answer.refused {
                out.line(format_args!("{}: {}", one.id, harmless(&one.problem.detail)))?;
            }
            progress.say(&format!("{done} executions, {refused} refused"));
            cursor = answer.next_cursor;
            if cursor.is_none() {
                progress.clear();
                return out.line(format_args!("{verb}: {done} {told}, {refused} refused"));
            }
        }
    }
}
