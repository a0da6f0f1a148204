//! Servers of one's own, for tests: real ones, that can be stopped, killed and cut off.
//!
//! Here are no doubles and no containers: `scripts/private-server` runs what is installed, on a free port, and ends it when this process ends, in
//! whatever way. A server that is not installed fails the test with the line that installs it.
//!
//! Nothing here belongs to a runtime, so one server serves all tests of a process, each of which has a runtime of its own.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on ends there, and what it printed is shown where it fails"
)]

pub mod chance;
mod keeper;
pub mod postgres;
pub mod proxy;
pub mod redis;
pub mod web;
