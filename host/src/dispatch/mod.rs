//! Takes orders: deploy, start, signal, cancel, retry, redrive, and everything that is only asked.
//!
//! Here an order is checked against what the module declares and what the limits allow, and told to the store; after the
//! commit a hint goes out. What this room answers with are the rows and entries of the rooms below, under its own name, so
//! that a door needs no other room.
//!
//! Not here: HTTP and its status codes (`http`), and carrying anything out (`worker`): the two meet in the store.
//!
//! Invariants:
//! - Nothing is answered before the commit that holds it.
//! - Whatever a caller gives is bounded by a limit with a name, and refused with that name.
//! - Whoever waits for a result, or for the next entry, listens before it looks.
//!
//! ```no_run
//! # async fn example(dispatch: stepwell::dispatch::Dispatch) -> Result<(), Box<dyn std::error::Error>> {
//! use stepwell::dispatch::StartOrder;
//! use stepwell::model::{Name, Payload};
//!
//! let order = StartOrder::new(Name::new("checkout")?, Payload::null());
//! let started = dispatch.start(order).await?;
//! assert!(started.created);
//! # Ok(())
//! # }
//! ```

mod audit;
mod bounds;
mod bulk;
mod cancel;
mod changes;
mod cleanup;
mod deploy;
mod deployments;
mod error;
mod follow;
mod grants;
mod inspect;
mod keys;
mod logs;
mod outcome;
mod pause;
mod redrive;
mod retry;
mod schedule;
mod schema;
mod signal;
mod start;
mod traces;
mod wait;
mod waiting;
mod watch;
mod why;

pub use bulk::{Bulk, BulkAction, BulkPage};
pub use cancel::Force;
pub use cleanup::{CleanedUp, CleanupOrder};
pub use deployments::Names;
pub use error::{DispatchError, SchemaBreach};
pub use follow::{Followed, Follower};
pub use grants::{GrantOrder, Granting};
pub use inspect::JournalSlice;
pub use keys::{KeyHolder, KeyOrder};
pub use logs::{LogFilter, LogPage};
pub use outcome::Progress;
pub use redrive::{
    Attempts, Discarded, ManyLetters, REDRIVES_MAX, Redriven, RedrivenMany, Redriving,
};
pub use schedule::Scheduled;
pub use start::{ModuleRef, StartOrder, Started};
pub use wait::{HolderShown, LimitShown, Wait};
pub use waiting::TaskView;
pub use watch::Watcher;

pub use crate::journal::{
    Body, CommandEntry, Ended, Entry, Event, Recorded, RunEntry, RunReason, Started as StartedEntry,
};
pub use crate::notify::NotifierHealth;
pub use crate::store::{
    AuditDetail, AuditRow, Change, Counts, DeadLetter, ExecutionFilter, ExecutionPage,
    ExecutionRow, ExecutionView, HostRow, KeyRow, LetterCount, LetterFilter, LogLine, ModuleRow,
    NewAudit, PoolUse, QueueRow, Removable, ScheduleRow, StartPlan, StoreError, TaskFilter,
    TaskState,
};

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Semaphore;

use crate::model::{Clock, ExecutionId, HostId, Ids, Limits, Name, Tracer, Wake};
use crate::notify::Notifier;
use crate::sandbox::Sandbox;
use crate::store::{self, ClaimFilter, Committer, Store};

use deployments::Deployments;
use schema::Schemas;

/// What orders are carried to.
#[derive(Debug)]
pub struct Parts {
    /// The truth.
    pub store: Arc<dyn Store>,
    /// Which admits modules.
    pub sandbox: Sandbox,
    /// Where hints go.
    pub notifier: Arc<dyn Notifier>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub ids: Arc<dyn Ids>,
    /// Where spans go.
    pub tracer: Arc<dyn Tracer>,
    /// Every bound.
    pub limits: Limits,
    /// What this host takes: what it accepts beyond that is begun elsewhere.
    pub filter: ClaimFilter,
}

/// In whose name everything is written. A host that was declared dead goes on under another.
#[derive(Debug)]
pub struct Identity {
    /// This incarnation.
    pub host: HostId,
    /// Through which its starts are written.
    pub committer: Committer,
}

/// Takes orders. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Dispatch {
    parts: Arc<Parts>,
    identity: Arc<RwLock<Arc<Identity>>>,
    deployments: Arc<Deployments>,
    schemas: Arc<Schemas>,
    keyring: Arc<keys::Keyring>,
    /// For the audit log.
    noted: Arc<audit::Noted>,
    /// One for each journal that may still be followed.
    followers: Arc<Semaphore>,
}

/// What this room answers.
pub type Result<T, E = DispatchError> = std::result::Result<T, E>;

impl Dispatch {
    /// Ready to take orders.
    pub fn new(parts: Parts, identity: Identity) -> Self {
        Self {
            followers: Arc::new(Semaphore::new(parts.limits.followers_max)),
            parts: Arc::new(parts),
            identity: Arc::new(RwLock::new(Arc::new(identity))),
            deployments: Arc::default(),
            schemas: Arc::default(),
            keyring: Arc::default(),
            noted: Arc::default(),
        }
    }

    /// From here on orders are written in that name.
    pub fn go_on_as(&self, identity: Identity) {
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(identity);
    }

    fn identity(&self) -> Arc<Identity> {
        Arc::clone(&self.identity.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn host(&self) -> HostId {
        self.identity().host
    }

    /// The bounds it keeps.
    pub fn limits(&self) -> &Limits {
        &self.parts.limits
    }

    /// How well hints travel between hosts.
    pub fn notifier_health(&self) -> NotifierHealth {
        self.parts.notifier.health()
    }

    fn store(&self) -> &dyn Store {
        &*self.parts.store
    }

    /// Hints that an arrival lies in an inbox: its owner looks, or any host claims it.
    async fn wake_for(&self, execution: ExecutionId, owner: Option<HostId>) -> Result<()> {
        let wake = match owner {
            Some(owner) => Wake::Arrival { owner, execution },
            None => Wake::Work { queue: self.queue_of(execution).await? },
        };
        self.parts.notifier.wake(wake);
        Ok(())
    }

    /// Where nobody knows whether something was brought to an execution, whoever has it looks: in vain at worst.
    async fn heard<T>(&self, execution: ExecutionId, answer: store::Result<T>) -> Result<T> {
        if let Err(StoreError::Unknown(_)) = &answer
            && let Some(view) = self.store().execution(execution).await?
        {
            self.wake_for(execution, view.owner).await?;
        }
        Ok(answer?)
    }

    async fn queue_of(&self, execution: ExecutionId) -> Result<Name> {
        let view = self.store().execution(execution).await?;
        Ok(view.map_or_else(Name::default_queue, |view| view.row.routing.queue))
    }
}
