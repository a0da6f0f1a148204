//! The examples, each on a test host: what their authors would write.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

mod test_batch_processing;
mod test_complex_workflow;
mod test_failing_flow;
mod test_media_pipeline;
mod test_parallel_scraper;
mod test_research_agent;
mod test_saga_trip_booking;
mod test_simple_flow;

use stepwell_test_witness::guests;
use stepwell_testing::TestHost;

/// A test host of one of the examples.
fn host(module: &str) -> TestHost {
    TestHost::load(guests::path(module)).unwrap()
}
