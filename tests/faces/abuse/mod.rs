//! Clients that are slow, greedy or hostile: they are cut off, and nobody else notices.

mod client;
mod flood;
mod http2;
mod process;
mod slow;

pub(crate) use process::Process;
