//! The conformance suite of the store: every promise in the words of its verbs, on every database.

#[macro_use]
mod database;
mod arrivals;
mod claims;
mod commit;
mod committing;
mod hosts;
mod modules;
mod opening;
mod reading;
mod revival;
mod tasks;
mod words;
