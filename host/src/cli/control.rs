//! `stepwell cancel`, `retry`, `pause`, `resume`

use clap::Args;
use serde::{Deserialize, Serialize};

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::Out;
use super::typed;
use crate::model::{ExecutionState, Timestamp};

#[derive(Debug, Args)]
pub struct Cancel {
    /// The execution
    id: String,
    /// Why, for people
    #[arg(long, default_value = "")]
    reason: String,
    /// End it without letting it compensate
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Serialize)]
struct Cancellation<'a> {
    reason: &'a str,
    force: bool,
}

#[derive(Debug, Deserialize)]
struct Standing {
    state: ExecutionState,
    paused_at: Option<Timestamp>,
}

impl Cancel {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let id = typed::execution(&self.id)?;
        let order = Cancellation { reason: &self.reason, force: self.force };
        let answer = client.order(&["executions", &id, "cancel"], &order).await?;
        let asked = if self.force { Asked::ByForce } else { Asked::Kindly };
        out.outcome(self.shown, &answer, |answer| {
            Ok(answer.read::<Standing>()?.after_cancel(&id, asked))
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Kindly,
    ByForce,
}

impl Standing {
    fn after_cancel(&self, id: &str, asked: Asked) -> String {
        if self.state.is_terminal() {
            return format!("{id} has ended before: it {}", self.state.predicate());
        }
        let held = match (self.state, self.paused_at) {
            (ExecutionState::Blocked, _) => "blocked",
            (_, Some(_)) => "paused",
            (_, None) => return format!("{id} is asked to end"),
        };
        if asked == Asked::ByForce {
            return format!("{id} is asked to end");
        }
        format!(
            "{id} is asked to end, but it is {held}: stepwell resume {id} has it go on and end, \
             stepwell cancel --force {id} ends it as it is"
        )
    }
}

#[derive(Debug, Args)]
pub struct Revive {
    /// The execution
    id: String,
    /// Go on with this module, by name or by the first 8 digits or more of its digest [default: the one it has]
    #[arg(long)]
    module: Option<String>,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Serialize)]
struct With {
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Revived {
    run: u32,
}

impl Revive {
    pub(super) async fn retry(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let id = typed::execution(&self.id)?;
        let order = With { module: self.module };
        let answer = client.order(&["executions", &id, "retry"], &order).await?;
        out.outcome(self.shown, &answer, |answer| {
            let Revived { run } = answer.read()?;
            Ok(format!("{id} goes on in run {run}"))
        })
    }

    pub(super) async fn resume(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let id = typed::execution(&self.id)?;
        let order = With { module: self.module };
        let answer = client.order(&["executions", &id, "resume"], &order).await?;
        out.outcome(self.shown, &answer, |_| Ok(format!("{id} goes on")))
    }
}

#[derive(Debug, Args)]
pub struct Pause {
    /// The execution
    id: String,
    #[command(flatten)]
    shown: Shown,
}

impl Pause {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let id = typed::execution(&self.id)?;
        let order = With { module: None };
        let answer = client.order(&["executions", &id, "pause"], &order).await?;
        out.outcome(self.shown, &answer, |_| Ok(format!("{id} is paused")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(state: ExecutionState, paused_at: Option<Timestamp>, asked: Asked) -> String {
        Standing { state, paused_at }.after_cancel("E", asked)
    }

    #[test]
    fn whoever_cancels_what_stands_still_is_told_so() {
        let (waiting, blocked) = (ExecutionState::Waiting, ExecutionState::Blocked);

        let paused = Some(Timestamp::default());

        assert_eq!(told(waiting, None, Asked::Kindly), "E is asked to end");
        assert_eq!(told(waiting, paused, Asked::ByForce), "E is asked to end");
        assert!(told(waiting, paused, Asked::Kindly).contains("it is paused: stepwell resume E"));
        assert!(told(blocked, None, Asked::Kindly).contains("it is blocked: stepwell resume E"));
        assert_eq!(
            told(ExecutionState::TimedOut, None, Asked::Kindly),
            "E has ended before: it has timed out"
        );
    }
}
