//! Clients that are slow, greedy or hostile: they are cut off, and nobody else notices.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "the helpers of tests are tests, and what was measured is shown"
)]

mod client;
mod flood;
mod http2;
mod process;
mod slow;

pub(crate) use process::Process;
