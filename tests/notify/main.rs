//! Hints between hosts, over a real Redis: who hears what, what is not said, and what is left when Redis goes and comes back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by ending there")]

mod console;
mod host;
mod log;
mod test_hints;
mod test_loss;
mod test_quiet;
mod test_tls;
