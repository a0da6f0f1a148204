//! `stepwell cleanup`

use std::collections::BTreeMap;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::Out;
use super::pages::{GoesOn, Paged};
use crate::model::{ExecutionState, parse_duration};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Cleanup {
    /// What ended, or was made, longer ago than this, such as 12h or 7d
    #[arg(long, value_name = "DURATION", default_value = "7d", conflicts_with = "days")]
    older_than: String,
    /// The same in days
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// Executions that have ended; where neither this nor --dlq is given, both are meant
    #[arg(long)]
    executions: bool,
    /// Only those that ended in this state; may be given several times
    #[arg(long = "state", value_name = "STATE")]
    states: Vec<ExecutionState>,
    /// Dead letters
    #[arg(long)]
    dlq: bool,
    /// Lines of logs of executions that stay
    #[arg(long)]
    logs: bool,
    /// Only say how many of what there are
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Serialize)]
struct Order {
    older_than: String,
    states: Vec<ExecutionState>,
    dead_letters: bool,
    logs: bool,
    dry_run: bool,
}

#[derive(Debug, Deserialize)]
struct Cleaned {
    executions: BTreeMap<String, u64>,
    dead_letters: u64,
    logs: u64,
    results: u64,
}

impl Cleanup {
    fn order(self) -> Result<Order, CliError> {
        let older_than = self.days.map_or(self.older_than, |days| format!("{days}d"));
        parse_duration(&older_than)
            .map_err(|bad| CliError::Usage(format!("--older-than {older_than:?}: {bad}")))?;
        let names_executions = self.executions || !self.states.is_empty();
        let names_nothing = !(names_executions || self.dlq || self.logs);
        let terminal = || ExecutionState::ALL.into_iter().filter(|state| state.is_terminal());
        let states = match (names_executions || names_nothing, self.states.is_empty()) {
            (false, _) => Vec::new(),
            (true, true) => terminal().collect(),
            (true, false) => self.states,
        };
        let dead_letters = self.dlq || names_nothing;
        Ok(Order { older_than, states, dead_letters, logs: self.logs, dry_run: self.dry_run })
    }

    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let (shown, order) = (self.shown, self.order()?);
        let body = json!(order).as_object().cloned().unwrap_or_default();
        let (verb, goes_on) = ("cleanup:", GoesOn::Again("more"));
        Paged { verb, path: &["cleanup"], body, goes_on }
            .carry_out(client, shown, out, |all: Cleaned, out| tell(&all, &order, out))
            .await
    }
}

fn tell(all: &Cleaned, order: &Order, out: &mut Out) -> Result<(), CliError> {
    let done = if order.dry_run { "would be removed" } else { "removed" };
    for (state, count) in &all.executions {
        out.line(format_args!("{count} executions {done} ({state})"))?;
    }
    if order.dead_letters {
        out.line(format_args!("{} dead letters {done}", all.dead_letters))?;
    }
    if order.logs {
        out.line(format_args!("{} lines of logs {done}", all.logs))?;
    }
    out.line(format_args!("{} kept results {done}", all.results))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        cleanup: Cleanup,
    }

    fn order(flags: &[&str]) -> Order {
        let line = Line::try_parse_from(["cleanup"].iter().chain(flags)).unwrap();
        line.cleanup.order().unwrap()
    }

    #[test]
    fn what_is_named_goes_and_where_nothing_is_named_both_go() {
        let both = order(&[]);
        let letters = order(&["--dlq", "--days", "3"]);
        let failed = order(&["--state", "failed"]);

        assert_eq!((both.states.len(), both.dead_letters, both.logs), (4, true, false));
        assert_eq!((letters.states.len(), letters.dead_letters), (0, true));
        assert_eq!(letters.older_than, "3d");
        assert_eq!((failed.states, failed.dead_letters), (vec![ExecutionState::Failed], false));
    }
}
