//! The conformance suite of the store: every promise in the words of its verbs, on every database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by ending there")]

#[macro_use]
mod database;
mod access;
mod arrivals;
mod claims;
mod commit;
mod committing;
mod connecting;
mod hosts;
mod interleaved;
mod leases;
mod letters;
mod limits;
mod limits_at_once;
mod listing;
mod modules;
mod opening;
mod plans;
mod queues;
mod reading;
mod removal;
mod results;
mod revival;
mod schedules;
mod sharing;
mod stopping;
mod tasks;
mod unknown;
mod unreadable;
mod words;
