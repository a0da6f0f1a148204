//! A schedule as people write it.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::timing::due;
use super::{BadCron, Cron, Timing};
use crate::model::{Name, Payload, Timestamp, format_duration};

/// What happens to a firing while what was started before still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It is left out.
    #[default]
    Skip,
    /// It waits, and begins when what runs has ended.
    Queue,
    /// What runs is cancelled, and it begins.
    CancelPrevious,
    /// It begins beside it.
    Allow,
}

/// What to start, and when. A spec that exists is valid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct ScheduleSpec {
    /// When.
    pub timing: Timing,
    /// What.
    pub workflow: Name,
    /// Of which module, by its name or digest; needed only where several active ones have a workflow of this name.
    pub module: Option<String>,
    /// The argument.
    pub input: Payload,
    /// The queue; none leaves it to the workflow's declaration, as with all that follows.
    pub queue: Option<Name>,
    /// The tags.
    pub tags: Option<Vec<Name>>,
    /// The priority.
    pub priority: Option<i32>,
    /// After which an execution is timed out, counted from its start.
    pub max_duration: Option<Duration>,
    /// What happens while an execution of it still runs.
    pub overlap: Overlap,
    /// How late a firing may be, and still happen.
    pub catch_up: Duration,
    /// By how much a firing is put off at most.
    pub jitter: Duration,
    /// Nothing fires before.
    pub starts_at: Option<Timestamp>,
    /// Nothing fires after.
    pub ends_at: Option<Timestamp>,
}

/// Why a schedule is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadSchedule {
    /// Mend the expression.
    #[error(transparent)]
    Cron(#[from] BadCron),
    /// Say one of both.
    #[error(
        "a schedule has either a cron expression (`cron`) or an interval (`every`), this one has {0}"
    )]
    Timing(&'static str),
    /// Leave it away.
    #[error("time_zone goes with cron: an interval is the same everywhere")]
    ZoneOfInterval,
    /// Mend the name.
    #[error("time_zone is {0:?}, it must be the name of a zone at IANA, such as Europe/Berlin")]
    Zone(String),
    /// Mend that value.
    #[error("{what} is {given}, it must be {bounds}")]
    OutOfBounds {
        /// Which.
        what: &'static str,
        /// What was given.
        given: String,
        /// What it may be.
        bounds: String,
    },
    /// There is no time between them.
    #[error("ends_at is {ends_at}, it must be after starts_at, which is {starts_at}")]
    Backwards {
        /// When it begins.
        starts_at: Timestamp,
        /// When it ends.
        ends_at: Timestamp,
    },
}

/// How it is written, in JSON.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(expecting = "a JSON object", deny_unknown_fields)]
pub(super) struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "cron")]
    cron: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "iana-time-zone")]
    time_zone: Option<String>,
    #[serde(
        default,
        with = "crate::model::duration::serde_option",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, format = "duration-text")]
    every: Option<Duration>,
    workflow: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "module-reference")]
    module: Option<String>,
    #[serde(default = "Payload::null")]
    input: Payload,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 16)]
    tags: Option<Vec<Name>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -100, maximum = 100)]
    priority: Option<i32>,
    #[serde(
        default,
        with = "crate::model::duration::serde_option",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, format = "duration-text")]
    max_duration: Option<Duration>,
    #[serde(default)]
    overlap: Overlap,
    #[serde(default = "catch_up", with = "crate::model::duration::serde_text")]
    #[schema(value_type = String, format = "duration-text")]
    catch_up: Duration,
    #[serde(default, with = "crate::model::duration::serde_text")]
    #[schema(value_type = String, format = "short-duration-text")]
    jitter: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
}

fn catch_up() -> Duration {
    ScheduleSpec::CATCH_UP
}

impl ScheduleSpec {
    /// How late a firing may be where nobody says.
    pub const CATCH_UP: Duration = Duration::from_hours(1);
    /// Less cannot be told from the ordinary lateness of a cluster that has just lost a host: it would lose firings.
    pub const CATCH_UP_MIN: Duration = Duration::from_mins(1);
    /// How late it may be at most.
    pub const CATCH_UP_MAX: Duration = Duration::from_hours(30 * 24);
    /// The shortest interval.
    pub const INTERVAL_MIN: Duration = Duration::from_secs(1);
    /// The longest interval: ten years.
    pub const INTERVAL_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
    /// By how much a firing may be put off at most.
    pub const JITTER_MAX: Duration = Duration::from_hours(1);

    /// The first firing after `after`, between its start and its end.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let just_before = self.starts_at.map(|starts| starts - Duration::from_micros(1));
        let after = just_before.map_or(after, |before| before.max(after));
        let next = self.timing.next_after(after)?;
        self.ends_at.is_none_or(|ends| next <= ends).then_some(next)
    }

    /// The next firings after `after`.
    pub fn upcoming(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(self.next_after(after), |at| self.next_after(*at))
    }

    /// When the firing of `at` is due.
    pub fn due(&self, schedule: &Name, at: Timestamp) -> Timestamp {
        due(schedule, at, self.jitter)
    }

    /// Whether it fires at the same times as another.
    pub fn keeps_time_with(&self, other: &Self) -> bool {
        (&self.timing, self.jitter, self.starts_at, self.ends_at)
            == (&other.timing, other.jitter, other.starts_at, other.ends_at)
    }

    fn check(&self) -> Result<(), BadSchedule> {
        within("catch_up", self.catch_up, (Self::CATCH_UP_MIN, Self::CATCH_UP_MAX))?;
        within("jitter", self.jitter, (Duration::ZERO, Self::JITTER_MAX))?;
        if let Timing::Every { interval, .. } = &self.timing {
            within("every", *interval, (Self::INTERVAL_MIN, Self::INTERVAL_MAX))?;
        }
        match (self.starts_at, self.ends_at) {
            (Some(starts_at), Some(ends_at)) if ends_at <= starts_at => {
                Err(BadSchedule::Backwards { starts_at, ends_at })
            }
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }
}

fn within(
    what: &'static str,
    given: Duration,
    (least, most): (Duration, Duration),
) -> Result<(), BadSchedule> {
    if (least..=most).contains(&given) {
        return Ok(());
    }
    let bounds = format!("from {} to {}", format_duration(least), format_duration(most));
    Err(BadSchedule::OutOfBounds { what, given: format_duration(given), bounds })
}

fn zone(name: Option<&str>) -> Result<TimeZone, BadSchedule> {
    let name = name.unwrap_or("UTC");
    match TimeZone::get(name) {
        Ok(zone) => Ok(zone),
        Err(_unknown) => Err(BadSchedule::Zone(name.to_owned())),
    }
}

fn timing(written: &Written) -> Result<Timing, BadSchedule> {
    match (&written.cron, written.every) {
        (Some(cron), None) => Ok(Timing::Cron {
            cron: Box::new(Cron::read(cron)?),
            zone: zone(written.time_zone.as_deref())?,
        }),
        (None, Some(_)) if written.time_zone.is_some() => Err(BadSchedule::ZoneOfInterval),
        (None, Some(interval)) => {
            Ok(Timing::Every { interval, anchor: written.starts_at.unwrap_or_default() })
        }
        (Some(_), Some(_)) => Err(BadSchedule::Timing("both")),
        (None, None) => Err(BadSchedule::Timing("neither")),
    }
}

impl TryFrom<Written> for ScheduleSpec {
    type Error = BadSchedule;

    fn try_from(written: Written) -> Result<Self, BadSchedule> {
        let spec = Self {
            timing: timing(&written)?,
            workflow: written.workflow,
            module: written.module,
            input: written.input,
            queue: written.queue,
            tags: written.tags,
            priority: written.priority,
            max_duration: written.max_duration,
            overlap: written.overlap,
            catch_up: written.catch_up,
            jitter: written.jitter,
            starts_at: written.starts_at,
            ends_at: written.ends_at,
        };
        spec.check()?;
        Ok(spec)
    }
}

impl From<ScheduleSpec> for Written {
    fn from(spec: ScheduleSpec) -> Self {
        let (cron, time_zone, every) = match &spec.timing {
            Timing::Cron { cron, zone } => {
                let zone = zone.iana_name().unwrap_or("UTC").to_owned();
                (Some(cron.as_str().to_owned()), Some(zone), None)
            }
            Timing::Every { interval, .. } => (None, None, Some(*interval)),
        };
        Self {
            cron,
            time_zone,
            every,
            workflow: spec.workflow,
            module: spec.module,
            input: spec.input,
            queue: spec.queue,
            tags: spec.tags,
            priority: spec.priority,
            max_duration: spec.max_duration,
            overlap: spec.overlap,
            catch_up: spec.catch_up,
            jitter: spec.jitter,
            starts_at: spec.starts_at,
            ends_at: spec.ends_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<ScheduleSpec, serde_json::Error> {
        serde_json::from_str(json)
    }

    fn told(json: &str) -> String {
        read(json).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read_back_byte_for_byte() {
        let json = r#"{"cron":"0 9 * * mon","time_zone":"Europe/Berlin","workflow":"report","input":{"b":1.0,  "a":[]},"overlap":"queue","catch_up":"5m","jitter":"30s","ends_at":"2030-01-01T00:00:00.000000Z"}"#;

        let spec = read(json).unwrap();

        assert_eq!(serde_json::to_string(&spec).unwrap(), json);
        assert_eq!(spec.input.as_str(), r#"{"b":1.0,  "a":[]}"#);
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let spec = read(r#"{"every":"15m","workflow":"w"}"#).unwrap();

        assert_eq!((spec.overlap, spec.catch_up), (Overlap::Skip, Duration::from_hours(1)));
        assert_eq!((spec.jitter, spec.input), (Duration::ZERO, Payload::null()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, word) in [
            (r#"{"workflow":"w"}"#, "this one has neither"),
            (r#"{"cron":"@daily","every":"5m","workflow":"w"}"#, "this one has both"),
            (r#"{"cron":"0 25 * * *","workflow":"w"}"#, "cron field 2 (hour) is 25, must be 0-23"),
            (
                r#"{"cron":"@daily","time_zone":"Mars/Olympus","workflow":"w"}"#,
                "such as Europe/Berlin",
            ),
            (r#"{"every":"5m","time_zone":"UTC","workflow":"w"}"#, "goes with cron"),
            (r#"{"every":"5x","workflow":"w"}"#, "position 1"),
            (r#"{"every":"10ms","workflow":"w"}"#, "every is 10ms, it must be from 1s"),
            (
                r#"{"every":"5m","workflow":"w","catch_up":"1s"}"#,
                "catch_up is 1s, it must be from 1m",
            ),
            (
                r#"{"every":"5m","workflow":"w","jitter":"2h"}"#,
                "jitter is 2h, it must be from 0s to 1h",
            ),
            (r#"{"every":"5m","workflow":"w","overlap":"maybe"}"#, "maybe"),
            (r#"{"every":"5m","workflow":"w","evry":1}"#, "evry"),
            (
                r#"{"every":"5m","workflow":"w","starts_at":"2026-01-02T00:00:00Z","ends_at":"2026-01-01T00:00:00Z"}"#,
                "must be after starts_at",
            ),
        ] {
            assert!(told(json).contains(word), "{json}: {}", told(json));
        }
    }

    #[test]
    fn nothing_fires_before_its_start_or_after_its_end() {
        let spec = read(
            r#"{"cron":"0 * * * *","workflow":"w","starts_at":"2026-01-01T10:00:00Z","ends_at":"2026-01-01T12:00:00Z"}"#,
        )
        .unwrap();

        let times: Vec<_> = spec.upcoming(Timestamp::default()).map(|at| at.to_string()).collect();

        assert_eq!(
            times,
            [
                "2026-01-01T10:00:00.000000Z",
                "2026-01-01T11:00:00.000000Z",
                "2026-01-01T12:00:00.000000Z"
            ]
        );
    }
}
