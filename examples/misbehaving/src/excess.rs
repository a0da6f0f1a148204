//! Too much of everything. Each of these must end as a typed failure within its limit, and cost the host nothing.

use std::hint::black_box;
use std::io::Write;

use serde::{Deserialize, Serialize};
use stepwell::context::{Level, counter, log, progress, state};
use stepwell::prelude::*;

/// What there is too much of.
#[derive(Clone, Copy, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Excess {
    /// A loop without an end.
    Computing,
    /// Memory, a mebibyte at a time, each page touched.
    Memory,
    /// One allocation of a gibibyte and a half.
    OneAllocation,
    /// Calls within calls, with small frames.
    Recursion,
    /// Calls within calls, with frames of 64 KiB.
    LargeFrames,
    /// An instruction that traps.
    Trap,
    /// A panic.
    Panic,
    /// A gibibyte to the standard output.
    Stdout,
    /// A gibibyte to the log.
    Log,
    /// A result of 64 MiB.
    Result,
    /// A failure whose message has 64 MiB.
    Failure,
    /// Calls of the host without an end.
    HostCalls,
    /// A thousand counters and keys.
    Counters,
    /// One log line of 64 MiB.
    OneLine,
}

const MEBIBYTE: usize = 1024 * 1024;

/// Goes too far in a step.
#[stepwell::step(retry(max_attempts = 1), timeout = "20s")]
pub(crate) async fn excess_in_step(excess: Excess) -> Result<String, Failure> {
    commit(excess)
}

/// Goes too far in a workflow, or in a step that it calls.
#[stepwell::workflow]
pub(crate) async fn excess_in_workflow(excess: Excess, in_step: bool) -> Result<String, Failure> {
    if in_step { excess_in_step(excess).await } else { commit(excess) }
}

/// Sets timers without an end.
#[stepwell::workflow]
pub(crate) async fn journal_flood() -> Result<(), Failure> {
    loop {
        let mut timer = sleep("1d");
        // Polled once, so that it is set; forgotten, so that it is not cancelled.
        select! {
            _ = &mut timer => {}
            () = std::future::ready(()) => {}
        }
        std::mem::forget(timer);
    }
}

#[expect(clippy::infinite_loop, reason = "that is the excess")]
fn commit(excess: Excess) -> Result<String, Failure> {
    match excess {
        Excess::Computing => compute(),
        Excess::Memory => fill_memory(),
        Excess::OneAllocation => Ok(black_box(vec![1_u8; 1536 * MEBIBYTE]).len().to_string()),
        Excess::Recursion => Ok(recurse(black_box(u64::MAX)).to_string()),
        Excess::LargeFrames => Ok(recurse_with_large_frames(black_box(u64::MAX)).to_string()),
        Excess::Trap => std::process::abort(),
        Excess::Panic => fail_badly(),
        Excess::Stdout => fill_stdout(),
        Excess::Log => {
            (0..1024).for_each(|_| log(Level::Info, &"x".repeat(MEBIBYTE), ()));
            Ok("logged".to_owned())
        }
        Excess::Result => Ok("x".repeat(64 * MEBIBYTE)),
        Excess::Failure => Err(Failure::new("huge", "x".repeat(64 * MEBIBYTE))),
        Excess::HostCalls => loop {
            progress("x");
        },
        Excess::Counters => {
            for number in 0..1_000 {
                counter(&format!("counter-{number}")).add(1);
                state(&format!("key-{number}")).set("x".repeat(1024));
            }
            Ok("counted".to_owned())
        }
        Excess::OneLine => {
            log(Level::Info, &"x".repeat(64 * MEBIBYTE), ());
            Ok("logged".to_owned())
        }
    }
}

fn compute() -> ! {
    let mut number = 0_u64;
    loop {
        number = black_box(number.wrapping_add(1));
    }
}

fn fill_memory() -> ! {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![1_u8; MEBIBYTE]));
    }
}

fn recurse(depth: u64) -> u64 {
    // What is added afterwards keeps this from being turned into a loop.
    if depth == 0 { 0 } else { black_box(recurse(black_box(depth - 1))) + 1 }
}

#[expect(clippy::large_stack_arrays, reason = "that is the excess")]
fn recurse_with_large_frames(depth: u64) -> u64 {
    let frame = black_box([1_u8; 64 * 1024]);
    let byte = u64::from(frame[usize::try_from(depth % 1024).unwrap_or(0)]);
    if depth == 0 {
        byte
    } else {
        black_box(recurse_with_large_frames(black_box(depth - 1))) + byte
    }
}

#[expect(clippy::panic, reason = "that is what is tried")]
fn fail_badly() -> ! {
    panic!("this module panics where it is asked to");
}

fn fill_stdout() -> Result<String, Failure> {
    let mut stdout = std::io::stdout().lock();
    let mebibyte = vec![b'x'; MEBIBYTE];
    for _ in 0..1024 {
        stdout.write_all(&mebibyte)?;
    }
    Ok("written".to_owned())
}
