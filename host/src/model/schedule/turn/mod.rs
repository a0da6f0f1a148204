//! What becomes of the firings of a schedule whose time has come.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Overlap, ScheduleSpec};
use crate::model::{ExecutionId, Failure, Name, Timestamp};

/// What a schedule remembers from one firing to the next.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// What it has started and is not known to have ended, oldest first.
    pub running: VecDeque<ExecutionId>,
    /// Firings that wait for the end of what runs, oldest first.
    pub queued: VecDeque<Timestamp>,
    /// What it has started last, newest first.
    pub last: VecDeque<Firing>,
    /// How many it has started.
    pub fired: u64,
    /// How many were left out because another execution ran.
    pub skipped: u64,
    /// How many could not be started.
    pub failed: u64,
    /// The last of these.
    pub last_failure: Option<Failed>,
    /// The last firings that came too late to be made up for.
    pub last_missed: Option<Missed>,
}

/// One start by a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Firing {
    /// The time of the schedule it was for.
    pub at: Timestamp,
    /// When it was started.
    pub started_at: Timestamp,
    /// What was started.
    pub execution: ExecutionId,
}

/// A firing that could not start anything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Failed {
    /// The time of the schedule it was for.
    pub at: Timestamp,
    /// Why.
    pub failure: Failure,
}

/// Firings that were too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Missed {
    /// The first of them.
    pub first: Timestamp,
    /// None of them is after this.
    pub until: Timestamp,
}

/// A schedule whose time may have come.
#[derive(Debug, Clone, Copy)]
pub struct Due<'a> {
    /// What it is called.
    pub name: &'a Name,
    /// What it is.
    pub spec: &'a ScheduleSpec,
    /// Its next firing.
    pub next_at: Option<Timestamp>,
    /// The database's clock.
    pub now: Timestamp,
    /// Which of those that it has started have ended.
    pub over: &'a HashSet<ExecutionId>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Turn {
    /// Times for each of which an execution is to be started, in this order.
    pub starts: Vec<Timestamp>,
    /// What is to be cancelled.
    pub cancels: Vec<ExecutionId>,
    /// The firing after those that have come.
    pub next_at: Option<Timestamp>,
    /// When to look again.
    pub due_at: Option<Timestamp>,
}

impl Progress {
    /// Late firings of one schedule that are made up for in a row.
    pub const CATCH_UP_FIRINGS_MAX: usize = 100;
    /// Firings of one schedule that wait for the end of what runs.
    pub const QUEUED_MAX: usize = 100;
    /// Starts that are remembered to be shown.
    pub const LAST_MAX: usize = 5;
    /// Executions that are remembered as running: only those that were asked for by hand come to more than a few.
    pub const RUNNING_MAX: usize = 100;
    /// How often it is looked whether what queued firings wait for has ended.
    pub const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);

    /// Notes a start.
    pub fn started(&mut self, firing: Firing) {
        self.fired += 1;
        self.last.push_front(firing);
        self.last.truncate(Self::LAST_MAX);
        self.runs(firing.execution);
    }

    /// Notes that a firing could not start anything.
    pub fn could_not(&mut self, at: Timestamp, failure: Failure) {
        self.failed += 1;
        self.last_failure = Some(Failed { at, failure });
    }

    /// Notes that it runs.
    pub fn runs(&mut self, execution: ExecutionId) {
        self.running.push_back(execution);
        if self.running.len() > Self::RUNNING_MAX {
            self.running.pop_front();
        }
    }

    /// When to look next at a schedule.
    pub fn due_at(
        &self,
        (name, spec): (&Name, &ScheduleSpec),
        next_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let next = next_at.map(|at| spec.due(name, at));
        let look = (!self.queued.is_empty()).then(|| now + Self::LOOK_AGAIN_AFTER);
        next.into_iter().chain(look).min()
    }
}

/// Decides what the firings come to that are due by now. The caller starts what is to be started, and notes it.
pub fn turn(due: &Due<'_>, progress: &mut Progress) -> Turn {
    progress.running.retain(|execution| !due.over.contains(execution));
    let (come, next_at) = come(due, progress);
    if due.spec.overlap != Overlap::Queue {
        // What was queued under another policy will not begin any more.
        progress.skipped += count(progress.queued.len());
        progress.queued.clear();
    }
    let mut turn = Turn { next_at, ..Turn::default() };
    match due.spec.overlap {
        Overlap::Allow => {
            // Nobody asks for them: only the last one counts, should the policy change.
            progress.running.clear();
            turn.starts = come;
        }
        Overlap::Skip => turn.starts = first_if_idle(come, progress),
        Overlap::CancelPrevious => last_alone(&mut turn, &come, progress),
        Overlap::Queue => queue(&mut turn, come, progress),
    }
    turn.due_at = progress.due_at((due.name, due.spec), next_at, due.now);
    turn
}

/// The firings that are due and not too late, and the one after them.
fn come(due: &Due<'_>, progress: &mut Progress) -> (Vec<Timestamp>, Option<Timestamp>) {
    let Due { name, spec, now, .. } = *due;
    let mut come = Vec::new();
    let mut next = due.next_at;
    while let Some(at) = next.filter(|at| spec.due(name, *at) <= now) {
        let late_by = now.since(spec.due(name, at));
        if late_by > spec.catch_up {
            let window = now - spec.catch_up - spec.jitter - Duration::from_micros(1);
            next = spec.next_after(at.max(window));
            progress.misses(at, at.max(window));
        } else if come.len() == Progress::CATCH_UP_FIRINGS_MAX {
            // Those whose jitter is still to pass are not late.
            let until = at.max(now - spec.jitter);
            next = spec.next_after(until);
            progress.misses(at, until);
        } else {
            come.push(at);
            next = spec.next_after(at);
        }
    }
    (come, next)
}

impl Progress {
    /// What is missed one after the other is one gap.
    fn misses(&mut self, first: Timestamp, until: Timestamp) {
        let before =
            self.last_missed.filter(|missed| missed.until + Self::LOOK_AGAIN_AFTER >= first);
        let first = before.map_or(first, |missed| missed.first);
        self.last_missed = Some(Missed { first, until });
    }
}

fn first_if_idle(mut come: Vec<Timestamp>, progress: &mut Progress) -> Vec<Timestamp> {
    let room = usize::from(progress.running.is_empty());
    progress.skipped += count(come.len().saturating_sub(room));
    come.truncate(room);
    come
}

/// Whatever would be cancelled at once by the one after it is not started at all.
fn last_alone(turn: &mut Turn, come: &[Timestamp], progress: &mut Progress) {
    progress.skipped += count(come.len().saturating_sub(1));
    turn.starts.extend(come.last());
    if !turn.starts.is_empty() {
        turn.cancels.extend(progress.running.drain(..));
    }
}

fn queue(turn: &mut Turn, come: Vec<Timestamp>, progress: &mut Progress) {
    progress.queued.extend(come);
    if progress.running.is_empty() {
        turn.starts.extend(progress.queued.pop_front());
    }
    let beyond = progress.queued.len().saturating_sub(Progress::QUEUED_MAX);
    progress.queued.truncate(Progress::QUEUED_MAX);
    progress.skipped += count(beyond);
}

fn count(firings: usize) -> u64 {
    u64::try_from(firings).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
