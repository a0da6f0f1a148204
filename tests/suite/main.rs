//! The whole house under test: HTTP in, replies and rows out, and the same again after every way to die.
//!
//! [`api`] is a client, [`test_host`] a host in this process, [`process`] a real one; [`place`] is where they keep their rows; [`dying`] strikes hosts at their writes,
//! and [`ledger`] says what must hold when the storm has passed. The other files are tests, one subject each.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "the helpers of tests are tests, and what they print is shown where one fails"
)]

mod collector;
mod dying;
mod place;
mod process;
mod seed;
mod served;
mod test_host;
mod test_limits;

mod test_bad_input;
mod test_bulk;
mod test_cancel;
mod test_capabilities;
mod test_children;
mod test_dead_letters;
mod test_determinism;
mod test_eviction;
mod test_examples;
mod test_examples_outside;
mod test_excess;
mod test_notes;
mod test_pause;
mod test_real_host;
mod test_real_kill;
mod test_real_metrics;
mod test_results;
mod test_retention;
mod test_retries;
mod test_runs;
mod test_sagas;
mod test_same_meaning;
mod test_schedules;
mod test_sealing;
mod test_secrets;
mod test_signals;
mod test_starts;
mod test_suspects;
mod test_timers;
mod test_traces;
mod test_unreadable;

use stepwell_test_witness::{api, guests, jobs, ledger};
