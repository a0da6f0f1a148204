//! The cluster under test: real hosts, real servers, and everything that may befall them.
//!
//! Each storm has a short form, which runs with all other tests, and a long one, which `make storm` runs: see [`storm`] and
//! `docs/storms.md`. [`cluster`] is hosts on one database, [`host`] one of them; [`rows`] looks into the database behind
//! their backs; [`trace`] has it write down who wrote what, and what each was then. The other files are tests, one storm
//! each.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "the helpers of tests are tests, and what they print is shown where one fails"
)]

mod cluster;
mod host;
mod rows;
mod seed;
mod storm;
mod trace;

mod test_big_fan_out;
mod test_cut_off;
mod test_drain;
mod test_kill;
mod test_limits;
mod test_parking;
mod test_redis;
mod test_restart;
mod test_results;
mod test_schedules;
mod test_schema;
mod test_silent;
mod test_spread;
mod test_unknown;
mod test_zombie;
