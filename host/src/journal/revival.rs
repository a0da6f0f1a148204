//! How a journal is taken back to an earlier entry, so that an execution that ended badly goes on from there.

use std::collections::HashSet;

use super::entry::{Body, Entry, Event, Recorded, RunReason};
use crate::model::{Promise, Seq};

/// Drops what a later `run` entry has superseded. The entries stay in order; each `run` entry itself stays.
pub fn effective(entries: Vec<Entry>) -> Vec<Entry> {
    let mut kept: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries {
        if let Body::Run(run) = &entry.body {
            kept.retain(|earlier| still_counts(earlier, run.from));
        }
        kept.push(entry);
    }
    kept
}

/// A command that came after an event that counts does so too, even where it was written behind `from`: several events can
/// be durable before the guest is given the first of them. The guest will do it again in any case, and what it called then
/// need not be called twice.
fn still_counts(entry: &Entry, from: Seq) -> bool {
    match &entry.body {
        Body::Command(command) => command.after <= from,
        Body::Started(_) | Body::Run(_) | Body::Ended(_) | Body::Noted | Body::Event(_) => {
            entry.seq <= from
        }
    }
}

/// Where the next run goes on from.
#[derive(Debug, Clone, PartialEq)]
pub struct Revival {
    /// The last entry that still counts; of what lies beyond, only commands that came after one that counts do.
    pub from: Seq,
    /// How many notes were durable before `from`'s successor reached the guest: what the `run` entry has to hold as its
    /// `noted`, so that they are not taken again.
    pub noted: u64,
    /// The first promise that no longer counts.
    pub first_undone: Promise,
    /// Promises whose failure still counts: the workflow has handled it.
    pub still_failed: HashSet<Promise>,
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
/// before the end, and the same code will end the same. What has not ended goes on from where it stands. A redrive goes back to before the settlement of `promise`.
pub fn plan(
    entries: &[Entry],
    why: RunReason,
    promise: Option<Promise>,
) -> Result<Revival, WentOn> {
    let end = entries.iter().position(|entry| matches!(entry.body, Body::Ended(_)));
    let undone = match why {
        RunReason::Redrive => Some(redriven(entries, promise).ok_or(WentOn)?),
        RunReason::Retry => end.and_then(|_ended| retried(entries)),
        RunReason::Upgrade | RunReason::ContinueAsNew => None,
    };
    let cut = undone.or(end).unwrap_or(entries.len());
    let from = cut.checked_sub(1).map_or(Seq(0), |last| entries[last].seq);
    let counting = || entries.iter().filter(|entry| still_counts(entry, from));
    let kept: HashSet<Promise> = counting().flat_map(created).collect();
    let first_undone = kept.iter().max().map_or(Promise(0), |last| last.next());
    let noted = counting().chain(entries.get(cut)).map(|entry| entry.noted).max().unwrap_or(0);
    let carried = entries[cut..].iter().filter(|entry| is_carried(entry, &kept));
    let carried = carried.map(|entry| entry.body.clone()).collect();
    let still_failed = counting().filter_map(failed).collect();
    Ok(Revival { from, noted, first_undone, still_failed, carried })
}

fn retried(entries: &[Entry]) -> Option<usize> {
    let asked = entries.iter().position(|entry| {
        matches!(entry.body, Body::Event(Event::CancelRequested { .. } | Event::Expired))
    });
    asked.or_else(|| entries.iter().rposition(|entry| failed(entry).is_some()))
}

/// The failed settlement of `promise`, if nothing but cancels and the end came of it.
fn redriven(entries: &[Entry], promise: Option<Promise>) -> Option<usize> {
    let place = entries.iter().position(|entry| promise.is_some() && failed(entry) == promise)?;
    let has_failed = entries[place..].iter().any(|entry| {
        matches!(&entry.body, Body::Ended(ended) if ended.state == crate::model::ExecutionState::Failed)
    });
    let went_on = entries[place..].iter().any(|entry| match &entry.body {
        Body::Command(command) => {
            command.after >= entries[place].seq
                && !matches!(command.command, Recorded::Cancel { .. })
        }
        Body::Started(_) | Body::Run(_) | Body::Ended(_) | Body::Noted | Body::Event(_) => false,
    });
    (has_failed && !went_on).then_some(place)
}

/// What has failed by this entry.
fn failed(entry: &Entry) -> Option<Promise> {
    match &entry.body {
        Body::Event(Event::Settled { promise, outcome: Err(_), .. }) => Some(*promise),
        Body::Started(_)
        | Body::Run(_)
        | Body::Ended(_)
        | Body::Noted
        | Body::Command(_)
        | Body::Event(_) => None,
    }
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
