//! Hints: that something may be worth a look.
//!
//! Here lives the trait [`Notifier`] and what implements it. A hint goes out after the commit it speaks of, and every hint
//! has a poll behind it that finds the same: losing all of them costs latency, never work.
//!
//! Not here: the truth (`store`), or what to do about a hint (`worker`, `http`).
//!
//! Invariant: listen before you look. Whoever watches an execution subscribes first and reads the store then, so that what
//! changes in between is heard.
//!
//! ```
//! use stepwell::model::{ExecutionId, Wake};
//! use stepwell::notify::{LocalNotifier, Notifier};
//!
//! let notifier = LocalNotifier::default();
//! let execution = ExecutionId::from_bytes([7; 16]);
//! let mut watch = notifier.watch(execution);
//! notifier.wake(Wake::Changed { execution });
//! assert!(watch.has_changed().unwrap());
//! ```

mod local;

pub use local::LocalNotifier;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::model::{ExecutionId, HostId, Wake};

/// What a host has been hinted at since it last asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// Something is ready in some queue.
    pub work: bool,
    /// Executions of this host that have something in their inbox. May name some that are not its own.
    pub arrivals: Vec<ExecutionId>,
}

/// Sends hints and hears them.
#[async_trait]
pub trait Notifier: Send + Sync + std::fmt::Debug {
    /// Sends a hint. Never waits, never fails.
    fn wake(&self, wake: Wake);

    /// Hears of every change of one execution: the number changes with each.
    fn watch(&self, execution: ExecutionId) -> watch::Receiver<u64>;

    /// Waits for hints that concern a host, and takes them all. Dropping the future loses none. One listener a host.
    async fn hints(&self, host: HostId) -> Hints;
}
