//! Hints: that something may be worth a look.
//!
//! Here lives the trait [`Notifier`] and what implements it: [`LocalNotifier`] within one process, and [`RedisNotifier`], which
//! is the same and tells the hosts beside it too. A hint goes out after the commit it speaks of, and every hint has a poll
//! behind it that finds the same: losing all of them costs latency, never work.
//!
//! Not here: the truth (`store`), or what to do about a hint (`worker`, `dispatch`).
//!
//! Invariants:
//! - Listen before you look. Whoever watches an execution subscribes first and reads the store then, so that what changes in
//!   between is heard.
//! - Where hints may have been lost, everyone is told to look.
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
mod redis;

pub use local::LocalNotifier;
pub use redis::{NotifyError, RedisExamination, RedisFault, RedisNotifier, examine_redis};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::model::{ExecutionId, HostId, Timestamp, Wake};

/// What a host has been hinted at since it last asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// Something is ready in some queue.
    pub work: bool,
    /// Executions of this host that have something in their inbox. May name some that are not its own.
    pub arrivals: Vec<ExecutionId>,
    /// Hints were lost: any execution of this host may have something in its inbox.
    pub lost: bool,
}

/// How well hints travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotifierHealth {
    /// They stay within this process, as they should.
    Local,
    /// They go to other hosts and come from them.
    Connected,
    /// They stay within this process although they should not: what other hosts do is found by polling.
    Lost {
        /// Since when.
        since: Timestamp,
    },
}

/// Sends hints and hears them.
#[async_trait]
pub trait Notifier: Send + Sync + std::fmt::Debug {
    /// Sends a hint. Never waits, never fails.
    fn wake(&self, wake: Wake);

    /// Hears of every change of one execution: the number changes with each.
    fn watch(&self, execution: ExecutionId) -> watch::Receiver<u64>;

    /// Waits for hints that concern a host, and takes them all. Dropping the future loses none. One listener a host, and one
    /// host at a time: a new incarnation is one that asks under a new id.
    async fn hints(&self, host: HostId) -> Hints;

    /// How well hints travel now.
    fn health(&self) -> NotifierHealth;

    /// Sends what is still to be said and hangs up. What is hinted afterwards stays within this process.
    async fn close(&self);
}
