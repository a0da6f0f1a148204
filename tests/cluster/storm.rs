//! One storm at a time, short or long, and the time it takes.

use std::fmt::Display;
use std::time::{Duration, Instant};

use stepwell::model::Lease;
use stepwell_test_servers::chance::Chance;
use stepwell_test_witness::ledger::begun;
use tokio::sync::{Mutex, MutexGuard};

/// Hosts share the machine with their database and with the test; two storms at once would be one of another kind.
static ALONE: Mutex<()> = Mutex::const_new(());

/// How soon whatever is waited for is looked at again.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);
/// How long the rest of the machine may keep hosts from doing what they should, where nothing else says.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A storm.
#[derive(Debug)]
pub(crate) struct Storm {
    is_long: bool,
    pub(crate) lease: Lease,
    pub(crate) chance: Chance,
    name: &'static str,
    began: Instant,
    _alone: MutexGuard<'static, ()>,
}

/// What time it is, for measurements.
#[expect(clippy::disallowed_methods, reason = "a storm measures hosts by a clock of its own")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

impl Storm {
    /// Begins when no other blows in this process.
    pub(crate) async fn begin(name: &'static str) -> Self {
        let alone = ALONE.lock().await;
        begun::forget();
        #[expect(clippy::disallowed_methods, reason = "make storm says so")]
        let form = std::env::var("STEPWELL_STORM").unwrap_or_default();
        let is_long = form == "long";
        println!("-- {name}, {}", if is_long { "long" } else { "short" });
        let lease = if is_long { Lease::default() } else { Lease::SHORTEST };
        let chance = Chance::from_environment();
        Self { is_long, lease, chance, name, began: now(), _alone: alone }
    }

    /// How much of something there is to be.
    pub(crate) fn of<T>(&self, short: T, long: T) -> T {
        if self.is_long { long } else { short }
    }

    /// By when the work of a dead host has to be free: the promise.
    pub(crate) fn freed_within(&self) -> Duration {
        self.lease.length() + Duration::from_secs(2)
    }

    /// A moment from this long up to that long.
    pub(crate) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let span = u64::try_from(most.saturating_sub(least).as_millis()).unwrap();
        least + Duration::from_millis(self.chance.next(span + 1))
    }

    /// Says something that was measured.
    pub(crate) fn tell(&self, what: impl Display) {
        println!("{} {:>6.1} s: {what}", self.name, self.began.elapsed().as_secs_f64());
    }
}

/// Lets that much of the storm pass.
pub(crate) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Looks again and again until there is something, and returns it.
#[track_caller]
pub(crate) fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    within: Duration,
    look: impl FnMut() -> F,
) -> impl Future<Output = T> {
    let place = std::panic::Location::caller();
    async move {
        let found = tokio::time::timeout(within, looked_for(look)).await;
        found.unwrap_or_else(|_elapsed| panic!("{place}: not within {within:?}: {what}"))
    }
}

async fn looked_for<T, F: Future<Output = Option<T>>>(mut look: impl FnMut() -> F) -> T {
    loop {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    }
}
