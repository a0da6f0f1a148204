//! What the pages say, compared with what there is: links, code blocks, flags and limits. The Rust in them is compiled by
//! `tests/docs`.

mod blocks;
mod configuration;
mod limits;
mod links;
mod page;
mod parity;
