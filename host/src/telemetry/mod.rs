//! What a host says of itself: its log on standard error, as text or JSON, what it counts, for `/metrics`, and spans, for a
//! collector.

mod counts;
mod exposition;
mod measures;
mod post;
mod traces;

pub use counts::Counts;
pub use exposition::{Exposition, metrics, metrics_through};
pub use traces::{Collector, Export, traces};

use std::io::{self, IsTerminal};

use anyhow::Context;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// Begins to log. `filter` is a level (`info`), or levels by target (`info,stepwell::worker=debug`).
pub fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)
        .with_context(|| format!("--log {filter:?} is no filter; write for example info"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let begun = match format {
        LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    begun.context("somebody logs already")
}
