//! `stepwell schedules put` and `preview`

use clap::Args;
use http::Method;
use serde::Serialize;
use serde_json::value::RawValue;

use super::client::Client;
use super::error::CliError;
use super::out::{Out, when};
use super::schedules::goes_on;
use super::{Shown, typed};
use crate::model::{Clock, Name, ScheduleSpec, SystemClock, Timestamp};

/// When a schedule fires.
#[derive(Debug, Args, Serialize)]
struct Times {
    /// A cron expression of five fields, or of six where seconds come first, or such as @hourly
    #[arg(long, required_unless_present_any = ["every", "file"], conflicts_with = "every")]
    #[serde(skip_serializing_if = "Option::is_none")]
    cron: Option<String>,
    /// The time zone of the cron expression, by its name at IANA [default: UTC]
    #[arg(long, value_name = "ZONE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// An interval instead, such as 15m
    #[arg(long, value_name = "DURATION")]
    #[serde(skip_serializing_if = "Option::is_none")]
    every: Option<String>,
    /// Nothing fires before this time, such as 2026-01-31T08:00:00Z
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<String>,
    /// Nothing fires after this time
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
}

#[derive(Debug, Args)]
pub struct Put {
    /// The schedule
    name: Name,
    /// The workflow that it starts
    #[arg(required_unless_present = "file")]
    workflow: Option<Name>,
    #[command(flatten)]
    times: Times,
    /// The whole schedule as JSON instead: @FILE, or - for standard input
    #[arg(long, value_name = "JSON", conflicts_with_all = ["workflow", "cron", "every", "time_zone", "starts_at", "ends_at"])]
    file: Option<String>,
    /// The argument of the workflow: JSON, @FILE, or - for standard input [default: null]
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    input: Option<String>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Args, Serialize)]
struct Options {
    /// The module, by name or digest; needed where several have a workflow of this name
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    /// The queue [default: as the workflow declares]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<Name>,
    /// A tag; may be given several times [default: as the workflow declares]
    #[arg(long = "tag", value_name = "TAG")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Name>,
    /// From -100 to 100, higher goes first [default: as the workflow declares]
    #[arg(long, allow_negative_numbers = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i32>,
    /// After which an execution is timed out [default: as the workflow declares]
    #[arg(long, value_name = "DURATION")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_duration: Option<String>,
    /// While another execution of it runs: skip, queue, cancel_previous or allow [default: skip]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    overlap: Option<String>,
    /// How late a firing may be that no host was there for [default: 1h]
    #[arg(long, value_name = "DURATION")]
    #[serde(skip_serializing_if = "Option::is_none")]
    catch_up: Option<String>,
    /// By how much a firing is put off at most [default: 0s]
    #[arg(long, value_name = "DURATION")]
    #[serde(skip_serializing_if = "Option::is_none")]
    jitter: Option<String>,
}

#[derive(Debug, Serialize)]
struct Order {
    workflow: Name,
    #[serde(flatten)]
    times: Times,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Box<RawValue>>,
    #[serde(flatten)]
    options: Options,
}

impl Put {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let path = ["schedules", typed::in_path(&self.name)?];
        let request = client.ask(Method::PUT, &path, &[]);
        let request = match (&self.file, self.workflow) {
            (Some(file), _) => request.json(&typed::json(file, "--file").await?),
            (None, Some(workflow)) => {
                let input = match &self.input {
                    Some(given) => Some(typed::json(given, "--input").await?),
                    None => None,
                };
                let (times, options) = (self.times, self.options);
                request.json(&Order { workflow, times, input, options })
            }
            (None, None) => {
                return Err(CliError::Usage("say which workflow it starts".to_owned()));
            }
        };
        let answer = client.send(request).await?;
        out.outcome(self.shown, &answer, goes_on)
    }
}

#[derive(Debug, Args)]
pub struct Preview {
    #[command(flatten)]
    times: Times,
    /// The whole schedule as JSON instead: @FILE, or - for standard input
    #[arg(long, value_name = "JSON", conflicts_with_all = ["cron", "every", "time_zone", "starts_at", "ends_at"])]
    file: Option<String>,
    /// How many times
    #[arg(long, default_value_t = 10)]
    count: usize,
    /// The times after this one, such as 2026-01-31T08:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    after: Option<String>,
}

impl Preview {
    pub(super) async fn perform(self, out: &mut Out) -> Result<(), CliError> {
        let spec = match &self.file {
            Some(file) => typed::json(file, "--file").await?.get().to_owned(),
            None => self.times.with_some_workflow(),
        };
        let wrong = |error: serde_json::Error| CliError::Usage(error.to_string());
        let spec: ScheduleSpec = serde_json::from_str(&spec).map_err(wrong)?;
        let after: Timestamp = match &self.after {
            Some(text) => serde_json::from_value(text.as_str().into()).map_err(|error| {
                CliError::Usage(format!("--after {text:?} is no time: {error}"))
            })?,
            None => SystemClock::new().now(),
        };
        for at in spec.upcoming(after).take(self.count) {
            match spec.timing.on_the_wall(at) {
                Some(wall) => out.line(format_args!("{}  {wall}", when(at)))?,
                None => out.line(when(at))?,
            }
        }
        Ok(())
    }
}

impl Times {
    /// When something fires does not depend on what it is.
    fn with_some_workflow(&self) -> String {
        let mut spec = serde_json::json!(self);
        spec["workflow"] = "any".into();
        spec.to_string()
    }
}
