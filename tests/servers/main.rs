//! What the tests of clusters stand on, put to the test itself: the servers, the ways to hurt them, and what is left.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by ending there")]

mod test_chance;
mod test_death;
mod test_frames;
mod test_postgres;
mod test_proxy;
mod test_redis;
