//! The threads that guests run on, apart from those that serve and keep the lease: a lease never waits behind a guest.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

use super::SandboxError;

/// How much later guests run than the rest of the host where there are not enough cores for both.
const NICENESS: i32 = 5;

/// A runtime of their own.
#[derive(Debug)]
pub(super) struct GuestThreads {
    /// There until it ends.
    runtime: Mutex<Option<Runtime>>,
    handle: Handle,
}

impl GuestThreads {
    pub(super) fn start(count: usize) -> Result<Self, SandboxError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(count.max(1))
            .max_blocking_threads(4)
            .thread_name("guest")
            .on_thread_start(step_back)
            // A slice of a guest is long beside what these look at: who comes from outside, or was slept for, goes soon.
            .global_queue_interval(2)
            .event_interval(16)
            .enable_time()
            .build()
            .map_err(|error| SandboxError::set_up("the threads of the guests", error))?;
        let handle = runtime.handle().clone();
        Ok(Self { runtime: Mutex::new(Some(runtime)), handle })
    }

    /// The way to begin a task there that is nobody's to end.
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Whether the caller runs on one of them.
    pub(super) fn are_here(&self) -> bool {
        Handle::try_current().is_ok_and(|current| current.id() == self.handle.id())
    }

    /// Begins a task there. Dropping what this returns ends it.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Task<T> {
        Task(self.handle.spawn(task))
    }

    /// Begins work there that does not wait.
    pub(super) fn begin_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Task<T> {
        Task(self.handle.spawn_blocking(work))
    }

    /// Drops every task there, and waits no longer than `patience` for those that run.
    pub(super) fn end(&self, patience: Duration) {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            runtime.shutdown_timeout(patience);
        }
    }
}

impl Drop for GuestThreads {
    /// The last handle to a sandbox may be dropped inside a task, where waiting for threads is not allowed.
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

fn step_back() {
    // On Linux this is the priority of the calling thread. Where it is not allowed, guests compete as equals.
    let _refused = rustix::process::nice(NICENESS);
}

/// A task on the guests' threads; whoever drops it ends it.
#[derive(Debug)]
pub(super) struct Task<T>(JoinHandle<T>);

impl<T> Future for Task<T> {
    type Output = Result<T, SandboxError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let joined = std::task::ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(joined.map_err(|error| SandboxError::Gone { what: error.to_string() }))
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
