//! Keeps a link to Redis, and what goes over it.

use std::sync::Arc;

use fred::error::Error;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::address::Address;
use super::link::{Ear, Heard, Link};
use super::message::{Message, Speaker};
use super::outbox::{Hearer, Outbox};
use super::pause::{GOOD_AFTER, pause_after};
use crate::model::{Clock, ExecutionId, HostId, Ids, Name, Wake};
use crate::notify::{LocalNotifier, Notifier, NotifierHealth};

/// How often an idle link is asked whether it is still there.
const PING_EVERY: std::time::Duration = std::time::Duration::from_secs(5);

/// What a notifier and its keeper share.
#[derive(Debug)]
pub(super) struct Shared {
    /// Where hints are put for this process.
    pub(super) board: LocalNotifier,
    /// What others are to be told.
    pub(super) outbox: Outbox,
    /// The incarnation that listens here, once it is known.
    pub(super) host: watch::Sender<Option<HostId>>,
    /// How well hints travel.
    pub(super) health: watch::Sender<NotifierHealth>,
}

/// The one task behind a notifier.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) address: Address,
    pub(super) shared: Arc<Shared>,
    pub(super) speaker: Speaker,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn Ids>,
    pub(super) stop: CancellationToken,
}

/// Attempts in vain, one after the other.
#[derive(Debug, Default)]
struct Vain {
    attempts: u32,
    /// Whether it was said that Redis is lost.
    is_told: bool,
}

impl Keeper {
    /// Keeps a link open until it is stopped.
    pub(super) async fn run(self) {
        let mut vain = Vain::default();
        while let Some((link, mut ear)) = self.open(&mut vain).await {
            self.found(&mut vain);
            let opened = self.clock.monotonic();
            let broken = tokio::select! {
                error = self.hear(&link, &mut ear) => error,
                error = self.speak(&link) => error,
                error = beat(&link) => error,
                () = self.stop.cancelled() => return self.take_leave(&link).await,
            };
            if self.clock.monotonic().saturating_sub(opened) > GOOD_AFTER {
                vain.attempts = 0;
            }
            self.lost(&mut vain, &broken);
        }
    }

    /// Tries until it succeeds. None: it was stopped.
    async fn open(&self, vain: &mut Vain) -> Option<(Link, Ear)> {
        loop {
            let attempt = async {
                sleep(pause_after(vain.attempts, self.chance())).await;
                let host = *self.shared.host.borrow();
                Link::open(&self.address, host).await
            };
            let opened = tokio::select! {
                opened = attempt => opened,
                () = self.stop.cancelled() => return None,
            };
            match opened {
                Ok(link) => return Some(link),
                Err(error) => self.lost(vain, &error),
            }
        }
    }

    /// A number drawn evenly from 0 to 1.
    fn chance(&self) -> f64 {
        let [a, b, c, d, ..] = self.ids.seed();
        f64::from(u32::from_le_bytes([a, b, c, d])) / f64::from(u32::MAX)
    }

    /// Nobody knows what others have said meanwhile.
    fn found(&self, vain: &mut Vain) {
        self.shared.board.look_everywhere();
        self.shared.health.send_replace(NotifierHealth::Connected);
        if std::mem::take(&mut vain.is_told) {
            let dropped = self.shared.outbox.dropped();
            info!(dropped, "Redis is back: hints go to other hosts again");
        }
    }

    fn lost(&self, vain: &mut Vain, error: &Error) {
        vain.attempts = vain.attempts.saturating_add(1);
        if vain.is_told {
            debug!(error = %error, attempts = vain.attempts, "Redis is still lost");
            return;
        }
        vain.is_told = true;
        let since = self.clock.now();
        self.shared.health.send_replace(NotifierHealth::Lost { since });
        warn!(error = %error, "Redis is lost: hints stay within this host, and polling finds what others do");
    }

    /// Puts what others say on the board of this process, until the link breaks.
    async fn hear(&self, link: &Link, ear: &mut Ear) -> Error {
        let mut host = self.shared.host.subscribe();
        loop {
            let now = *host.borrow_and_update();
            if let Err(error) = self.rename(link, ear, now).await {
                return error;
            }
            let heard = tokio::select! {
                heard = ear.hear() => Some(heard),
                // The sender is there as long as this is.
                _renamed = host.changed() => None,
            };
            match heard {
                Some(Ok(Heard::Message(value))) => {
                    self.take_in(value.as_bytes().unwrap_or_default());
                }
                Some(Ok(Heard::TooMuch)) => {
                    debug!("More hints came than could be read: everyone looks");
                    self.shared.board.look_everywhere();
                }
                Some(Err(error)) => return error,
                None => {}
            }
        }
    }

    /// Listens to what is for this incarnation instead of the one before it. What came for it until now was not heard.
    async fn rename(&self, link: &Link, ear: &mut Ear, now: Option<HostId>) -> Result<(), Error> {
        if ear.host == now {
            return Ok(());
        }
        let before = std::mem::replace(&mut ear.host, now);
        if let Some(now) = now {
            link.listen(Hearer::One(now)).await?;
            self.shared.board.look_everywhere();
        }
        if let Some(before) = before {
            link.ignore(Hearer::One(before)).await?;
        }
        Ok(())
    }

    fn take_in(&self, bytes: &[u8]) {
        let Some((speaker, message)) = Message::decode(bytes) else {
            debug!(bytes = bytes.len(), "A message was not understood: it is ignored");
            return;
        };
        if speaker == self.speaker {
            return;
        }
        let board = &self.shared.board;
        match message {
            Message::Work => board.wake(Wake::Work { queue: Name::default_queue() }),
            Message::Changes(executions) => {
                let changes = executions.into_iter().map(|execution| Wake::Changed { execution });
                changes.for_each(|change| board.wake(change));
            }
            Message::Arrivals(executions) => self.take_in_arrivals(executions),
        }
    }

    fn take_in_arrivals(&self, executions: Vec<ExecutionId>) {
        // It came on the channel of this host, whose name was given before anything could.
        let Some(owner) = *self.shared.host.borrow() else { return };
        for execution in executions {
            self.shared.board.wake(Wake::Arrival { owner, execution });
        }
    }

    /// Sends what is gathered, and then what was gathered meanwhile, until the link breaks.
    async fn speak(&self, link: &Link) -> Error {
        loop {
            let messages = self.shared.outbox.filled().await;
            if let Err(error) = link.say(self.speaker, messages).await {
                return error;
            }
        }
    }

    /// Sends what is still to be said: what a host hands over when it stops is claimed at once elsewhere.
    async fn take_leave(&self, link: &Link) {
        let said = link.say(self.speaker, self.shared.outbox.take()).await;
        // What was under way before is answered before this is.
        let heard = link.ping().await;
        if let Err(error) = said.and(heard) {
            debug!(error = %error, "The last hints did not reach Redis");
        }
    }
}

/// Asks now and then whether the link is still there, until it is not.
async fn beat(link: &Link) -> Error {
    loop {
        sleep(PING_EVERY).await;
        if let Err(error) = link.ping().await {
            return error;
        }
    }
}
