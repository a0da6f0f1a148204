//! `stepwell bulk`: one order for many executions

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client::Client;
use super::error::CliError;
use super::out::Out;
use super::pages::{GoesOn, Paged, Refused, tell_ids, tell_refused};
use super::{Shown, typed};
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
    /// Only say to which it would be done
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    shown: Shown,
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

#[derive(Debug, Deserialize)]
struct Answer {
    done: Vec<String>,
    refused: Vec<Refused>,
    dry_run: bool,
}

impl Bulk {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        match self {
            Self::Cancel(Cancel { many, reason, force }) => {
                let more = json!({ "reason": reason, "force": force });
                many.perform("cancel", more, client, out).await
            }
            Self::Retry(many) => many.perform("retry", json!({}), client, out).await,
            Self::Pause(many) => many.perform("pause", json!({}), client, out).await,
            Self::Resume(many) => many.perform("resume", json!({}), client, out).await,
        }
    }
}

impl Many {
    async fn perform(
        self,
        verb: &'static str,
        mut order: Value,
        client: &Client,
        out: &mut Out,
    ) -> Result<(), CliError> {
        let which = self.which.checked()?;
        if which.query().is_empty() && !self.all {
            return Err(CliError::Usage("say which executions are meant, or --all".to_owned()));
        }
        order["filter"] = json!(which);
        order["dry_run"] = self.dry_run.into();
        let body = order.as_object().cloned().unwrap_or_default();
        let goes_on = GoesOn::Behind("next_cursor", "cursor");
        let order = Paged { verb, path: &["bulk", verb], body, goes_on };
        order
            .carry_out(client, self.shown, out, |answer: Answer, out| {
                tell_refused(&answer.refused, out)?;
                let (done, refused) = (answer.done.len(), answer.refused.len());
                if !answer.dry_run {
                    return out.line(format_args!("{verb}: {done} done, {refused} refused"));
                }
                tell_ids(&answer.done, out)?;
                out.line(format_args!(
                    "{verb}: {done} would be done, nothing was, {refused} refused"
                ))
            })
            .await
    }
}
