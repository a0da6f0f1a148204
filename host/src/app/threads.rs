//! The threads of a host, a runtime for each kind of work that may not wait for another.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;
use tracing::warn;

use crate::sandbox::Sandbox;

/// How long the tasks of a host may take to be dropped.
const FALLS_WITHIN: Duration = Duration::from_secs(10);

/// The threads of a host. They end when this does, wherever that is.
#[derive(Debug)]
pub(super) struct Threads {
    /// HTTP, claims, duties. There until it ends, as are the next two.
    io: Option<Runtime>,
    /// The committer alone: what the database answers wakes this one thread and no other.
    commits: Option<Runtime>,
    /// The lease alone: nothing that runs or waits on this host can delay it.
    lease: Option<Runtime>,
    /// Guests, and what takes turns with them. Known once the sandbox is built.
    guests: Option<Sandbox>,
}

impl Threads {
    pub(super) fn start(cores: usize) -> Result<Self> {
        let start = |name: &'static str, count| {
            let mut builder = Builder::new_multi_thread();
            let started = builder.worker_threads(count).thread_name(name).enable_all().build();
            started.context("the threads of the host cannot be started")
        };
        Ok(Self {
            io: Some(start("stepwell-io", cores)?),
            commits: Some(start("stepwell-commit", 1)?),
            lease: Some(start("stepwell-lease", 1)?),
            guests: None,
        })
    }

    /// Begins a task where there is I/O.
    pub(super) fn spawn<F: Future<Output: Send + 'static> + Send + 'static>(
        &self,
        future: F,
    ) -> JoinHandle<F::Output> {
        self.io.as_ref().expect("it is taken only by its end").spawn(future)
    }

    /// Where the committer runs.
    pub(super) fn commits(&self) -> Handle {
        self.commits.as_ref().expect("it is taken only by its end").handle().clone()
    }

    /// Where the lease is renewed.
    pub(super) fn lease(&self) -> Handle {
        self.lease.as_ref().expect("it is taken only by its end").handle().clone()
    }

    /// These threads of guests end with the others.
    pub(super) fn add_guests(&mut self, sandbox: Sandbox) {
        self.guests = Some(sandbox);
    }

    fn take_runtimes(&mut self) -> Vec<Runtime> {
        [self.io.take(), self.commits.take(), self.lease.take()].into_iter().flatten().collect()
    }

    /// Returns when every task is gone, so that the database is free for the next.
    pub(super) async fn end(mut self) {
        let (guests, rest) = (self.guests.take(), self.take_runtimes());
        let ended = tokio::task::spawn_blocking(move || {
            guests.into_iter().for_each(|sandbox| sandbox.end_guests(FALLS_WITHIN));
            rest.into_iter().for_each(|runtime| runtime.shutdown_timeout(FALLS_WITHIN));
        });
        if let Err(error) = ended.await {
            warn!(error = %error, "The threads of the host did not end");
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.guests.take().into_iter().for_each(|sandbox| sandbox.end_guests(Duration::ZERO));
        self.take_runtimes().into_iter().for_each(Runtime::shutdown_background);
    }
}
