//! The spans of what this host carries out: made where traces are wanted, told once what they are of is durable.

use super::attempt::Attempt;
use super::crew::Crew;
use super::settle::Settlement;
use crate::journal::{Body, Ended, Entry};
use crate::model::{AttemptSpan, ExecutionState, Run, Span, SpanId, Spanned, StepUsage, Timestamp};
use crate::store::ExecutionRow;

/// The kind of failure of a run that was blocked, and that another one took the place of.
const BLOCKED: &str = "blocked";

impl Crew {
    /// Tells spans of what is durable now.
    pub(super) fn tell(&self, spans: impl IntoIterator<Item = Span>) {
        spans.into_iter().for_each(|span| self.tracer.tell(span));
    }
}

impl Attempt {
    /// The span of an attempt that has ended; none of one that was lost, because it is made again under its number.
    pub(super) fn span(
        &self,
        crew: &Crew,
        settlement: &Settlement,
        (from, to): (Timestamp, Timestamp),
        usage: StepUsage,
    ) -> Option<Box<Span>> {
        let (outcome, failure) = match settlement {
            Settlement::Settled(Ok(_)) => ("completed", None),
            Settlement::Settled(Err(failure)) => ("failed", Some(failure)),
            Settlement::RetryAt(_, failure) => ("retried", Some(failure)),
            Settlement::Dead(failure) => ("dead", Some(failure)),
            Settlement::Lost | Settlement::GivenBack => return None,
        };
        crew.tracer.takes(self.trace).then(|| {
            let call = (self.run, self.promise);
            Box::new(Span {
                trace: self.trace,
                id: SpanId::of_attempt(self.execution, call, self.number),
                parent: Some(SpanId::of_run(self.execution, self.run)),
                execution: self.execution,
                run: self.run,
                workflow: self.workflow.clone(),
                from,
                to,
                failure: failure.map(|failure| failure.kind.clone()),
                of: Spanned::Attempt(AttemptSpan {
                    step: self.step.clone(),
                    promise: self.promise,
                    number: self.number,
                    queue: self.queue.clone(),
                    outcome,
                    usage,
                }),
            })
        })
    }
}

/// The runs of an execution that have begun since it last ended, and when: one that was blocked ends only when the one after
/// it does.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs(Vec<(Run, Timestamp)>);

impl Runs {
    /// As a journal has them.
    pub(super) fn of(row: &ExecutionRow, entries: &[Entry]) -> Self {
        let mut runs = Vec::new();
        for Entry { run, body, seq, recorded_at, .. } in entries {
            match body {
                // A delayed one waits before it begins.
                Body::Started(_) if runs.is_empty() => {
                    let began = row.started_at.unwrap_or(*recorded_at);
                    runs.push((*run, began.max(*recorded_at)));
                }
                Body::Run(next) if next.goes_on_at(*seq) => runs.push((*run, *recorded_at)),
                Body::Run(_) => runs = vec![(*run, *recorded_at)],
                Body::Started(_)
                | Body::Ended(_)
                | Body::Noted
                | Body::Command(_)
                | Body::Event(_) => {}
            }
        }
        Self(runs)
    }

    /// Their spans, where the last of them has ended.
    pub(super) fn ended(&self, crew: &Crew, row: &ExecutionRow, ended: &Ended) -> Vec<Span> {
        let failure = ended.outcome.as_ref().err().map(|failure| failure.kind.clone());
        self.spans(crew, row, (Some(ended.state), failure))
    }

    /// Their spans, where the last of them has continued as the next, which begins now.
    pub(super) fn continued(&mut self, crew: &Crew, row: &ExecutionRow, next: Run) -> Vec<Span> {
        let spans = self.spans(crew, row, (None, None));
        self.0 = vec![(next, crew.clock.now())];
        spans
    }

    fn spans(
        &self,
        crew: &Crew,
        row: &ExecutionRow,
        (state, failure): (Option<ExecutionState>, Option<String>),
    ) -> Vec<Span> {
        let trace = row.trace();
        if !crew.tracer.takes(trace) {
            return Vec::new();
        }
        let now = crew.clock.now();
        let next = self.0.iter().skip(1).map(|(_, began)| Some(*began)).chain([None]);
        let spans = self.0.iter().zip(next).map(|((run, from), next)| {
            let is_last = next.is_none();
            let blocked = || Some(BLOCKED.to_owned());
            Span {
                trace,
                id: SpanId::of_run(row.id, *run),
                parent: row.traceparent.map(|parent| parent.span),
                execution: row.id,
                run: *run,
                workflow: row.workflow.clone(),
                from: *from,
                to: next.unwrap_or(now).max(*from),
                failure: if is_last { failure.clone() } else { blocked() },
                of: Spanned::Run { state: state.filter(|_| is_last) },
            }
        });
        spans.collect()
    }
}

/// An activation whose span is wanted.
#[derive(Debug)]
pub(super) struct Begun {
    run: Run,
    entries: u64,
    at: Timestamp,
}

impl Begun {
    /// It begins with so many entries.
    pub(super) fn now(crew: &Crew, row: &ExecutionRow, entries: u64) -> Option<Self> {
        let wanted = crew.tracer.takes(row.trace());
        wanted.then(|| Self { run: row.run, entries, at: crew.clock.now() })
    }

    /// It is over.
    pub(super) fn span(self, crew: &Crew, row: &ExecutionRow) -> Span {
        Span {
            trace: row.trace(),
            id: SpanId::of_activation(row.id, self.entries, self.at),
            parent: Some(SpanId::of_run(row.id, self.run)),
            execution: row.id,
            run: self.run,
            workflow: row.workflow.clone(),
            from: self.at,
            to: crew.clock.now(),
            failure: None,
            of: Spanned::Activation { replayed: self.entries },
        }
    }
}
