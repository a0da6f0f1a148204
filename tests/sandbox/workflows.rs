//! Workflows: what they see is their journal, and the same on every replay.

use stepwell::journal::{Body, Event};
use stepwell::model::{Failure, kind};
use stepwell::sandbox::{Broken, Turn};

use crate::house;
use crate::play::{End, Play};

#[tokio::test]
async fn a_chain_of_steps_runs_to_its_end_and_replays_the_same() {
    let mut play = Play::new("chain", "20");

    let live = play.finish().await;

    assert_eq!(live.returned(), "190");
    assert_eq!(play.entries.len(), 41);
    let again = play.finish().await;
    assert_eq!(again.returned(), "190");
    assert_eq!(again.fuel(), live.fuel());
    assert_eq!(play.entries.len(), 41, "replaying records nothing");
}

#[tokio::test]
async fn any_prefix_of_a_journal_can_be_gone_on_from() {
    let mut whole = Play::new("chain", "5");
    let end = whole.finish().await;

    for length in 1..=whole.entries.len() {
        let mut cut = Play::new("chain", "5");
        cut.entries = whole.entries[..length].to_vec();

        let resumed = cut.finish().await;

        assert_eq!(resumed.returned(), end.returned(), "cut to {length}");
    }
}

#[tokio::test]
async fn many_calls_at_once_settle_in_the_order_of_their_arrival() {
    let mut play = Play::new("wide", "300");

    let end = play.finish().await;

    assert_eq!(end.returned(), (0..300).sum::<u64>().to_string());
}

#[tokio::test]
async fn what_a_workflow_can_observe_is_the_same_on_every_replay() {
    for sight in ["clock", "monotonic", "random", "hash_order", "env", "stdin"] {
        let mut play = Play::new("observe", &format!("\"{sight}\""));

        let live = play.finish().await;
        let again = play.finish().await;

        assert_eq!(again.returned(), live.returned(), "{sight}");
        assert_eq!(again.fuel(), live.fuel(), "{sight}");
    }
}

#[tokio::test]
async fn the_clock_shows_when_the_last_event_was_recorded() {
    let mut play = Play::new("observe", "\"clock\"");

    let end = play.finish().await;

    let times: Vec<String> = serde_json::from_str(end.returned()).unwrap();
    assert_eq!(times[0], "1700000000000000000");
    let signal = play
        .entries
        .iter()
        .find(|entry| matches!(entry.body, Body::Event(Event::Received { .. })))
        .unwrap();
    assert_eq!(times[1], format!("{}000", signal.recorded_at.as_micros()));
}

#[tokio::test]
async fn the_world_is_refused_with_the_way_out() {
    for sight in ["file", "file_written", "thread_sleep", "socket"] {
        let mut play = Play::new("observe", &format!("\"{sight}\""));

        let end = play.finish().await;

        let failure = end.failure();
        assert!(failure.message.contains("move it to a step"), "{sight}: {failure}");
    }
}

async fn excess(what: &str) -> Failure {
    let mut play =
        Play::new("excess_in_workflow", &format!("{{\"excess\":\"{what}\",\"in_step\":false}}"));
    let end = play.finish().await;
    end.failure().clone()
}

#[tokio::test]
async fn a_workflow_that_goes_too_far_fails_as_a_step_does() {
    let computing = excess("computing").await;
    assert_eq!(computing.kind, kind::FUEL_EXHAUSTED);
    assert!(computing.message.contains("move the work to a step"), "{computing}");
    assert_eq!(excess("memory").await.kind, kind::MEMORY_EXCEEDED);
    assert_eq!(excess("recursion").await.kind, kind::TRAPPED);
    assert_eq!(excess("stdout").await.kind, kind::OUTPUT_EXCEEDED);
    assert_eq!(excess("counters").await.kind, kind::OUTPUT_EXCEEDED);
}

#[tokio::test]
async fn a_flood_of_commands_ends() {
    let mut play = Play::new("journal_flood", "null");

    let end = play.finish().await;

    let kinds = [kind::FUEL_EXHAUSTED, kind::JOURNAL_FULL, kind::MEMORY_EXCEEDED];
    assert!(kinds.contains(&end.failure().kind.as_str()), "{}", end.failure());
}

#[tokio::test]
async fn another_call_than_the_recorded_one_is_a_divergence() {
    let mut play = Play::new("chain", "3");
    play.finish().await;
    let mut other = Play::new("observe", "\"clock\"");
    let began = other.entries[0].clone();
    other.entries = play.entries.clone();
    other.entries[0] = began;

    let end = other.finish().await;

    let End::Broke(Broken::Diverged(divergence), _) = end else { panic!("{end:?}") };
    assert_eq!(divergence.seq.0, 2);
    assert!(divergence.recorded.contains("echo"), "{divergence}");
}

#[tokio::test]
async fn a_guest_that_waits_holds_memory_and_lets_go_of_it_when_dropped() {
    let play = Play::new("changing", "null");
    let module = house::misbehaving().await;
    let mut guest = house::sandbox().run_workflow(module, play.replay());

    let turn = guest.turn().await;

    assert!(matches!(turn, Turn::Waits(_)), "{turn:?}");
    assert!(guest.memory_bytes() >= 1 << 16);
    // More than there are slots for, one after the other.
    for _ in 0..200 {
        drop(guest);
        guest = house::sandbox().run_workflow(module, play.replay());
        assert!(matches!(guest.turn().await, Turn::Waits(_)));
    }
}

#[tokio::test]
async fn a_segment_that_takes_too_long_is_begun_again_by_whoever_owns_it() {
    let folder = tempfile::tempdir().unwrap();
    let segment_time_max = std::time::Duration::from_millis(30);
    let limits =
        stepwell::model::Limits { segment_fuel: u64::MAX / 4, segment_time_max, ..house::limits() };
    let sandbox = house::sandbox_in(folder.path(), &limits);
    let (digest, _) = sandbox.admit(&house::guest("misbehaving")).await.unwrap();
    let module = sandbox.loaded(digest).unwrap();
    let mut play = Play::new("excess_in_workflow", r#"{"excess":"computing","in_step":false}"#);

    let end = play.finish_in(&sandbox, &module).await;

    assert!(matches!(end, End::Broke(Broken::Stuck, _)), "{end:?}");
}

#[tokio::test]
async fn waiting_is_not_counted_as_running() {
    let folder = tempfile::tempdir().unwrap();
    let segment_time_max = std::time::Duration::from_millis(200);
    let limits =
        stepwell::model::Limits { segment_fuel: u64::MAX / 4, segment_time_max, ..house::limits() };
    let sandbox = house::sandbox_in(folder.path(), &limits);
    let (digest, _) = sandbox.admit(&house::guest("misbehaving")).await.unwrap();
    let module = sandbox.loaded(digest).unwrap();
    let mut play = Play::new("chain", "1");
    let mut guest = sandbox.run_workflow(&module, play.replay());

    let Turn::Waits(mut replay) = guest.turn().await else { panic!("it waits") };
    // A second guest takes longer than the whole segment may, by the same clock.
    let mut late = sandbox.run_workflow(
        &module,
        Play::new("excess_in_workflow", r#"{"excess":"computing","in_step":false}"#).replay(),
    );
    while matches!(late.turn().await, Turn::Waits(_)) {}
    play.answer(&mut replay);
    guest.resume(replay);

    let end = play.go_on(&mut guest).await;
    assert_eq!(end.returned(), "0");
    let settled = |body: &Body| matches!(body, Body::Event(Event::Settled { .. }));
    assert_eq!(play.entries.iter().filter(|entry| settled(&entry.body)).count(), 1);
}
