//! A host as its notifier sees it.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use stepwell::model::{ExecutionId, HostId, Ids, Name, RandomIds, SystemClock, Wake};
use stepwell::notify::{Hints, Notifier, NotifierHealth, RedisNotifier};
use tokio::time::timeout;

/// What does not come within this long does not come. Longer than any pause of the code.
const COMES_WITHIN: Duration = Duration::from_secs(20);

/// One that listens.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) id: HostId,
    notifier: RedisNotifier,
}

impl Deref for Host {
    type Target = RedisNotifier;

    fn deref(&self) -> &RedisNotifier {
        &self.notifier
    }
}

impl Host {
    /// One that begins to connect.
    pub(crate) fn begin(url: &str) -> Self {
        let notifier =
            RedisNotifier::connect(url, Arc::new(SystemClock::new()), Arc::new(RandomIds)).unwrap();
        Self { id: RandomIds.host(), notifier }
    }

    /// One that is connected and listens to what is for it.
    pub(crate) async fn join(url: &str) -> Self {
        let host = Self::begin(url);
        // It is told to look when it listens.
        let hints = host.hear().await;
        assert_eq!(hints, Hints { work: true, arrivals: Vec::new(), lost: true });
        host
    }

    /// The hints that come next.
    pub(crate) async fn hear(&self) -> Hints {
        within(self.notifier.hints(self.id)).await
    }

    /// The arrivals that come next, whatever else is hinted at before.
    pub(crate) async fn hear_arrivals(&self) -> Vec<ExecutionId> {
        loop {
            let hints = self.hear().await;
            if !hints.arrivals.is_empty() {
                return hints.arrivals;
            }
        }
    }

    /// Waits until hints travel, or until they do not.
    pub(crate) async fn wait_for(&self, is_so: impl Fn(NotifierHealth) -> bool) {
        let mut health = self.notifier.watch_health();
        within(health.wait_for(|health| is_so(*health))).await.unwrap();
    }

    /// Hints at an arrival for another host.
    pub(crate) fn send(&self, owner: HostId, execution: ExecutionId) {
        self.notifier.wake(Wake::Arrival { owner, execution });
    }

    /// Hints at work.
    pub(crate) fn offer_work(&self) {
        self.notifier.wake(Wake::Work { queue: Name::default_queue() });
    }
}

pub(crate) fn is_connected(health: NotifierHealth) -> bool {
    health == NotifierHealth::Connected
}

pub(crate) fn is_lost(health: NotifierHealth) -> bool {
    matches!(health, NotifierHealth::Lost { .. })
}

/// Fails where something does not come.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(COMES_WITHIN, future).await.expect("what was waited for did not come")
}

/// The id of an execution that nobody runs.
pub(crate) fn execution(number: u32) -> ExecutionId {
    ExecutionId::from_bytes(u128::from(number).to_be_bytes())
}
