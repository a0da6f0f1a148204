//! Journals that are taken back to an earlier entry.

use proptest::prelude::*;

use super::super::{
    Arrival, Body, Command, Effect, Ended, Entry, Event, Replay, Revival, RunEntry, RunReason,
    WentOn, effective, plan,
};
use super::life::{go_on, live, settled};
use super::program::{Program, programs};
use super::receiving::Told;
use super::world::{World, choices};
use super::{at, call, cases, execution, json, limits};
use crate::model::{
    ExecutionState, Failure, ModuleDigest, Note, Outcome, Promise, Run, Seq, StepUsage,
};

/// Promises with a result in these entries.
fn results(entries: &[Entry]) -> Vec<(Promise, Outcome)> {
    let results = entries.iter().filter_map(|entry| match &entry.body {
        Body::Event(Event::Settled { promise, outcome, .. }) if outcome.is_ok() => {
            Some((*promise, outcome.clone()))
        }
        _ => None,
    });
    results.collect()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_retry_keeps_results_and_signals_and_sees_the_same_up_to_where_it_goes_back(
        program in programs(),
        choices in choices(),
        later in choices(),
    ) {
        let program = Program { runs_max: 0, ..program };
        let life = live(&program, World::new(choices));
        let before = life.world.effective();
        let revival = plan(&before, RunReason::Retry, None).unwrap();
        let (from, first_undone) = (revival.from, revival.first_undone);
        let mut world = life.world;
        world.revive(RunReason::Retry, revival, later);
        let now = world.effective();

        let kept: Vec<_> =
            results(&before).into_iter().filter(|(promise, _)| *promise < first_undone).collect();
        prop_assert_eq!(results(&now), kept);
        let mut replay = Replay::new(execution(), Run(1), now.clone(), &limits()).unwrap();
        let mut guest = super::guest::Guest::new(&program);
        guest.run(&mut replay, at(0));
        let done = settled(&now);
        for effect in replay.take_effects() {
            let (Effect::Call { promise, .. } | Effect::Child { promise, .. }) = effect;
            prop_assert!(!done.contains(&promise));
        }
        let seen = before.iter().filter(|entry| entry.seq <= from).cloned().collect();
        let mut short = Replay::new(execution(), Run(0), seen, &limits()).unwrap();
        let mut short_guest = super::guest::Guest::new(&program);
        short_guest.run(&mut short, at(0));
        super::rules::same_as_far_as_both_go(&short_guest.transcript, &guest.transcript);
        super::rules::same_as_far_as_both_go(&short_guest.transcript, &life.transcript);

        go_on(&program, world, guest.transcript);
    }

    #[test]
    fn effective_entries_are_in_order_and_taking_them_again_changes_nothing(
        program in programs(),
        choices in choices(),
    ) {
        let life = live(&program, World::new(choices));

        let once = effective(life.world.journal());

        prop_assert!(once.windows(2).all(|two| two[0].seq < two[1].seq));
        prop_assert_eq!(effective(once.clone()), once);
    }
}

pub(super) fn fails(told: &mut Told, promise: u32) {
    let (run, outcome) = (told.replay.run(), Err(Failure::new("declined", "no")));
    let (promise, usage) = (Promise(promise), StepUsage::default());
    told.admit(Arrival::Settled { run, promise, outcome, usage, attempt: 3 });
}

fn run_entry(from: Seq, why: RunReason) -> Body {
    let module = ModuleDigest::of(b"module");
    Body::Run(RunEntry { from, why, module, signal_ids: Vec::new(), redrive: None })
}

/// The journal after a revival, and the replay of its next run.
pub(super) fn revived(
    mut entries: Vec<Entry>,
    why: RunReason,
    revival: Revival,
) -> (Vec<Entry>, Replay) {
    let run = entries.last().unwrap().run.next();
    let mut noted = revival.noted;
    for body in std::iter::once(run_entry(revival.from, why)).chain(revival.carried) {
        let seq = entries.last().unwrap().seq.next();
        entries.push(Entry { seq, run, recorded_at: at(900), noted, body });
        noted = 0;
    }
    let effective = effective(entries.clone());
    let replay = Replay::new(execution(), run, effective, &limits()).unwrap();
    (entries, replay)
}

pub(super) fn ends(told: &mut Told) -> Vec<Entry> {
    told.replay.stop_all();
    told.replay.end(Err(Failure::new("declined", "no")), 0, told.now);
    told.journal()
}

#[test]
fn a_retry_goes_back_to_the_last_failure_and_keeps_later_results_and_signals() {
    let mut told = Told::new();
    told.issue(call("a"));
    told.issue(call("b"));
    fails(&mut told, 0);
    told.settles(1);
    told.signal("s");
    told.replay.next().unwrap();
    told.replay.next().unwrap();
    let entries = ends(&mut told);

    let revival = plan(&entries, RunReason::Retry, None).unwrap();

    assert_eq!((revival.from, revival.first_undone), (Seq(3), Promise(2)));
    assert_eq!(revival.carried.len(), 2);
    let (_, mut replay) = revived(entries, RunReason::Retry, revival);
    replay.issue(call("a"), at(0)).unwrap();
    replay.issue(call("b"), at(0)).unwrap();
    let effects = replay.take_effects();
    assert!(matches!(
        effects.as_slice(),
        [Effect::Call { promise: Promise(0), run: Run(1), again: true, .. }]
    ));
}

#[test]
fn what_was_called_before_the_failure_reached_the_guest_is_not_called_again() {
    let mut told = Told::new();
    told.issue(call("a"));
    told.issue(call("b"));
    told.settles(0);
    fails(&mut told, 1);
    told.expect(0, "done");
    told.issue(call("c"));
    told.replay.next().unwrap();
    told.settles(2);
    told.expect(2, "done");
    let entries = ends(&mut told);

    let revival = plan(&entries, RunReason::Retry, None).unwrap();

    assert_eq!(revival.first_undone, Promise(3));
    let (_, mut replay) = revived(entries, RunReason::Retry, revival);
    replay.issue(call("a"), at(0)).unwrap();
    replay.issue(call("b"), at(0)).unwrap();
    replay.next().unwrap();
    replay.issue(call("c"), at(0)).unwrap();
    let effects = replay.take_effects();
    assert!(
        matches!(effects.as_slice(), [Effect::Call { promise: Promise(1), .. }]),
        "{effects:?}"
    );
    assert!(!replay.has_pending());
}

#[test]
fn a_retry_draws_the_same_randomness() {
    let mut told = Told::new();
    let drawn = told.replay.random(16);
    told.issue(call("a"));
    fails(&mut told, 0);
    told.replay.next().unwrap();
    let entries = ends(&mut told);
    let revival = plan(&entries, RunReason::Retry, None).unwrap();

    let (_, mut replay) = revived(entries, RunReason::Retry, revival);

    assert_eq!(replay.run(), Run(1));
    assert_eq!(replay.random(16), drawn);
}

#[test]
fn a_retry_does_not_take_notes_again_that_came_before_the_failure() {
    let note = |text: &str| Note::Counter { name: super::name(text), amount: 1 };
    let mut told = Told::new();
    told.issue(call("a"));
    told.replay.note(note("before"));
    fails(&mut told, 0);
    told.replay.next().unwrap();
    told.journal();
    told.replay.note(note("after"));
    let entries = ends(&mut told);
    let revival = plan(&entries, RunReason::Retry, None).unwrap();
    assert_eq!(revival.noted, 1);

    let (_, mut replay) = revived(entries, RunReason::Retry, revival);
    replay.note(note("before"));
    replay.note(note("instead"));

    assert_eq!(replay.take_pending(at(0)).notes, [note("instead")]);
}

#[test]
fn what_has_not_ended_goes_on_from_where_it_stands() {
    let mut told = Told::new();
    told.issue(call("a"));
    fails(&mut told, 0);
    told.replay.next().unwrap();
    told.issue(call("b"));
    let entries = told.journal();

    let revival = plan(&entries, RunReason::Retry, None).unwrap();

    assert_eq!((revival.from, revival.carried), (Seq(4), Vec::new()));
}

#[test]
fn a_retry_of_what_was_cancelled_goes_back_to_before_the_request() {
    let mut told = Told::new();
    told.issue(call("a"));
    told.issue(call("b"));
    fails(&mut told, 1);
    told.replay.next().unwrap();
    told.admit(Arrival::Expired);
    told.replay.next().unwrap();
    let entries = ends(&mut told);

    let revival = plan(&entries, RunReason::Retry, None).unwrap();

    assert_eq!((revival.from, revival.carried.len()), (Seq(4), 0));
    let (_, replay) = revived(entries, RunReason::Retry, revival);
    assert!(!replay.is_asked_to_end());
}

#[test]
fn a_redrive_goes_back_to_the_step_whose_failure_ended_it() {
    let mut told = Told::new();
    told.issue(call("a"));
    told.issue(call("b"));
    fails(&mut told, 0);
    told.replay.next().unwrap();
    told.cancel(&[1]);
    let entries = ends(&mut told);

    let revival = plan(&entries, RunReason::Redrive, Some(Promise(0))).unwrap();

    assert_eq!(revival.from, Seq(3));
    assert_eq!(plan(&entries, RunReason::Redrive, Some(Promise(1))), Err(WentOn));
}

#[test]
fn a_redrive_is_refused_where_the_workflow_went_on() {
    let mut told = Told::new();
    told.issue(call("a"));
    fails(&mut told, 0);
    told.replay.next().unwrap();
    told.issue(call("instead"));
    let entries = ends(&mut told);
    assert_eq!(plan(&entries, RunReason::Redrive, Some(Promise(0))), Err(WentOn));

    let mut told = Told::new();
    told.issue(call("a"));
    fails(&mut told, 0);
    told.replay.next().unwrap();
    told.replay.end(Ok(json("without it")), 0, told.now);
    assert_eq!(plan(&told.journal(), RunReason::Redrive, Some(Promise(0))), Err(WentOn));
}

#[test]
fn several_runs_in_one_journal_supersede_one_after_the_other() {
    let ended = Body::Ended(Ended {
        state: ExecutionState::Failed,
        outcome: Err(Failure::new("declined", "no")),
        fuel: 0,
        unreceived: 0,
    });
    let mut told = Told::new();
    told.issue(call("a"));
    fails(&mut told, 0);
    told.replay.next().unwrap();
    let mut entries = ends(&mut told);
    for run in 1..=3 {
        let revival = plan(&effective(entries.clone()), RunReason::Retry, None).unwrap();
        let (all, mut replay) = revived(entries, RunReason::Retry, revival);
        entries = all;
        replay.issue(call("a"), at(0)).unwrap();
        let effects = replay.take_effects();
        assert!(matches!(effects.as_slice(), [Effect::Call { run: Run(of), .. }] if *of == run));
        let usage = StepUsage::default();
        let outcome = Err(Failure::new("declined", "again"));
        replay.admit(
            Arrival::Settled { run: Run(run), promise: Promise(0), outcome, usage, attempt: 1 },
            at(0),
        );
        entries.extend(replay.take_pending(at(0)).entries);
        let seq = entries.last().unwrap().seq.next();
        let body = ended.clone();
        entries.push(Entry { seq, run: Run(run), recorded_at: at(900), noted: 0, body });
    }

    let counting: Vec<_> = effective(entries).iter().map(|entry| entry.seq.0).collect();

    assert_eq!(counting, [1, 2, 5, 8, 11, 12, 13]);
}

#[test]
fn a_child_that_was_stopped_with_its_run_is_another_one_in_the_next_and_a_detached_one_is_the_same()
{
    let child = |detached: bool| Command::StartChild {
        workflow: super::name("child"),
        input: json(1),
        options: crate::model::ChildOptions { detached, ..Default::default() },
    };
    let mut told = Told::new();
    told.issue(child(false));
    told.issue(child(true));
    told.issue(call("a"));
    let first: Vec<_> = told.replay.take_effects();
    fails(&mut told, 2);
    told.replay.next().unwrap();
    let mut entries = ends(&mut told);
    for run in 1..=2 {
        let revival = plan(&effective(entries.clone()), RunReason::Retry, None).unwrap();
        let (all, mut replay) = revived(entries, RunReason::Retry, revival);
        entries = all;
        replay.issue(child(false), at(0)).unwrap();
        replay.issue(child(true), at(0)).unwrap();
        replay.issue(call("a"), at(0)).unwrap();

        let ids = |effects: &[Effect]| -> Vec<_> {
            let ids = effects.iter().filter_map(|effect| match effect {
                Effect::Child { child, run, .. } => Some((*child, *run)),
                Effect::Call { .. } => None,
            });
            ids.collect()
        };
        let (first, now) = (ids(&first), ids(&replay.take_effects()));
        assert_ne!(now[0].0, first[0].0);
        assert_eq!(now[0].1, Run(run));
        assert_eq!(now[1], first[1]);
        assert!(replay.awaits(Promise(1)));
        let (outcome, usage) = (Ok(json(1)), StepUsage::default());
        let settled =
            Arrival::Settled { run: Run(0), promise: Promise(1), outcome, usage, attempt: 0 };
        let admission = replay.admit(settled, at(0));
        assert!(matches!(admission, super::super::Admission::Recorded(_)), "run {run}");
        let seq = entries.last().unwrap().seq.next();
        let body = Body::Ended(Ended {
            state: ExecutionState::Failed,
            outcome: Err(Failure::new("declined", "no")),
            fuel: 0,
            unreceived: 0,
        });
        entries.push(Entry { seq, run: Run(run), recorded_at: at(900), noted: 0, body });
    }
}
