//! A whole life of an execution: activations, runs, and the end.

use super::super::{Body, Effect, Ended, Entry, Event, NextRun, Replay};
use super::guest::{Guest, Line, Stopped};
use super::limits;
use super::program::Program;
use super::rules;
use super::world::{Turn, World};
use crate::model::{ExecutionState, ModuleDigest, Outcome, Payload, Promise, Seq};

/// More turns than any program can need.
const TURNS_MAX: usize = 1_000;

/// What a life left behind.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) program: Program,
    pub(super) world: World,
    /// Of the last run.
    pub(super) transcript: Vec<Line>,
    pub(super) said: Vec<String>,
    pub(super) ended: Ended,
    /// Signals read in all runs that count.
    pub(super) read: Vec<Payload>,
}

/// Lives until the end, through every death, and checks what is true of every life.
pub(super) fn live(program: &Program, world: World) -> Life {
    go_on(program, world, Vec::new())
}

/// Goes on from what is durable. `before`: what an earlier activation of the same run saw.
pub(super) fn go_on(program: &Program, mut world: World, mut before: Vec<Line>) -> Life {
    let mut read = Vec::new();
    loop {
        let mut replay = world.claim();
        let mut guest = Guest::new(program);
        let returned = activate(&mut guest, &mut replay, &mut world, &before);
        let Some(returned) = returned else {
            before = guest.transcript;
            continue;
        };
        let ended = match replay.continued().cloned() {
            Some(input) => begin_next(replay, input, &mut world).then_some(None),
            None => end(replay, returned, &mut world).map(Some),
        };
        let Some(ended) = ended else {
            before = guest.transcript;
            continue;
        };
        rules::transcript(&guest.transcript);
        read.extend(reads(&guest.transcript));
        before.clear();
        if let Some(ended) = ended {
            let Guest { transcript, said, .. } = guest;
            let life = Life { program: program.clone(), world, transcript, said, ended, read };
            life.check();
            return life;
        }
    }
}

/// Runs a guest until it returns; none where its owner died.
fn activate(
    guest: &mut Guest,
    replay: &mut Replay,
    world: &mut World,
    before: &[Line],
) -> Option<Outcome> {
    for _ in 0..TURNS_MAX {
        let stopped = guest.run(replay, world.now);
        rules::same_as_far_as_both_go(before, &guest.transcript);
        match stopped {
            Stopped::Halted(halt) => panic!("{halt}"),
            Stopped::Returned(returned) => return Some(returned),
            Stopped::Waits => match world.turn(replay) {
                Turn::Goes => {}
                Turn::Died => return None,
            },
        }
    }
    panic!("it waits for ever: {:?}", guest.transcript)
}

/// False where the owner died and nothing of it is durable.
fn begin_next(replay: Replay, input: Payload, world: &mut World) -> bool {
    let module = ModuleDigest::of(b"module");
    let NextRun { replay: mut next, base, stops } =
        replay.continue_as_new(input, module, &limits(), world.now);
    let effects = next.take_effects();
    assert!(effects.iter().all(is_detached_start));
    world.begin(effects, &stops);
    let turn = world.write(&mut next);
    let is_durable = turn == Turn::Goes || is_durable(world, base);
    if is_durable {
        world.begin_run(base);
    }
    is_durable
}

/// None where the owner died and nothing of it is durable.
fn end(mut replay: Replay, returned: Outcome, world: &mut World) -> Option<Ended> {
    let stops = replay.stop_all();
    let effects = replay.take_effects();
    assert!(effects.iter().all(is_detached_start));
    world.begin(effects, &stops);
    let ended = replay.end(returned, 0, world.now);
    let last = Seq(world.effective()[0].seq.0 + replay.entries() - 1);
    let turn = world.write(&mut replay);
    (turn == Turn::Goes || is_durable(world, last)).then_some(ended)
}

fn is_detached_start(effect: &Effect) -> bool {
    matches!(effect, Effect::Child { options, .. } if options.detached)
}

fn is_durable(world: &World, seq: Seq) -> bool {
    world.journal().iter().any(|entry| entry.seq == seq)
}

fn reads(transcript: &[Line]) -> impl Iterator<Item = Payload> {
    transcript.iter().filter_map(|line| match line {
        Line::Read(_, payload) => Some(payload.clone()),
        Line::Issued(..) | Line::Settled(..) | Line::Drew(_) => None,
    })
}

impl Life {
    fn check(&self) {
        rules::transcript(&self.transcript);
        rules::journal(&self.world.journal(), &self.world.effective());
        self.no_signal_is_lost_or_received_twice();
        if self.ended.state == ExecutionState::Completed {
            assert!(self.ended.outcome.is_ok());
        }
    }

    fn no_signal_is_lost_or_received_twice(&self) {
        let mut read: Vec<u64> = self.read.iter().map(number).collect();
        read.sort_unstable();
        let distinct = read.windows(2).all(|two| two[0] != two[1]);
        assert!(distinct, "received twice: {read:?}");
        let left = self.world.admitted.len() - read.len();
        assert!(read.iter().all(|signal| self.world.admitted.contains(signal)));
        assert_eq!(
            left, self.ended.unreceived as usize,
            "lost: read {read:?} of {:?}",
            self.world.admitted
        );
    }

    /// The promises whose settlement is recorded.
    pub(super) fn settled(&self) -> Vec<Promise> {
        settled(&self.world.effective())
    }
}

pub(super) fn settled(entries: &[Entry]) -> Vec<Promise> {
    let events = entries.iter().filter_map(|entry| match &entry.body {
        Body::Event(Event::Settled { promise, .. } | Event::Fired { promise }) => Some(*promise),
        Body::Event(_)
        | Body::Started(_)
        | Body::Run(_)
        | Body::Ended(_)
        | Body::Noted
        | Body::Command(_) => None,
    });
    events.collect()
}

fn number(payload: &Payload) -> u64 {
    payload.as_str().parse().unwrap()
}
