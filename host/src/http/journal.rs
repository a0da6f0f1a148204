//! A journal as JSON: one object an entry.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Door;
use super::error::Problem;
use super::path::{Asked, Named, PageAfter};
use crate::dispatch::{Body, Ended, Entry, Event, Recorded, RunReason};
use crate::model::{
    ExecutionId, ExecutionState, Failure, ModuleDigest, Name, Outcome, Payload, Promise, Run, Seq,
    Timestamp,
};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Journal {
    entries: Vec<Line>,
    next_after: Option<Seq>,
}

/// One entry. What its kind does not have is absent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JournalEntry)]
pub(super) struct Line {
    pub(super) seq: Seq,
    pub(super) run: Run,
    pub(super) at: Timestamp,
    pub(super) kind: &'static str,
    #[serde(flatten)]
    pub(super) fields: Fields,
}

#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Fields {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) promise: Option<Promise>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Seq>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Payload, required = false)]
    input: Option<Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<Vec<Payload>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    child: Option<ExecutionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detached: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) milliseconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    promises: Option<Vec<Promise>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Payload, required = false)]
    result: Option<Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Payload, required = false)]
    payload: Option<Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<ExecutionState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fuel: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_peak_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_micros: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unreceived: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Seq>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<RunReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<ModuleDigest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    noted: Option<u64>,
}

impl Line {
    /// The same without what was given, returned and sent: what happened, and when.
    pub(super) fn bare(mut self) -> Self {
        let failure = self.fields.failure.map(|failure| Failure { details: None, ..failure });
        let (input, inputs, result, payload) = (None, None, None, None);
        self.fields = Fields { input, inputs, result, payload, failure, ..self.fields };
        self
    }
}

/// A page of an execution's journal.
#[utoipa::path(
    get, path = "/v1/executions/{id}/journal", tag = "executions", operation_id = "page_journal",
    params(("id" = ExecutionId, Path), PageAfter), responses((status = 200, body = Journal)),
)]
pub(super) async fn page(
    State(door): State<Door>,
    Named(id): Named<ExecutionId>,
    Asked(asked): Asked<PageAfter>,
) -> Result<Json<Journal>, Problem> {
    let slice = door.dispatch.journal(id, Seq(asked.after), asked.limit).await?;
    let next_after = slice.entries.last().filter(|_| slice.more).map(|entry| entry.seq);
    Ok(Json(Journal { entries: slice.entries.into_iter().map(Line::from).collect(), next_after }))
}

impl From<Entry> for Line {
    fn from(entry: Entry) -> Self {
        let Entry { seq, run, recorded_at: at, noted, body } = entry;
        let (kind, fields) = match body {
            Body::Started(started) => (
                "started",
                Fields {
                    name: Some(started.workflow),
                    input: Some(started.input),
                    ..Fields::default()
                },
            ),
            Body::Run(run) => (
                "run",
                Fields {
                    from: Some(run.from),
                    why: Some(run.why),
                    module: Some(run.module),
                    promise: run.redrive.as_ref().map(|redrive| redrive.promise),
                    attempt: run.redrive.as_ref().map(|redrive| redrive.attempts),
                    queue: run.redrive.and_then(|redrive| redrive.queue),
                    ..Fields::default()
                },
            ),
            Body::Ended(ended) => ("ended", Fields::of_end(ended)),
            Body::Noted => ("noted", Fields::default()),
            Body::Command(entry) => {
                let (kind, fields) = Fields::of_command(entry.command);
                (kind, Fields { after: Some(entry.after), ..fields })
            }
            Body::Event(event) => Fields::of_event(event),
        };
        let noted = (noted > 0).then_some(noted);
        Self { seq, run, at, kind, fields: Fields { noted, ..fields } }
    }
}

impl Fields {
    fn of_end(ended: Ended) -> Self {
        let fields = Self::of_outcome(ended.outcome);
        let (state, unreceived) = (Some(ended.state), Some(ended.unreceived));
        Self { state, unreceived, fuel: Some(ended.fuel), ..fields }
    }

    fn of_outcome(outcome: Outcome) -> Self {
        match outcome {
            Ok(result) => Self { result: Some(result), ..Self::default() },
            Err(failure) => Self { failure: Some(failure), ..Self::default() },
        }
    }

    fn of_command(command: Recorded) -> (&'static str, Self) {
        let made =
            |promise, name| Self { promise: Some(promise), name: Some(name), ..Self::default() };
        match command {
            Recorded::Call { promise, step, hash: _, input } => {
                ("call", Self { input, ..made(promise, step) })
            }
            Recorded::CallMany { promise, step, hash: _, count, inputs } => {
                ("call-many", Self { inputs, count: Some(count), ..made(promise, step) })
            }
            Recorded::StartChild { promise, workflow, hash: _, child, detached, input } => {
                let (child, detached) = (Some(child), Some(detached));
                ("start-child", Self { input, child, detached, ..made(promise, workflow) })
            }
            Recorded::Sleep { promise, milliseconds, due } => {
                let (milliseconds, due) = (Some(milliseconds), Some(due));
                let promise = Some(promise);
                ("sleep", Self { promise, milliseconds, due, ..Self::default() })
            }
            Recorded::Receive { promise, signal } => ("receive", made(promise, signal)),
            Recorded::Cancel { promises } => {
                ("cancel", Self { promises: Some(promises), ..Self::default() })
            }
            Recorded::ContinueAsNew { hash: _, input } => {
                ("continue-as-new", Self { input, ..Self::default() })
            }
        }
    }

    fn of_event(event: Event) -> (&'static str, Self) {
        match event {
            Event::Settled { promise, outcome, usage, attempt } => {
                let kind = if outcome.is_ok() { "completed" } else { "failed" };
                let fields = Self {
                    promise: Some(promise),
                    attempt: Some(attempt),
                    fuel: Some(usage.fuel),
                    memory_peak_bytes: Some(usage.memory_peak_bytes),
                    duration_micros: Some(usage.duration_micros),
                    ..Self::of_outcome(outcome)
                };
                (kind, fields)
            }
            Event::Fired { promise } => {
                ("fired", Self { promise: Some(promise), ..Self::default() })
            }
            Event::Received { signal, payload, id } => {
                let (name, payload) = (Some(signal), Some(payload));
                ("received", Self { name, payload, id, ..Self::default() })
            }
            Event::CancelRequested { reason } => {
                ("cancel-requested", Self { reason: Some(reason), ..Self::default() })
            }
            Event::Expired => ("expired", Self::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::CommandEntry;
    use crate::model::StepUsage;

    fn line(body: Body) -> String {
        let entry =
            Entry { seq: Seq(2), run: Run(0), recorded_at: Timestamp::default(), noted: 0, body };
        serde_json::to_string(&Line::from(entry)).unwrap()
    }

    #[test]
    fn a_payload_stays_as_it_was_written() {
        let command = Recorded::Call {
            promise: Promise(0),
            step: Name::new("charge").unwrap(),
            hash: [0; 16],
            input: Some(Payload::from_checked("{ \"b\":1.0, \"a\":2}")),
        };

        let line = line(Body::Command(CommandEntry { after: Seq(1), command }));

        let expected = concat!(
            r#"{"seq":2,"run":0,"at":"1970-01-01T00:00:00.000000Z","kind":"call","promise":0,"#,
            r#""name":"charge","after":1,"input":{ "b":1.0, "a":2}}"#
        );
        assert_eq!(line, expected);
    }

    #[test]
    fn a_settlement_is_completed_or_failed() {
        let settled = |outcome| {
            let usage = StepUsage { fuel: 7, memory_peak_bytes: 8, duration_micros: 9 };
            line(Body::Event(Event::Settled { promise: Promise(0), outcome, usage, attempt: 2 }))
        };

        assert!(settled(Ok(Payload::null())).contains(r#""kind":"completed""#));
        assert!(settled(Ok(Payload::null())).contains(r#""result":null"#));
        let failed = settled(Err(Failure::new("card-declined", "no funds")));
        assert!(failed.contains(r#""kind":"failed""#) && failed.contains(r#""attempt":2"#));
        assert!(failed.contains(r#""kind":"card-declined""#));
    }
}
