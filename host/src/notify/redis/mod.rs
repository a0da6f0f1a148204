//! Hints to other hosts, over Redis.
//!
//! [`RedisNotifier`] is a [`LocalNotifier`] that also tells the hosts beside it. What others must know is gathered, each hint
//! once ([`outbox`]), and sent by one task ([`keeper`]) as soon as what it sent before has arrived: where it is quiet a hint
//! goes out at once, and under load many go in one message, without a timer. Nothing is kept in Redis.
//!
//! A hint about work or a change goes to all hosts; one about an arrival goes to its owner alone, or nowhere, where that is
//! this host. Where the link breaks, it is opened anew, and as what others said meanwhile is not known, everyone here looks.

mod address;
mod examine;
mod keeper;
mod link;
mod message;
mod outbox;
mod pause;

pub use address::NotifyError;
pub use examine::{RedisExamination, RedisFault, examine_redis};

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::address::Address;
use self::keeper::{Keeper, Shared};
use self::message::Speaker;
use self::outbox::Outbox;
use super::{Hints, LocalNotifier, Notifier, NotifierHealth};
use crate::model::{Clock, ExecutionId, HostId, Ids, Wake};

/// The notifier of a host that has others beside it.
#[derive(Debug)]
pub struct RedisNotifier {
    shared: Arc<Shared>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl RedisNotifier {
    /// Begins to connect to the Redis at `url`, on the runtime this is called on, and keeps the connection until it is closed
    /// or dropped. That Redis is away is no error: hints stay within this process until it is there.
    ///
    /// `redis://host:6379`, with user and password before the host, `rediss` with TLS. Channels are `stepwell:<namespace>:…`;
    /// the namespace is the query's `namespace`, or the number of the database, or 0. Hosts on one database share one.
    pub fn connect(
        url: &str,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, NotifyError> {
        let shared = Arc::new(Shared {
            board: LocalNotifier::default(),
            outbox: Outbox::default(),
            host: watch::Sender::new(None),
            health: watch::Sender::new(NotifierHealth::Lost { since: clock.now() }),
        });
        let stop = CancellationToken::new();
        let keeper = Keeper {
            address: Address::read(url)?,
            shared: Arc::clone(&shared),
            speaker: Speaker(ids.seed()),
            clock,
            ids,
            stop: stop.clone(),
        };
        let tracker = TaskTracker::new();
        tracker.spawn(keeper.run());
        tracker.close();
        Ok(Self { shared, tracker, stop })
    }

    /// Hears of every change of its health.
    pub fn watch_health(&self) -> watch::Receiver<NotifierHealth> {
        self.shared.health.subscribe()
    }

    /// Who has to know.
    fn hearers(&self, wake: &Wake) -> Hearers {
        match wake {
            Wake::Work { .. } | Wake::Changed { .. } => Hearers::All,
            Wake::Arrival { owner, execution: _ } => match *self.shared.host.borrow() {
                Some(host) if host == *owner => Hearers::Here,
                Some(_another) => Hearers::Elsewhere,
                // This host has not said yet who it is.
                None => Hearers::All,
            },
        }
    }
}

enum Hearers {
    Here,
    Elsewhere,
    All,
}

impl Drop for RedisNotifier {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[async_trait]
impl Notifier for RedisNotifier {
    fn wake(&self, wake: Wake) {
        let Shared { board, outbox, .. } = &*self.shared;
        match self.hearers(&wake) {
            Hearers::Here => board.wake(wake),
            Hearers::Elsewhere => outbox.put(&wake),
            Hearers::All => {
                outbox.put(&wake);
                board.wake(wake);
            }
        }
    }

    fn watch(&self, execution: ExecutionId) -> watch::Receiver<u64> {
        self.shared.board.watch(execution)
    }

    async fn hints(&self, host: HostId) -> Hints {
        self.shared.host.send_if_modified(|before| before.replace(host) != Some(host));
        self.shared.board.hints(host).await
    }

    fn health(&self) -> NotifierHealth {
        *self.shared.health.borrow()
    }

    async fn close(&self) {
        self.stop.cancel();
        self.tracker.wait().await;
    }
}
