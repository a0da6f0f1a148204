//! Who sees from outside what hosts do, for the tests of one and those of many.
//!
//! [`api`] is a client, [`jobs`] are the work that storms go over, [`guests`] the modules it is made of; and [`ledger`] says
//! what must hold when the storm has passed. Nothing here starts a host.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on ends there, and what it printed is shown where it fails"
)]

pub mod api;
pub mod guests;
pub mod jobs;
pub mod ledger;
