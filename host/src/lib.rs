//! Stepwell: a host that runs durable workflows inside WebAssembly sandboxes.
//!
//! The rooms, from the floor up: [`model`] has the words, [`journal`] says what happened and so what to do now, [`store`]
//! keeps it, [`notify`] hints at it, [`sandbox`] runs guests; [`dispatch`] takes orders and [`worker`] carries them out;
//! [`http`] and [`cli`] are the doors. [`app`] builds the house. See `ARCHITECTURE.md` for all of it.

pub mod app;
pub mod cli;
pub mod config;
pub mod dispatch;
pub mod http;
pub mod journal;
pub mod model;
pub mod notify;
pub mod sandbox;
pub mod store;
pub mod telemetry;
pub mod worker;

/// Guests' stores and journals' entries are made and dropped on many threads, thousands of times a second.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
