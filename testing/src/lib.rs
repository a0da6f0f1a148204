//! Test workflows from Rust tests, without a server.
//!
//! A [`TestHost`] loads a module, the same `.wasm` that is deployed, and runs its workflows in the same sandbox, by the same
//! rules, on journals in memory. Time is virtual: a sleep of thirty days takes no time. Steps run for real, in a sandbox each, or
//! closures stand in for them. See `docs/testing.md` for the guide.
//!
//! ```no_run
//! use stepwell_testing::{Cue, Failure, TestHost, json};
//!
//! #[test]
//! fn nobody_is_asked_for_longer_than_two_days() {
//!     let mut host = TestHost::load("target/wasm32-wasip2/release/approval.wasm").unwrap();
//!     host.replace("ask", |subject| Ok(json!(null)));
//!
//!     let end = host.run("approval", json!({ "subject": "a lamp", "timeout": "48h" }));
//!
//!     assert_eq!(end.value(), json!({ "decision": "expired" }));
//!     assert_eq!(host.passed().as_secs(), 48 * 3_600);
//!     assert_eq!(host.attempts("ask").len(), 1);
//! }
//!
//! #[test]
//! fn a_crash_at_any_moment_cannot_be_seen() {
//!     let host = TestHost::load("target/wasm32-wasip2/release/approval.wasm").unwrap();
//!
//!     host.crash_everywhere(|host| {
//!         let id = host.start("approval", json!({ "subject": "a lamp", "timeout": "48h" }));
//!         host.when(Cue::after("36h")).signal(id, "approval", json!({ "by": "ada", "approved": true }));
//!         host.end(id)
//!     });
//! }
//! ```
//!
//! A test that cannot go on panics with what to do, and a test that fails prints the timeline of every execution.

#![expect(
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on ends there, and what is printed is shown where it fails"
)]

mod clock;
mod cue;
mod end;
mod host;
mod load;
mod many;
mod order;
mod read;
mod steps;
mod timeline;
mod world;

pub use serde_json::{Value, json};
pub use stepwell::journal;
pub use stepwell::model::{ExecutionId, ExecutionState, Failure, Level};

pub use cue::Cue;
pub use end::End;
pub use host::{TestHost, When};
pub use load::LoadError;
pub use steps::Attempt;
pub use world::{DeadLetter, LogLine};

#[track_caller]
fn duration(text: &str) -> std::time::Duration {
    match stepwell::model::parse_duration(text) {
        Ok(duration) => duration,
        Err(bad) => panic!("{bad}"),
    }
}
