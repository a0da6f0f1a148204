//! One run of a step: the same for a local call and for a claimed task.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use serde_json::json;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::crew::Crew;
use super::meters::{StepMeters, Where};
use super::modules::Loaded;
use super::settle::{Settlement, settle};
use crate::model::{
    ExecutionId, Failure, Level, Name, Note, Outcome, Payload, Promise, RetryPolicy, Run, Said,
    Span, StepCall, StepReport, StepUsage, Timestamp, Trace, printable,
};
use crate::sandbox::Overheard;
use crate::store::{NotedBy, Spoken, StoreError, Write};

/// How often what an attempt says is written while it runs.
const SAID_EVERY: Duration = Duration::from_secs(1);

/// What to run.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) execution: ExecutionId,
    pub(super) run: Run,
    pub(super) workflow: Name,
    pub(super) promise: Promise,
    pub(super) step: Name,
    pub(super) queue: Name,
    pub(super) place: Where,
    /// When it was called, of a first attempt.
    pub(super) called_at: Option<Timestamp>,
    pub(super) input: Payload,
    /// From 1.
    pub(super) number: u32,
    pub(super) timeout: Duration,
    pub(super) retry: RetryPolicy,
    pub(super) heartbeat: Option<Payload>,
    pub(super) trace: Trace,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Attempted {
    pub(super) settlement: Settlement,
    pub(super) usage: StepUsage,
    pub(super) notes: Vec<NotedBy>,
    pub(super) heartbeat: Option<Payload>,
    /// To be told once what came of it is durable.
    pub(super) span: Option<Box<Span>>,
}

impl Attempted {
    /// Nothing was run, or nobody knows what came of it.
    pub(super) fn lost() -> Self {
        Self {
            settlement: Settlement::Lost,
            usage: StepUsage::default(),
            notes: Vec::new(),
            heartbeat: None,
            span: None,
        }
    }

    /// What it needs cannot be read: a row that makes no sense fails it, and bad weather only puts it off.
    pub(super) async fn unreadable(crew: &Crew, error: &StoreError) -> Self {
        if let Some(failure) = error.as_corrupt() {
            return Self::settled(Err(failure));
        }
        tokio::select! {
            () = tokio::time::sleep(crew.limits.poll_interval.0) => {}
            () = crew.stop.over.cancelled() => return Self::lost(),
        }
        Self { settlement: Settlement::GivenBack, ..Self::lost() }
    }

    /// It ended without having run.
    pub(super) fn settled(outcome: Outcome) -> Self {
        Self { settlement: Settlement::Settled(outcome), ..Self::lost() }
    }
}

impl Attempt {
    /// Runs it to its end, or until `stop`.
    pub(super) async fn run(
        &self,
        crew: &Crew,
        loaded: &Loaded,
        stop: CancellationToken,
    ) -> Attempted {
        let module = match crew.grants.equip(loaded, &*crew.clock).await {
            Ok(module) => module,
            Err(error) => {
                warn!(execution.id = %self.execution, error = %error, "What is granted to a step cannot be read");
                return Attempted::unreadable(crew, &error).await;
            }
        };
        debug!(
            host.id = %crew.host,
            execution.id = %self.execution,
            trace.id = %self.trace,
            run = self.run.0,
            promise = self.promise.0,
            attempt = self.number,
            at = crew.clock.now().as_micros(),
            step = %self.step,
            "Attempt {} of step {} begins", self.number, self.step
        );
        let meters = crew.meters.step(&self.queue, &self.step);
        if let Some(called_at) = self.called_at {
            let waited = crew.clock.now().since(called_at);
            meters.begun(self.place, waited);
        }
        let began = crew.clock.now();
        let call = StepCall {
            execution: self.execution,
            run: self.run,
            workflow: self.workflow.clone(),
            promise: self.promise,
            step: self.step.clone(),
            input: self.input.clone(),
            attempt: self.number,
            timeout: self.timeout,
            deadline: began + self.timeout,
            last_heartbeat: self.heartbeat.clone(),
            trace: self.trace,
        };
        let overheard = Overheard::default();
        let running = crew.sandbox.run_step_aloud(&module, call, stop, overheard.clone());
        let (report, unwritten) = self.aloud(crew, running, &overheard).await;
        debug!(
            host.id = %crew.host,
            execution.id = %self.execution,
            run = self.run.0,
            promise = self.promise.0,
            attempt = self.number,
            ended = true,
            "Attempt {} of step {} has ended", self.number, self.step
        );
        let mut attempted = self.judge(crew, &meters, report, began);
        attempted.notes.splice(..0, unwritten);
        attempted
    }

    /// Has what it says written while it runs, so that people can follow it; returns what could not be.
    async fn aloud(
        &self,
        crew: &Crew,
        running: impl Future<Output = StepReport>,
        overheard: &Overheard,
    ) -> (StepReport, Vec<NotedBy>) {
        let (mut running, mut lines) = (pin!(running), Vec::new());
        loop {
            if let Ok(report) = timeout(SAID_EVERY, running.as_mut()).await {
                return (report, lines);
            }
            lines.extend(overheard.take().into_iter().map(|said| self.noted(said, None)));
            if lines.is_empty() {
                continue;
            }
            let spoken = Spoken { execution: self.execution, run: self.run, lines };
            let telling = crew.committer.submit(Write::Say(Box::new(spoken.clone())));
            let (told, report) = match select(pin!(telling), running.as_mut()).await {
                Either::Left((told, _)) => (told, None),
                Either::Right((report, telling)) => (telling.await, Some(report)),
            };
            // Where nobody knows whether it was written, it may be there twice.
            lines = if told.is_ok() { Vec::new() } else { spoken.lines };
            if let Some(report) = report {
                return (report, lines);
            }
        }
    }

    fn judge(
        &self,
        crew: &Crew,
        meters: &StepMeters,
        report: StepReport,
        began: Timestamp,
    ) -> Attempted {
        let StepReport { ending, usage, notes, heartbeat } = report;
        let now = crew.clock.now();
        let settlement = settle(ending, &self.retry, self.number, crew.chance(), now);
        meters.ended(self.place, &settlement, usage);
        crew.meters.attempted(&settlement);
        let is_result = matches!(settlement, Settlement::Settled(Ok(_)));
        let counts = |said: &Said| is_result || said.note.survives_failure();
        let noted = notes.into_iter().filter(counts).map(|said| self.noted(said, None));
        let failed = failed(&settlement, now).map(|said| self.noted(said, Some(began)));
        let span = self.span(crew, &settlement, (began, now), usage);
        Attempted { settlement, usage, notes: noted.chain(failed).collect(), heartbeat, span }
    }

    fn noted(&self, Said { at, note }: Said, attempt_began_at: Option<Timestamp>) -> NotedBy {
        NotedBy {
            step: Some(self.step.clone()),
            promise: Some(self.promise),
            attempt: self.number,
            at,
            note,
            attempt_began_at,
        }
    }
}

/// What the log says of an attempt that is followed by another, which would not be seen anywhere else once that has ended.
fn failed(settlement: &Settlement, at: Timestamp) -> Option<Said> {
    let Settlement::RetryAt(next, Failure { kind, message, .. }) = settlement else { return None };
    let message = printable(&format!("failed, and is tried again: {kind}: {message}"));
    let fields = Payload::of(&json!({ "next_attempt_at": next }));
    Some(Said { at, note: Note::Log { level: Level::Warn, message, fields } })
}
