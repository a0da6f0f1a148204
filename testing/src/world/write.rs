//! Writing: entry by entry, with what a real host does in the same transaction, and dying after any of them.

use stepwell::journal::{Arrival, Body, CommandEntry, Entry, Event, Recorded, Replay};
use stepwell::model::{ExecutionId, ExecutionState, Note, Promise, Run};

use super::life::{Birth, Parent};
use super::work::{Born, DeadLetter};
use super::{Died, Fate, World};
use crate::cue::Moment;

/// What the next commit holds besides what the replay has pending.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) births: Vec<Born>,
    pub(super) messages: Vec<(ExecutionId, Arrival)>,
    pub(super) settled: Option<SettledStep>,
    /// Whether the event to be written is the oldest arrival of the inbox, which goes with it.
    pub(super) from: From,
}

/// Where an event comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum From {
    /// The owner noticed it itself.
    #[default]
    Here,
    /// It lies first in the inbox.
    Inbox,
}

/// A step whose end is to be written.
#[derive(Debug)]
pub(super) struct SettledStep {
    pub(super) promise: Promise,
    pub(super) step: String,
    pub(super) notes: Vec<Note>,
    pub(super) letter: Option<DeadLetter>,
    /// The row that goes with it.
    pub(super) row: Option<(ExecutionId, Run, Promise)>,
}

impl World {
    /// Writes what is pending. Returns the children among what was begun whose ids existed already. Where the host dies in
    /// between, what was written stays, and nothing else.
    pub(super) fn commit(
        &mut self,
        id: ExecutionId,
        replay: &mut Replay,
        mut draft: Draft,
    ) -> Result<Vec<ExecutionId>, Died> {
        let pending = replay.take_pending(self.now);
        let mut notes = pending.notes.into_iter();
        let mut existing = Vec::new();
        // The entry `run` and what follows it are one commit: no host dies between them.
        let begins_run = pending.entries.iter().any(|entry| matches!(entry.body, Body::Run(_)));
        let last = pending.entries.last().map(|entry| entry.seq);
        let mut is_struck = false;
        for entry in pending.entries {
            let is_last = Some(entry.seq) == last;
            self.keep_notes(id, &entry, &mut notes);
            let moment = self.apply(id, &entry, &mut draft, &mut existing);
            self.life(id).journal.push(entry);
            self.recorded += 1;
            is_struck |= self.crash_at == Some(self.recorded);
            let moments = [Some(Moment::Recorded(self.recorded)), moment];
            for moment in moments.into_iter().flatten() {
                is_struck |= self.reach(&moment) == Fate::Dies;
            }
            if is_struck && !is_last && !begins_run {
                return Err(Died);
            }
        }
        for note in notes {
            self.life(id).note(note);
        }
        for born in std::mem::take(&mut draft.births) {
            self.begin_child(id, born, &mut existing);
        }
        for (receiver, arrival) in draft.messages {
            if self.find(receiver).is_some() {
                self.send(receiver, arrival);
            }
        }
        if is_struck {
            return Err(Died);
        }
        // It was dropped, and goes all the same.
        if draft.from == From::Inbox {
            self.life(id).inbox.pop_front();
        }
        if let Some(SettledStep { row: Some(row), .. }) = draft.settled {
            self.flights.stop(row);
        }
        Ok(existing)
    }

    /// An entry says how many notes of its run are durable with it.
    fn keep_notes(
        &mut self,
        id: ExecutionId,
        entry: &Entry,
        notes: &mut impl Iterator<Item = Note>,
    ) {
        let life = self.life(id);
        let kept = match &entry.body {
            // Notes are counted anew in each run: what is left is of the run before.
            Body::Run(_) => u64::MAX,
            Body::Started(_) | Body::Ended(_) | Body::Noted | Body::Command(_) | Body::Event(_) => {
                entry.noted.saturating_sub(life.noted)
            }
        };
        life.noted = life.noted.max(entry.noted);
        for _ in 0..kept {
            let Some(note) = notes.next() else { break };
            life.note(note);
        }
        if matches!(entry.body, Body::Run(_)) {
            life.noted = 0;
        }
    }

    /// What an entry does beside lying in the journal, and the moment that it is.
    fn apply(
        &mut self,
        id: ExecutionId,
        entry: &Entry,
        draft: &mut Draft,
        existing: &mut Vec<ExecutionId>,
    ) -> Option<Moment> {
        if matches!(entry.body, Body::Event(_)) && std::mem::take(&mut draft.from) == From::Inbox {
            self.life(id).inbox.pop_front();
        }
        match &entry.body {
            Body::Command(CommandEntry { command: Recorded::StartChild { child, .. }, .. }) => {
                let place = draft.births.iter().position(|born| born.child == *child)?;
                let born = draft.births.remove(place);
                self.begin_child(id, born, existing);
            }
            Body::Event(Event::Settled { promise, .. }) => {
                let settled = draft.settled.take_if(|settled| settled.promise == *promise)?;
                settled.notes.into_iter().for_each(|note| self.life(id).note(note));
                self.dead_letters.extend(settled.letter);
                settled.row.into_iter().for_each(|row| self.flights.stop(row));
                return Some(Moment::Settled(settled.step));
            }
            Body::Event(Event::CancelRequested { .. } | Event::Expired) => {
                let until = entry.recorded_at + self.stage.limits.compensate_for;
                let life = self.life(id);
                life.state = ExecutionState::Cancelling;
                life.expires_at = Some(until);
            }
            Body::Run(_) => {
                let life = self.life(id);
                (life.base, life.run) = (entry.seq, entry.run);
                life.children.clear();
                life.parked = None;
                self.flights.drop_all_of(id);
            }
            Body::Ended(ended) => {
                let life = self.life(id);
                life.state = ended.state;
                life.outcome = Some(ended.outcome.clone());
                life.inbox.clear();
                self.flights.drop_all_of(id);
                self.tell_parent(id);
            }
            Body::Started(_) | Body::Noted | Body::Command(_) | Body::Event(_) => {}
        }
        None
    }

    fn tell_parent(&mut self, id: ExecutionId) {
        let life = self.life(id);
        let (Some(parent), Some(outcome)) = (life.parent, life.outcome.clone()) else { return };
        let workflow = life.workflow.clone();
        let outcome = outcome.map_err(|failure| failure.of_child(&workflow, id));
        let Parent { execution, run, promise } = parent;
        let usage = stepwell::model::StepUsage::default();
        self.send(execution, Arrival::Settled { run, promise, outcome, usage, attempt: 0 });
    }

    fn begin_child(&mut self, parent: ExecutionId, born: Born, existing: &mut Vec<ExecutionId>) {
        let Born { promise, run, child, workflow, input, options } = born;
        if self.find(child).is_some() {
            existing.push(child);
            return;
        }
        let spec = self.stage.manifest.workflow(workflow.as_str());
        let declared = spec.and_then(|spec| spec.options.max_duration);
        let start_at = self.now + options.delay.unwrap_or_default();
        let expires_at = options.max_duration.or(declared).map(|most| start_at + most);
        let parent = Some(Parent { execution: parent, run, promise });
        let seed = self.seed();
        self.bear(Birth { id: child, workflow, input, parent, start_at, expires_at, seed });
    }
}
