//! A workflow that does something else than its journal says is stopped at the entry, with both sides named.

use proptest::prelude::*;

use super::super::{Body, Command, Divergence, Entry, Halt, Next, Replay};
use super::guest::{Change, Guest, Stopped};
use super::life::{Life, live};
use super::program::{Op, Program, programs};
use super::receiving::Told;
use super::world::{World, choices};
use super::{at, call, cases, execution, json, limits, name};
use crate::model::{CallOptions, Promise, Seq};

fn commands(entries: &[Entry]) -> Vec<Seq> {
    let commands = entries.iter().filter(|entry| matches!(entry.body, Body::Command(_)));
    commands.map(|entry| entry.seq).collect()
}

/// Programs that call something in any case.
fn calling_programs() -> impl Strategy<Value = Program> {
    programs().prop_map(|mut program| {
        program.script.insert(0, Op::Call(0));
        program
    })
}

/// Runs the changed program over the journal of a life, up to the end of what was recorded.
fn run_changed(life: &Life, change: Change) -> (Stopped, Guest) {
    let mut replay = life.world.claim();
    let mut guest = Guest::changed(&life.program, change);
    let stopped = guest.run(&mut replay, at(0));
    (stopped, guest)
}

fn divergence(stopped: Stopped) -> Option<Divergence> {
    match stopped {
        Stopped::Halted(Halt::Diverged(divergence)) => Some(divergence),
        Stopped::Halted(Halt::Exceeded(_)) | Stopped::Waits | Stopped::Returned(_) => None,
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn a_changed_call_is_reported_as_recorded_versus_asked(
        program in calling_programs(),
        choices in choices(),
        nth in any::<prop::sample::Index>(),
    ) {
        let life = live(&program, World::new(choices));
        let commands = commands(&life.world.effective());
        let nth = nth.index(commands.len());

        let (stopped, _guest) = run_changed(&life, Change::Another(nth));

        let found = divergence(stopped).expect("it diverges");
        prop_assert_eq!(found.seq, commands[nth]);
        prop_assert!(found.asked.starts_with("issued a call of changed"), "{found}");
        prop_assert!(!found.recorded.contains("changed"), "{found}");
    }

    #[test]
    fn an_added_call_is_reported_against_the_entry_in_whose_place_it_came(
        program in calling_programs(),
        choices in choices(),
        nth in any::<prop::sample::Index>(),
    ) {
        let life = live(&program, World::new(choices));
        let commands = commands(&life.world.effective());
        let nth = nth.index(commands.len());

        let (stopped, _guest) = run_changed(&life, Change::Added(nth));

        let found = divergence(stopped).expect("it diverges");
        prop_assert_eq!(found.seq, commands[nth]);
    }

    #[test]
    fn a_dropped_command_is_divergence_at_its_entry_or_where_the_next_one_differs(
        program in calling_programs(),
        choices in choices(),
        nth in any::<prop::sample::Index>(),
    ) {
        let life = live(&program, World::new(choices));
        let commands = commands(&life.world.effective());
        let nth = nth.index(commands.len());

        let (stopped, _guest) = run_changed(&life, Change::Dropped(nth));

        let found = divergence(stopped).expect("it diverges");
        prop_assert!(found.seq >= commands[nth], "{found}");
    }

    /// Behind a bound receive or an expanded cancel the command still comes after the same event: then nothing differs.
    #[test]
    fn a_command_at_another_place_is_divergence_or_makes_no_difference(
        program in calling_programs(),
        choices in choices(),
        nth in any::<prop::sample::Index>(),
    ) {
        let life = live(&program, World::new(choices));
        let commands = commands(&life.world.effective());
        let nth = nth.index(commands.len());

        let (stopped, _guest) = run_changed(&life, Change::Later(nth));

        let after = |seq: Seq| life.world.effective().iter().find_map(|entry| match &entry.body {
            Body::Command(command) if entry.seq == seq => Some(command.after),
            _ => None,
        });
        match divergence(stopped) {
            Some(found) => prop_assert!(found.seq >= commands[nth], "{found}"),
            None => prop_assert!(
                commands.get(nth + 1).is_none_or(|next| after(*next) >= after(commands[nth]))
            ),
        }
    }
}

/// A journal in which `first` is called, settles, and then `second` is called.
fn two_calls() -> Vec<Entry> {
    let mut told = Told::new();
    told.issue(call("first"));
    told.settles(0);
    told.expect(0, "done");
    told.issue(call("second"));
    told.journal()
}

fn replay(entries: Vec<Entry>) -> Replay {
    Replay::new(execution(), crate::model::Run(0), entries, &limits()).unwrap()
}

#[test]
fn another_input_is_named_by_its_hash() {
    let mut replay = replay(two_calls());
    let changed = Command::Call {
        step: name("first"),
        input: json("other"),
        options: CallOptions::default(),
    };

    let Err(Halt::Diverged(found)) = replay.issue(changed, at(0)) else { panic!("no divergence") };

    assert_eq!(found.seq, Seq(2));
    assert!(found.recorded.starts_with("a call of first with input "), "{found}");
    assert!(found.asked.starts_with("issued a call of first with input "), "{found}");
    assert_ne!(found.asked, format!("issued {}", found.recorded));
}

#[test]
fn a_command_that_comes_before_its_event_is_elsewhere() {
    let mut replay = replay(two_calls());
    replay.issue(call("first"), at(0)).unwrap();

    let Err(Halt::Diverged(found)) = replay.issue(call("second"), at(0)) else {
        panic!("no divergence")
    };

    assert_eq!(found.seq, Seq(4));
    assert!(found.recorded.ends_with("after event 3"), "{found}");
    assert_eq!(found.asked, "did it after event 1");
}

#[test]
fn a_command_that_does_not_come_before_next_is_left_over() {
    let mut replay = replay(two_calls());
    replay.issue(call("first"), at(0)).unwrap();
    assert!(matches!(replay.next(), Ok(Next::Settled(Promise(0), Ok(_)))));
    replay.issue(Command::Sleep { milliseconds: 1 }, at(0)).unwrap_err();
}

#[test]
fn what_is_left_over_on_return_is_divergence() {
    let mut replay = replay(two_calls());
    replay.issue(call("first"), at(0)).unwrap();
    replay.next().unwrap();

    let found = replay.finish().unwrap_err();

    assert_eq!((found.seq, found.asked.as_str()), (Seq(4), "returned instead"));
}

#[test]
fn waiting_before_the_first_recorded_command_is_divergence() {
    let mut told = Told::new();
    told.issue(call("first"));
    told.issue(call("second"));
    told.settles(0);
    let mut replay = replay(told.journal());
    replay.issue(call("first"), at(0)).unwrap();

    let found = replay.next().unwrap_err();

    assert_eq!((found.seq, found.asked.as_str()), (Seq(3), "waited instead"));
}

#[test]
fn a_guest_that_has_nothing_to_wait_for_may_go_on() {
    let mut told = Told::new();
    told.expect_nothing();
    told.issue(call("first"));
    let mut replay = replay(told.journal());

    assert_eq!(replay.next(), Ok(Next::Nothing));
    replay.issue(call("first"), at(0)).unwrap();
    assert_eq!(replay.next(), Ok(Next::Wait));
}
