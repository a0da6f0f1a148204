//! How a journal is taken back to an earlier entry, so that an execution that ended badly goes on from there.

use std::collections::HashSet;

use super::entry::{Body, Entry, Event, Recorded, RunReason};
use crate::model::{Promise, Seq};

/// Drops what a later `run` entry has superseded. The entries stay in order; each `run` entry itself stays.
pub fn effective(entries: Vec<Entry>) -> Vec<Entry> {
    let mut kept: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries {
        if let Body::Run(run) = &entry.body {
            let last = kept.partition_point(|earlier| earlier.seq <= run.from);
            kept.truncate(last);
        }
        kept.push(entry);
    }
    kept
}

/// Where the next run goes on from.
#[derive(Debug, Clone, PartialEq)]
pub struct Revival {
    /// The last entry that still counts.
    pub from: Seq,
    /// Events beyond `from` that are recorded again behind the `run` entry: results that need not be worked out again, and
    /// signals, none of which may be lost.
    pub carried: Vec<Body>,
}

/// The workflow handled the failure and went on: going back would undo what it did since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the workflow went on after this failure")]
pub struct WentOn;

/// Plans the next run over the effective entries of an execution that has ended, or is blocked.
///
/// A retry goes back to before the last failed settlement, or before the request that ended it; where there is neither, to
/// before the end, and the same code will end the same. A redrive goes back to before the settlement of `promise`.
pub fn plan(
    entries: &[Entry],
    why: RunReason,
    promise: Option<Promise>,
) -> Result<Revival, WentOn> {
    let undone = match why {
        RunReason::Redrive => Some(redriven(entries, promise).ok_or(WentOn)?),
        RunReason::Retry => retried(entries),
        RunReason::Upgrade | RunReason::ContinueAsNew => None,
    };
    let end = entries.iter().position(|entry| matches!(entry.body, Body::Ended(_)));
    let cut = undone.or(end).unwrap_or(entries.len());
    let from = cut.checked_sub(1).map_or(Seq(0), |last| entries[last].seq);
    let kept: HashSet<Promise> = entries[..cut].iter().flat_map(created).collect();
    let carried = entries[cut..].iter().filter(|entry| is_carried(entry, &kept));
    Ok(Revival { from, carried: carried.map(|entry| entry.body.clone()).collect() })
}

fn retried(entries: &[Entry]) -> Option<usize> {
    let asked = entries.iter().position(|entry| {
        matches!(entry.body, Body::Event(Event::CancelRequested { .. } | Event::Expired))
    });
    asked.or_else(|| entries.iter().rposition(has_failed))
}

/// The failed settlement of `promise`, if nothing but cancels and the end came of it.
fn redriven(entries: &[Entry], promise: Option<Promise>) -> Option<usize> {
    let place = entries.iter().position(|entry| {
        has_failed(entry)
            && matches!(&entry.body, Body::Event(Event::Settled { promise: of, .. }) if Some(*of) == promise)
    })?;
    let failed = entries[place..].iter().any(|entry| {
        matches!(&entry.body, Body::Ended(ended) if ended.state == crate::model::ExecutionState::Failed)
    });
    let went_on = entries[place..].iter().any(|entry| match &entry.body {
        Body::Command(command) => {
            command.after >= entries[place].seq
                && !matches!(command.command, Recorded::Cancel { .. })
        }
        Body::Started(_) | Body::Run(_) | Body::Ended(_) | Body::Noted | Body::Event(_) => false,
    });
    (failed && !went_on).then_some(place)
}

fn has_failed(entry: &Entry) -> bool {
    matches!(&entry.body, Body::Event(Event::Settled { outcome: Err(_), .. }))
}

fn created(entry: &Entry) -> Vec<Promise> {
    match &entry.body {
        Body::Command(entry) => entry.command.promises_created().collect(),
        Body::Started(_) | Body::Run(_) | Body::Ended(_) | Body::Noted | Body::Event(_) => {
            Vec::new()
        }
    }
}

fn is_carried(entry: &Entry, kept: &HashSet<Promise>) -> bool {
    match &entry.body {
        Body::Event(Event::Received { .. }) => true,
        Body::Event(Event::Settled { promise, outcome: Ok(_), .. } | Event::Fired { promise }) => {
            kept.contains(promise)
        }
        Body::Event(
            Event::Settled { outcome: Err(_), .. } | Event::CancelRequested { .. } | Event::Expired,
        )
        | Body::Started(_)
        | Body::Run(_)
        | Body::Ended(_)
        | Body::Noted
        | Body::Command(_) => false,
    }
}
