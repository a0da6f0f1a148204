//! Properties of every program in every world.

use proptest::prelude::*;

use super::super::{Body, CommandEntry, Effect, Entry, Recorded, Replay, encode};
use super::guest::{Guest, Stopped};
use super::life::{go_on, live, settled};
use super::program::{Program, programs};
use super::world::{World, choices};
use super::{at, cases, execution, limits};
use crate::model::Timestamp;

fn replay_of(entries: Vec<Entry>, like: &World) -> Replay {
    Replay::new(execution(), like.run, entries, &limits()).unwrap()
}

/// The commands among entries, each as its bytes, without their places and without what replay does not compare.
fn commands(entries: &[Entry]) -> Vec<super::super::Encoded> {
    let commands = entries.iter().filter_map(|entry| match &entry.body {
        Body::Command(command) => Some((entry, command.clone())),
        _ => None,
    });
    let bare = commands.map(|(entry, mut command)| {
        if let Recorded::Sleep { due, .. } = &mut command.command {
            *due = Timestamp::default();
        }
        let body = Body::Command(CommandEntry { after: command.after, ..command });
        encode(&Entry { noted: 0, body, ..entry.clone() })
    });
    bare.collect()
}

fn promise_of(effect: &Effect) -> crate::model::Promise {
    match effect {
        Effect::Call { promise, .. } | Effect::Child { promise, .. } => *promise,
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn every_note_is_kept_once(program in programs(), choices in choices()) {
        let life = live(&program, World::new(choices));

        prop_assert_eq!(life.world.noted, life.said);
    }

    #[test]
    fn replaying_what_was_recorded_performs_nothing_and_ends_the_same(
        program in programs(),
        choices in choices(),
    ) {
        let life = live(&program, World::new(choices));
        let mut replay = life.world.claim();
        let mut again = Guest::new(&life.program);

        let stopped = again.run(&mut replay, at(0));

        prop_assert!(matches!(stopped, Stopped::Returned(_)), "{stopped:?}");
        prop_assert_eq!(&again.transcript, &life.transcript);
        prop_assert!(!replay.has_pending());
        let settled = life.settled();
        for effect in replay.take_effects() {
            prop_assert!(!settled.contains(&promise_of(&effect)), "{effect:?}");
            prop_assert!(matches!(effect, Effect::Call { again: true, .. }), "{effect:?}");
        }
        prop_assert_eq!(replay.recorded_end(), Some(&life.ended));
        let Stopped::Returned(returned) = stopped else { unreachable!() };
        replay.stop_all();
        prop_assert_eq!(replay.end(returned, 0, at(0)), life.ended);
    }

    #[test]
    fn any_prefix_of_a_journal_can_be_continued(
        program in programs(),
        choices in choices(),
        cut in any::<prop::sample::Index>(),
        later in choices(),
    ) {
        let program = Program { runs_max: 0, ..program };
        let life = live(&program, World::new(choices));
        let journal = life.world.journal();
        let prefix = &journal[..=cut.index(journal.len() - 1)];
        prop_assume!(!matches!(prefix.last().unwrap().body, Body::Ended(_)));

        let seen = life.transcript.clone();
        let mut replay = replay_of(prefix.to_vec(), &life.world);
        let mut guest = Guest::new(&program);
        guest.run(&mut replay, at(0));
        super::rules::same_as_far_as_both_go(&seen, &guest.transcript);
        go_on(&program, World::continuing(prefix, later), guest.transcript);
    }

    #[test]
    fn commands_that_were_never_written_are_issued_again_byte_for_byte(
        program in programs(),
        choices in choices(),
    ) {
        let life = live(&program, World::new(choices));
        let entries = life.world.effective();
        let first = usize::try_from(entries[0].seq.0).unwrap() - 1;
        let recorded = commands(&life.world.journal()[first..]);
        let events: Vec<Entry> =
            entries.into_iter().filter(|entry| !matches!(entry.body, Body::Command(_))).collect();
        let mut replay = replay_of(events.clone(), &life.world);
        let mut guest = Guest::new(&program);

        guest.run(&mut replay, at(0));

        prop_assert_eq!(&guest.transcript, &life.transcript);
        let settled = settled(&events);
        prop_assert!(replay.take_effects().iter().all(|e| !settled.contains(&promise_of(e))));
        prop_assert_eq!(commands(&replay.take_pending(at(0)).entries), recorded);
    }
}
