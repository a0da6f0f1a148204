//! The end of a run, and the beginning of the next.

use super::super::divergence::{Divergence, left_over};
use super::super::entry::{Body, Ended, Entry, Event, RunEntry, RunReason, Started};
use super::signals::Signal;
use super::{Effect, Replay, Stop};
use crate::model::{
    ExecutionState, Failure, Limits, ModuleDigest, Note, Outcome, Payload, Seq, Timestamp,
};

/// A run that began where another ended.
#[derive(Debug)]
pub struct NextRun {
    /// Its replay: nothing has run yet. Its first effects are detached children that the run before started last.
    pub replay: Replay,
    /// The `run` entry before which nothing is read any more.
    pub base: Seq,
    /// Work of the run before that has to stop.
    pub stops: Vec<Stop>,
}

/// How many ids of received signals are carried into the next run, newest last.
const SIGNAL_IDS_CARRIED_MAX: usize = 1_000;

impl Replay {
    /// The workflow has returned: nothing that was recorded may be left over.
    pub fn finish(&self) -> Result<(), Divergence> {
        match self.commands.front() {
            Some((seq, _run, entry)) => Err(left_over(*seq, &entry.command, "returned instead")),
            None => Ok(()),
        }
    }

    /// The argument of the next run, where the workflow asked for one.
    pub fn continued(&self) -> Option<&Payload> {
        // A run that was asked to end does not begin another.
        if self.ending.is_some() { None } else { self.continued.as_ref() }
    }

    /// Records the end. What the guest returned counts, unless the end was asked for.
    pub fn end(&mut self, returned: Outcome, fuel: u64, now: Timestamp) -> Ended {
        let (state, outcome) = match (&self.ending, returned) {
            (None, Ok(result)) => (ExecutionState::Completed, Ok(result)),
            (None, Err(failure)) => (ExecutionState::Failed, Err(failure)),
            (Some(request), Ok(result)) => {
                let failure = Failure { details: Some(result), ..request.failure.clone() };
                (request.state, Err(failure))
            }
            (Some(request), Err(failure)) if failure.kind == request.failure.kind => {
                (request.state, Err(failure))
            }
            (Some(request), Err(failure)) => {
                let message = format!("{}; and then {failure}", request.failure.message);
                let told = Failure::new(request.failure.kind.clone(), message);
                // What a compensation could not do is in the details.
                (request.state, Err(Failure { details: failure.details, ..told }))
            }
        };
        self.end_as(state, outcome, fuel, now)
    }

    /// Records an end that the guest has no say in.
    pub fn end_as(
        &mut self,
        state: ExecutionState,
        outcome: Outcome,
        fuel: u64,
        now: Timestamp,
    ) -> Ended {
        let ended = Ended { state, outcome, fuel, unreceived: self.unreceived() };
        self.record(Body::Ended(ended.clone()), now);
        ended
    }

    /// Closes what is still open and says what has to stop: all but children that were detached. What of those was not taken
    /// as an effect yet is still to be taken.
    pub fn stop_all(&mut self) -> Vec<Stop> {
        let open: Vec<_> = self.promises.open().collect();
        for promise in open {
            self.stop(promise);
        }
        self.take_stops()
    }

    fn unreceived(&self) -> u32 {
        let ahead = self.events.iter();
        let ahead = ahead.filter(|(_, _, event)| matches!(event, Event::Received { .. })).count();
        u32::try_from(self.signals.unreceived().len() + ahead).unwrap_or(u32::MAX)
    }

    /// What the next run still has to hear of, in the order of arrival: signals that nobody received, passed or not, with
    /// their senders' ids, and a request to end that was not delivered.
    fn carried(&self) -> Vec<Event> {
        let passed = self.signals.unreceived().into_iter().map(Signal::into_event);
        let ahead = self.events.iter().filter(|(_, _, event)| match event {
            Event::Received { .. } | Event::CancelRequested { .. } | Event::Expired => true,
            Event::Settled { .. } | Event::Fired { .. } => false,
        });
        passed.chain(ahead.map(|(_, _, event)| event.clone())).collect()
    }

    /// Begins the next run with `input`. Signals that nobody received are recorded again; a request to end that has not
    /// been delivered is, too.
    #[expect(clippy::missing_panics_doc, reason = "the started entry is among those it was given")]
    pub fn continue_as_new(
        mut self,
        input: Payload,
        module: ModuleDigest,
        limits: &Limits,
        now: Timestamp,
    ) -> NextRun {
        let stops = self.stop_all();
        let inherited = self.take_effects();
        let carried = self.carried();
        let forgotten = self.signal_order.len().saturating_sub(SIGNAL_IDS_CARRIED_MAX);
        let signal_ids = self.signal_order.split_off(forgotten);
        let run = self.run.next();
        let why = RunReason::ContinueAsNew;
        self.run = run;
        // Notes are counted anew in each run; these travel with the pending entries whatever those say.
        self.notes_marked = self.notes_seen;
        let entry = RunEntry { from: Seq(0), why, module, signal_ids, redrive: None };
        let (base, _at) = self.record(Body::Run(entry), now);
        let started =
            Started { workflow: self.started.workflow.clone(), input, seed: self.started.seed };
        self.record(Body::Started(started), now);
        for event in carried {
            self.record(Body::Event(event), now);
        }
        let fresh = self.pending.iter().filter(|entry| entry.seq >= base).cloned().collect();
        let begun = Self::new(self.execution, run, fresh, limits);
        let mut replay = begun.expect("the started entry was recorded just above");
        replay.adopt(self.pending, self.notes, inherited);
        NextRun { replay, base, stops }
    }

    /// Takes over what the run before had not written or begun yet.
    fn adopt(&mut self, pending: Vec<Entry>, notes: Vec<Note>, inherited: Vec<Effect>) {
        self.pending = pending;
        self.notes = notes;
        self.inherited = inherited;
    }
}
