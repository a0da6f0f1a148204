//! Too much of everything, in steps: each ends as a typed failure within its limit, and the host goes on.

use std::time::Duration;

use stepwell::model::{Ending, Limits, Note, StepReport, kind};
use tokio_util::sync::CancellationToken;

use crate::house::{self, call, failure, limits, run_step};

async fn excess(what: &str) -> StepReport {
    let report = run_step(call("excess_in_step", &format!("\"{what}\""))).await;
    // Whatever it was, the next attempt knows nothing of it.
    let next = run_step(call("echo", "[1]")).await;
    assert!(matches!(next.ending, Ending::Returned(Ok(_))), "{:?}", next.ending);
    report
}

async fn fails_with(what: &str, kind: &str, says: &str) -> StepReport {
    let report = excess(what).await;
    let failure = failure(&report);
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.message.contains(says), "{failure}");
    report
}

#[tokio::test]
async fn a_step_returns_what_it_was_given_and_what_it_used() {
    let report = run_step(call("echo", r#"{"a": [1, 2]}"#)).await;

    let Ending::Returned(Ok(result)) = &report.ending else { panic!("{:?}", report.ending) };
    assert_eq!(result.as_str(), r#"{"a":[1,2]}"#);
    assert!(report.usage.fuel > 1_000 && report.usage.fuel < limits().step_fuel);
    assert!(report.usage.memory_peak_bytes >= 1 << 16);
}

#[tokio::test]
async fn a_loop_without_an_end_uses_up_its_fuel() {
    let report = fails_with("computing", kind::FUEL_EXHAUSTED, "step_fuel").await;

    assert_eq!(report.usage.fuel, limits().step_fuel);
    let details = failure(&report).details.as_ref().unwrap().as_str();
    assert!(details.contains("compute"), "the backtrace names the guest's functions: {details}");
}

#[tokio::test]
async fn a_memory_bomb_ends_at_its_limit() {
    let report = fails_with("memory", kind::MEMORY_EXCEEDED, "guest_memory_bytes_max").await;

    assert!(report.usage.memory_peak_bytes <= limits().guest_memory_bytes_max as u64);
    assert!(report.usage.memory_peak_bytes > limits().guest_memory_bytes_max as u64 / 2);
    fails_with("one_allocation", kind::MEMORY_EXCEEDED, "guest_memory_bytes_max").await;
}

#[tokio::test]
async fn deep_recursion_is_a_trap() {
    fails_with("recursion", kind::TRAPPED, "").await;
    fails_with("large_frames", kind::TRAPPED, "").await;
}

#[tokio::test]
async fn a_trap_and_a_panic_say_what_they_were() {
    fails_with("trap", kind::TRAPPED, "unreachable").await;
    fails_with("panic", kind::TRAPPED, "panics where it is asked to").await;
}

#[tokio::test]
async fn a_gibibyte_of_output_is_cut_and_then_ended() {
    for what in ["stdout", "log"] {
        let report = fails_with(what, kind::OUTPUT_EXCEEDED, "log_bytes_max").await;

        let kept: usize = report
            .notes
            .iter()
            .map(|said| match &said.note {
                Note::Log { message, .. } => message.len(),
                Note::Progress { .. } | Note::Counter { .. } | Note::State { .. } => 0,
            })
            .sum();
        assert!(kept <= limits().log_bytes_max + 1_000, "{what}: {kept}");
        let said = format!("{:?}", report.notes.last());
        assert!(said.contains("the log is full"), "{what}: {said}");
    }
}

#[tokio::test]
async fn a_huge_result_is_refused() {
    // The guest may run out of memory before it has built one.
    for what in ["result", "failure", "one_line"] {
        let report = excess(what).await;
        let failure = failure(&report);
        let kinds = [kind::OUTPUT_EXCEEDED, kind::MEMORY_EXCEEDED];
        assert!(kinds.contains(&failure.kind.as_str()), "{what}: {failure}");
    }
}

#[tokio::test]
async fn a_flood_of_host_calls_ends() {
    let report = excess("host_calls").await;

    let failure = failure(&report);
    let kinds = [kind::OUTPUT_EXCEEDED, kind::FUEL_EXHAUSTED];
    assert!(kinds.contains(&failure.kind.as_str()), "{failure}");
    assert!(report.usage.duration_micros < 20_000_000, "{:?}", report.usage);
}

#[tokio::test]
async fn too_many_counters_are_refused() {
    fails_with("counters", kind::OUTPUT_EXCEEDED, "256").await;
}

#[tokio::test]
async fn a_step_that_takes_too_long_is_ended_by_the_clock() {
    let timeout = Duration::from_millis(50);
    let slow = call("excess_in_step", "\"computing\"");

    let report = run_step(stepwell::model::StepCall { timeout, ..slow }).await;

    assert_eq!(failure(&report).kind, kind::DEADLINE_EXCEEDED);
    assert!(report.usage.fuel > 0);
}

#[tokio::test]
async fn a_step_that_is_stopped_says_nothing_about_itself() {
    let stop = CancellationToken::new();
    stop.cancel();
    let module = house::misbehaving().await;

    let report =
        house::sandbox().run_step(module, call("excess_in_step", "\"computing\""), stop).await;

    assert_eq!(report.ending, Ending::Stopped);
}

#[tokio::test]
async fn nothing_of_the_world_is_granted_to_a_step() {
    for (sight, says) in [("file", ""), ("file_written", ""), ("socket", ""), ("thread", "")] {
        let report = run_step(call("observe_in_step", &format!("\"{sight}\""))).await;
        let failure = failure(&report);
        assert!(failure.message.contains(says), "{sight}: {failure}");
    }
    let env = run_step(call("observe_in_step", "\"env\"")).await;
    assert!(format!("{:?}", env.ending).contains("Ok"), "{:?}", env.ending);
}

#[tokio::test]
async fn smaller_limits_end_things_sooner() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { step_fuel: 100_000, ..limits() };
    let sandbox = house::sandbox_in(folder.path(), &limits);
    let (digest, _) = sandbox.admit(&house::guest("misbehaving")).await.unwrap();
    let module = sandbox.loaded(digest).unwrap();

    let looping = call("excess_in_step", "\"computing\"");
    let report = sandbox.run_step(&module, looping, CancellationToken::new()).await;

    assert_eq!(failure(&report).kind, kind::FUEL_EXHAUSTED);
    assert_eq!(report.usage.fuel, 100_000);
}
