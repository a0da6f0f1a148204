//! What must be true of every transcript and of every journal.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::super::{Body, Command, Entry, Event, Recorded};
use super::guest::{Line, count};
use super::life::settled;
use crate::model::{Promise, Seq, Timestamp, kind};

/// An earlier life of the same run saw the same, as far as both go.
pub(super) fn same_as_far_as_both_go(before: &[Line], now: &[Line]) {
    for (nth, (before, now)) in before.iter().zip(now).enumerate() {
        assert_eq!(before, now, "line {nth} of the transcript");
    }
}

/// Each promise settles at most once, none that was cancelled settles, and a request to end settles exactly what is open.
pub(super) fn transcript(lines: &[Line]) {
    let mut open = BTreeSet::new();
    let mut ending: Option<VecDeque<Promise>> = None;
    let mut last = Timestamp::default();
    for line in lines {
        match line {
            Line::Issued(_, Command::Cancel { promises }) => {
                open.retain(|promise| !promises.contains(promise));
            }
            Line::Issued(first, command) => {
                open.extend((first.0..first.0 + count(command)).map(Promise));
            }
            Line::Settled(promise, outcome, at) => {
                assert!(*at >= last, "time ran backwards");
                last = *at;
                let is_end = outcome.as_ref().is_err_and(|failure| {
                    failure.kind == kind::CANCELLED || failure.kind == kind::TIMED_OUT
                });
                if is_end && ending.is_none() {
                    ending = Some(open.iter().copied().collect());
                }
                let due = ending.as_mut().and_then(|due| {
                    due.retain(|promise| open.contains(promise));
                    due.pop_front()
                });
                assert_eq!(is_end, due.is_some(), "{promise} settled as {outcome:?}");
                assert!(due.is_none_or(|due| due == *promise), "the lowest open one comes first");
                assert!(open.remove(promise), "{promise} was not open");
            }
            Line::Read(..) | Line::Drew(_) => {}
        }
    }
}

/// No gap, no time that runs backwards, no timer that fires early, no promise that settles twice.
pub(super) fn journal(all: &[Entry], effective: &[Entry]) {
    for (entry, expected) in all.iter().zip(1..) {
        assert_eq!(entry.seq, Seq(expected));
    }
    assert!(all.windows(2).all(|two| two[0].recorded_at <= two[1].recorded_at));
    let settled = settled(effective);
    let distinct: BTreeSet<_> = settled.iter().collect();
    assert_eq!(settled.len(), distinct.len(), "settled twice: {settled:?}");
    let mut due = BTreeMap::new();
    for entry in effective {
        match &entry.body {
            Body::Command(command) => {
                assert!(command.after < entry.seq);
                if let Recorded::Sleep { promise, due: at, .. } = &command.command {
                    due.insert(*promise, *at);
                }
            }
            Body::Event(Event::Fired { promise }) => {
                assert!(due[promise] <= entry.recorded_at, "{promise} fired early");
            }
            Body::Event(_) | Body::Started(_) | Body::Run(_) | Body::Ended(_) | Body::Noted => {}
        }
    }
}
