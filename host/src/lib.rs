//! Stepwell: a host that runs durable workflows inside WebAssembly sandboxes.
//!
//! The rooms, from the floor up: [`model`] has the words, [`journal`] says what happened and so what to do now; see
//! `ARCHITECTURE.md` for the whole house.

pub mod cli;
pub mod dispatch;
pub mod http;
pub mod journal;
pub mod model;
pub mod notify;
pub mod sandbox;
pub mod store;
pub mod worker;
