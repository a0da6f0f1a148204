//! The end of a run, and the beginning of the next.

use super::super::divergence::{Divergence, left_over};
use super::super::entry::{Body, Ended, Entry, Event, RunEntry, RunReason, Started};
use super::promises::Work;
use super::{Replay, Stop};
use crate::model::{
    ExecutionState, Failure, Limits, ModuleDigest, Name, Note, Outcome, Payload, Seq, Timestamp,
};

/// A run that began where another ended.
#[derive(Debug)]
pub struct NextRun {
    /// Its replay: nothing has run yet.
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
            Some((seq, entry)) => Err(left_over(*seq, &entry.command, "returned instead")),
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
                (request.state, Err(Failure::new(request.failure.kind.clone(), message)))
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
        let unreceived = u32::try_from(self.unreceived().len()).unwrap_or(u32::MAX);
        let ended = Ended { state, outcome, fuel, unreceived };
        self.record(Body::Ended(ended.clone()), now);
        ended
    }

    /// Closes what is still open, save children that were detached, and says what has to stop.
    pub fn stop_all(&mut self) -> Vec<Stop> {
        let open: Vec<_> = self.promises.open().collect();
        for promise in open {
            let detached =
                matches!(self.promises.work(promise), Some(Work::Child { detached: true, .. }));
            if !detached {
                self.stop(promise);
            }
        }
        self.take_stops()
    }

    /// Signals that nobody received, passed or not, by name and then by age.
    fn unreceived(&self) -> Vec<(Name, Payload)> {
        let mut signals = self.signals.unreceived();
        signals.extend(self.events.iter().filter_map(|(_, _, event)| match event {
            Event::Received { signal, payload, .. } => Some((signal.clone(), payload.clone())),
            Event::Settled { .. }
            | Event::Fired { .. }
            | Event::CancelRequested { .. }
            | Event::Expired => None,
        }));
        signals
    }

    /// Begins the next run with `input`. Signals that nobody received are recorded again; a request to end that has not
    /// been delivered is, too.
    pub fn continue_as_new(
        mut self,
        input: Payload,
        module: ModuleDigest,
        limits: &Limits,
        now: Timestamp,
    ) -> NextRun {
        let stops = self.stop_all();
        let carried = self.unreceived();
        let asked: Vec<Event> =
            self.events.iter().filter_map(|(_, _, event)| asks_to_end(event)).collect();
        let forgotten = self.signal_order.len().saturating_sub(SIGNAL_IDS_CARRIED_MAX);
        let signal_ids = self.signal_order.split_off(forgotten);
        let run = self.run.next();
        let why = RunReason::ContinueAsNew;
        self.run = run;
        let entry = RunEntry { from: Seq(0), why, module, signal_ids };
        let (base, _at) = self.record(Body::Run(entry), now);
        let started =
            Started { workflow: self.started.workflow.clone(), input, seed: self.started.seed };
        self.record(Body::Started(started), now);
        for (signal, payload) in carried {
            self.record(Body::Event(Event::Received { signal, payload, id: None }), now);
        }
        for event in asked {
            self.record(Body::Event(event), now);
        }
        let fresh = self.pending.iter().filter(|entry| entry.seq >= base).cloned().collect();
        let mut replay = Self::new(self.execution, run, fresh, limits)
            .expect("the started entry was recorded just above");
        replay.adopt(self.pending, self.notes);
        NextRun { replay, base, stops }
    }

    /// Takes over what the run before had not written yet.
    fn adopt(&mut self, pending: Vec<Entry>, notes: Vec<Note>) {
        self.pending = pending;
        self.notes = notes;
    }
}

fn asks_to_end(event: &Event) -> Option<Event> {
    match event {
        Event::CancelRequested { .. } | Event::Expired => Some(event.clone()),
        Event::Settled { .. } | Event::Fired { .. } | Event::Received { .. } => None,
    }
}
