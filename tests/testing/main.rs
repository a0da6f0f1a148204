//! The test host for authors, tested: what it does to modules, and that it means the same as a real host.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

mod test_crashes;
mod test_loading;
mod test_steps;
mod test_time;

use stepwell_test_witness::guests;
use stepwell_testing::TestHost;

/// A test host of one of the examples.
fn host(module: &str) -> TestHost {
    TestHost::load(guests::path(module)).unwrap()
}
