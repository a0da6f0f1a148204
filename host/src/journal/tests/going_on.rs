//! A run that was blocked has not ended: the next one goes on with what it started.

use super::super::{Admission, Arrival, Command, Effect, Replay, RunReason, effective, plan};
use super::receiving::Told;
use super::reviving::{ends, fails, revived};
use super::{at, call, json, name};
use crate::model::{ChildOptions, ExecutionId, Promise, Run, StepUsage};

fn child() -> Command {
    let options = ChildOptions::default();
    Command::StartChild { workflow: name("child"), input: json(1), options }
}

fn begun(replay: &mut Replay) -> Vec<ExecutionId> {
    let effects = replay.take_effects().into_iter();
    let children = effects.filter_map(|effect| match effect {
        Effect::Child { child, .. } => Some(child),
        Effect::Call { .. } => None,
    });
    children.collect()
}

/// Brings what a child says that reports to `run`.
fn reports(replay: &mut Replay, run: u32) -> bool {
    let (run, promise, outcome) = (Run(run), Promise(0), Ok(json(1)));
    let usage = StepUsage::default();
    let settled = Arrival::Settled { run, promise, outcome, usage, attempt: 0 };
    matches!(replay.admit(settled, at(0)), Admission::Recorded(_))
}

#[test]
fn an_open_child_of_a_blocked_run_is_not_started_again_and_is_heard() {
    for why in [RunReason::Retry, RunReason::Upgrade] {
        let mut told = Told::new();
        told.issue(child());
        told.issue(call("a"));
        let mut entries = told.journal();
        for run in 1..=2 {
            let revival = plan(&effective(entries.clone()), why, None).unwrap();
            let (all, mut replay) = revived(entries, why, revival);
            entries = all;
            replay.issue(child(), at(0)).unwrap();
            replay.issue(call("a"), at(0)).unwrap();

            assert_eq!(begun(&mut replay), [], "run {run}");
            assert!(replay.awaits(Promise(0)));
            assert!(reports(&mut replay, 0));
        }
    }
}

#[test]
fn once_a_run_has_ended_its_children_are_started_anew_whoever_started_them() {
    let mut told = Told::new();
    told.issue(child());
    told.issue(call("a"));
    let first = begun(&mut told.replay);
    let revival = plan(&told.journal(), RunReason::Retry, None).unwrap();
    let (entries, mut replay) = revived(told.entries, RunReason::Retry, revival);
    replay.issue(child(), at(0)).unwrap();
    replay.issue(call("a"), at(0)).unwrap();
    let mut told = Told { replay, entries, now: at(1_000) };
    fails(&mut told, 1);
    told.replay.next().unwrap();
    let entries = ends(&mut told);

    let revival = plan(&effective(entries.clone()), RunReason::Retry, None).unwrap();
    let (_, mut replay) = revived(entries, RunReason::Retry, revival);
    replay.issue(child(), at(0)).unwrap();

    let again = begun(&mut replay);
    assert_eq!((first.len(), again.len()), (1, 1));
    assert_ne!(first, again);
    assert!(!reports(&mut replay, 0) && !reports(&mut replay, 1) && reports(&mut replay, 2));
}
