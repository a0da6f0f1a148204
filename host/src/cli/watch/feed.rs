//! Reading a host again and again, so that it is not burdened by being looked at.

use std::time::Duration;

use serde::Deserialize;

use super::close::{Close, Logs};
use super::exposition::Readings;
use super::seen::{Execution, Host, Letter, Overview, Queue, Stats, troubles};
use crate::cli::client::Client;
use crate::cli::error::CliError;
use crate::cli::show::{self, Page};
use crate::model::{ExecutionState, Stopwatch};

/// Executions that are listed.
const LISTED: &str = "200";
/// Queues, hosts and troubles of a kind that are read.
const READ: &str = "50";
/// Counting all executions takes at most this share of the time: there may be millions.
const COUNTING_SHARE: f64 = 0.05;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// The overview, with executions in one state or in all.
    Overview(Option<ExecutionState>),
    /// One execution, from these places of its journal and log on.
    Execution { id: String, journal_after: u64, logs_after: i64 },
}

/// What was read.
#[derive(Debug)]
pub(super) enum Read {
    Overview(Box<Overview>),
    Execution(Box<Close>),
}

/// Counts of everything, and when they are next.
#[derive(Debug, Default)]
pub(super) struct Counting {
    counted: Option<(Stopwatch, f64, Stats)>,
}

#[derive(Debug, Deserialize)]
struct Queues {
    queues: Vec<Queue>,
}

#[derive(Debug, Deserialize)]
struct Hosts {
    hosts: Vec<Host>,
}

#[derive(Debug, Deserialize)]
struct Executions {
    executions: Vec<Execution>,
}

#[derive(Debug, Deserialize)]
struct Letters {
    dead_letters: Vec<Letter>,
}

/// Reads what is asked for.
pub(super) async fn read(
    client: &Client,
    asked: &Asked,
    counting: &mut Counting,
) -> Result<Read, CliError> {
    match asked {
        Asked::Overview(state) => {
            let seen = Box::pin(overview(client, *state, counting)).await?;
            Ok(Read::Overview(Box::new(seen)))
        }
        Asked::Execution { id, journal_after, logs_after } => {
            let close = execution(client, id, *journal_after, *logs_after).await?;
            Ok(Read::Execution(Box::new(close)))
        }
    }
}

async fn overview(
    client: &Client,
    state: Option<ExecutionState>,
    counting: &mut Counting,
) -> Result<Overview, CliError> {
    let limit = [("limit", READ)];
    let (stats, readings, queues, hosts, listed, letters, failed, timed_out, blocked) = tokio::try_join!(
        counting.stats(client),
        readings(client),
        client.read(&["queues"], &limit),
        client.read(&["hosts"], &limit),
        list(client, state, LISTED),
        client.read(&["dead-letters"], &limit),
        list(client, Some(ExecutionState::Failed), READ),
        list(client, Some(ExecutionState::TimedOut), READ),
        list(client, Some(ExecutionState::Blocked), READ),
    )?;
    let ended = [failed, timed_out, blocked].concat();
    Ok(Overview {
        stats,
        readings,
        queues: queues.read::<Queues>()?.queues,
        hosts: hosts.read::<Hosts>()?.hosts,
        executions: listed,
        troubles: troubles(&ended, &letters.read::<Letters>()?.dead_letters),
    })
}

async fn list(
    client: &Client,
    state: Option<ExecutionState>,
    limit: &str,
) -> Result<Vec<Execution>, CliError> {
    let mut query = vec![("limit", limit)];
    query.extend(state.map(|state| ("state", state.as_str())));
    Ok(client.read(&["executions"], &query).await?.read::<Executions>()?.executions)
}

/// What the host counts. One that does not tell is looked at all the same.
async fn readings(client: &Client) -> Result<Option<Readings>, CliError> {
    match client.read_beside("/metrics").await {
        Ok(answer) => Ok(Some(Readings::read(&answer.text))),
        Err(CliError::Refused(_) | CliError::Strange { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Counting {
    async fn stats(&mut self, client: &Client) -> Result<Stats, CliError> {
        if let Some((at, took, stats)) = &self.counted
            && at.seconds() * COUNTING_SHARE < *took
        {
            return Ok(stats.clone());
        }
        let stopwatch = Stopwatch::start();
        let stats: Stats = client.read(&["stats"], &[]).await?.read()?;
        self.counted = Some((Stopwatch::start(), stopwatch.seconds(), stats.clone()));
        Ok(stats)
    }
}

async fn execution(
    client: &Client,
    id: &str,
    journal_after: u64,
    logs_after: i64,
) -> Result<Close, CliError> {
    let (journal_after, logs_after) = (journal_after.to_string(), logs_after.to_string());
    let after = |place| [("after", place), ("limit", "1000")];
    let (journal_after, logs_after) = (after(&*journal_after), after(&*logs_after));
    let [journal, logs] = ["journal", "logs"].map(|part| ["executions", id, part]);
    let head = ["executions", id];
    let (head, journal, logs) = tokio::try_join!(
        client.read(&head, &[]),
        client.read(&journal, &journal_after),
        client.read(&logs, &logs_after),
    )?;
    let (journal, logs) = (journal.read::<Page>()?, logs.read::<Logs>()?);
    let more = journal.next_after.is_some() || logs.next_after.is_some();
    let entries = journal.entries.iter().filter_map(|entry| serde_json::from_str(entry.get()).ok());
    Ok(Close {
        head: head.read::<show::Execution>()?,
        entries: entries.collect(),
        logs: logs.lines,
        more,
    })
}

/// How long an answer may take before the host is said to be silent.
pub(super) const SILENT_AFTER: Duration = Duration::from_secs(8);
