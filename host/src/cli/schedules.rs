//! `stepwell schedules`

use clap::{Args, Subcommand};
use http::Method;
use serde::{Deserialize, Serialize};

use super::Shown;
use super::client::{Answer, Client};
use super::error::CliError;
use super::out::{Out, harmless, one_line, reason, table, when};
use super::put_schedule::Put;
use super::typed;
use crate::model::{Failed, Firing, Missed, Name, ScheduleSpec, Timestamp};

#[derive(Debug, Subcommand)]
pub enum Schedules {
    /// List schedules by name
    List(List),
    /// Show one, with its last and its next times
    Show(One),
    /// Put a schedule, or change the one of that name
    Put(Box<Put>),
    /// Have it stand still; what it has started goes on
    Pause(One),
    /// Have it go on with its next time from now
    Resume(One),
    /// Start now what it starts; its times do not move. Prints the execution's id
    Trigger(Trigger),
    /// Remove it; what it has started goes on
    Delete(One),
    /// Print the next times of a schedule that is not put yet; no server is asked
    Preview(Box<super::put_schedule::Preview>),
}

#[derive(Debug, Args)]
pub struct List {
    /// How many at most
    #[arg(long, default_value_t = 100)]
    limit: u32,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Args)]
pub struct One {
    /// The schedule
    name: Name,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Args)]
pub struct Trigger {
    #[command(flatten)]
    schedule: One,
    /// Start it once for this key, however often this is run
    #[arg(long)]
    key: Option<String>,
}

#[derive(Debug, Serialize)]
struct Keyed {
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Started {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Listed {
    schedules: Vec<Schedule>,
}

#[derive(Debug, Deserialize)]
struct Schedule {
    name: String,
    spec: ScheduleSpec,
    paused_at: Option<Timestamp>,
    next: Vec<Timestamp>,
    last: Vec<Firing>,
    queued: Vec<Timestamp>,
    fired: u64,
    skipped: u64,
    failed: u64,
    last_failure: Option<Failed>,
    last_missed: Option<Missed>,
}

impl Schedules {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        match self {
            Self::List(list) => list.perform(client, out).await,
            Self::Show(one) => one.show(client, out).await,
            Self::Put(put) => put.perform(client, out).await,
            Self::Preview(preview) => preview.perform(out).await,
            Self::Pause(One { name, shown }) => {
                let path = ["schedules", typed::in_path(&name)?, "pause"];
                let answer = client.send(client.ask(Method::POST, &path, &[])).await?;
                out.outcome(shown, &answer, |_| Ok(format!("schedule {name} is paused")))
            }
            Self::Resume(One { name, shown }) => {
                let path = ["schedules", typed::in_path(&name)?, "resume"];
                let answer = client.send(client.ask(Method::POST, &path, &[])).await?;
                out.outcome(shown, &answer, goes_on)
            }
            Self::Trigger(trigger) => {
                let name = typed::in_path(&trigger.schedule.name)?;
                let order = Keyed { idempotency_key: trigger.key };
                let answer = client.order(&["schedules", name, "trigger"], &order).await?;
                let shown = trigger.schedule.shown;
                out.outcome(shown, &answer, |answer| Ok(answer.read::<Started>()?.id))
            }
            Self::Delete(One { name, shown }) => {
                let path = ["schedules", typed::in_path(&name)?];
                let answer = client.send(client.ask(Method::DELETE, &path, &[])).await?;
                out.outcome(shown, &answer, |_| Ok(format!("schedule {name} is removed")))
            }
        }
    }
}

/// When a schedule fires next, in a sentence.
pub(super) fn goes_on(answer: &Answer) -> Result<String, CliError> {
    let schedule: Schedule = answer.read()?;
    let name = one_line(&schedule.name);
    Ok(match (schedule.paused_at, schedule.next.first()) {
        (Some(_), _) => format!("schedule {name} is paused: stepwell schedules resume {name}"),
        (None, Some(next)) => format!("schedule {name} fires next at {}", when(*next)),
        (None, None) => format!("schedule {name} does not fire any more"),
    })
}

impl List {
    async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let limit = self.limit.to_string();
        let answer = client.read(&["schedules"], &[("limit", &limit)]).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let listed: Listed = answer.read()?;
        let mut table = table(&["NAME", "WHEN", "WORKFLOW", "NEXT", "FIRED", "FAILED"]);
        for schedule in &listed.schedules {
            table.add_row([
                one_line(&schedule.name),
                one_line(&schedule.spec.timing.to_string()),
                one_line(schedule.spec.workflow.as_str()),
                schedule.next_time(),
                schedule.fired.to_string(),
                schedule.failed.to_string(),
            ]);
        }
        out.table(&table)
    }
}

impl Schedule {
    fn next_time(&self) -> String {
        match (self.paused_at, self.next.first()) {
            (Some(_), _) => "paused".to_owned(),
            (None, Some(next)) => when(*next),
            (None, None) => "never".to_owned(),
        }
    }
}

impl One {
    async fn show(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let name = typed::in_path(&self.name)?;
        let answer = client.read(&["schedules", name], &[]).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let schedule: Schedule = answer.read()?;
        let Schedule { spec, fired, skipped, failed, .. } = &schedule;
        out.line(format_args!("schedule {}", one_line(&schedule.name)))?;
        out.line(format_args!("  when       {}", one_line(&spec.timing.to_string())))?;
        out.line(format_args!("  workflow   {}", one_line(spec.workflow.as_str())))?;
        out.line(format_args!("  next       {}", schedule.next_time()))?;
        for next in schedule.next.iter().skip(1) {
            out.line(format_args!("             {}", when(*next)))?;
        }
        out.line(format_args!("  firings    {fired} fired, {skipped} skipped, {failed} failed"))?;
        for firing in &schedule.last {
            out.line(format_args!("  {}  {}", when(firing.at), firing.execution))?;
        }
        if !schedule.queued.is_empty() {
            out.line(format_args!("  queued     {}", schedule.queued.len()))?;
        }
        if let Some(missed) = &schedule.last_missed {
            let (first, until) = (when(missed.first), when(missed.until));
            out.line(format_args!("  missed     from {first} until {until}"))?;
        }
        if let Some(failed) = &schedule.last_failure {
            let why = harmless(&reason(&failed.failure));
            out.line(format_args!("  failure    {}: {why}", when(failed.at)))?;
        }
        Ok(())
    }
}
