//! What the pages say, compared with what there is: links, code blocks, flags and limits. The Rust in them is compiled by
//! `tests/docs`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests are tests, and what they say is shown where one fails"
)]

mod blocks;
mod commands;
mod configuration;
mod limits;
mod links;
mod metrics;
mod page;
mod parity;
