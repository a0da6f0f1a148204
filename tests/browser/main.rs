//! The dashboard in a real browser: each page opened, each order given, by hand and by keys.
//!
//! [`house`] is a real host in a process of its own, [`browser`] a headless Chromium before it. Pictures of every page lie in
//! `target/screenshots` afterwards, for whoever changed something to look at.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "the helpers of tests are tests, and what they print is shown where one fails"
)]

mod browser;
mod house;

mod test_access;
mod test_keys;
mod test_orders;
mod test_pages;
mod test_starting;
mod test_timeline;
