//! The conformance suite of the store: every promise in the words of its verbs, on every database.

#[macro_use]
mod database;
mod commit;
mod words;
