//! What an activation does while its guest waits.

use tokio_util::sync::CancellationToken;

use super::super::hot::Nudge;
use super::super::local::LocalEnd;
use super::{Activation, Over};
use crate::journal::Replay;
use crate::model::{Clock, Timestamp};

/// What ended a wait.
#[derive(Debug)]
enum Woken {
    End(LocalEnd),
    Nudge(Nudge),
    Time,
    Draining,
    Over,
    Killed,
}

impl Activation {
    /// Begins what was called, takes in what arrives, writes; returns when there is something for the guest to read.
    pub(super) async fn rest(&mut self, mut replay: Replay, bytes: u64) -> Result<Replay, Over> {
        self.take_in_inbox(&mut replay);
        self.begin_work(&mut replay);
        let hot_until = self.crew.clock.now() + self.crew.limits.hot_for;
        let mut is_waiting = false;
        loop {
            if self.crew.stop.hard.is_cancelled() {
                return Err(Over::Done);
            }
            self.take_in_ready(&mut replay);
            self.end_if_forced(&mut replay).await?;
            while self.must_write(&replay) {
                self.write(&mut replay).await?;
                self.settle_existing(&mut replay).await?;
            }
            if self.crew.stop.over.is_cancelled() {
                return Err(self.hand_over(replay).await);
            }
            if self.is_paused {
                return Err(self.park(replay).await);
            }
            if replay.has_ahead() {
                self.crew.hot.run(self.id());
                return Ok(replay);
            }
            if self.should_park(hot_until) {
                return Err(self.park(replay).await);
            }
            if !is_waiting {
                self.crew.hot.wait(self.id(), bytes);
                is_waiting = true;
            }
            match self.wait(&replay, hot_until).await {
                Woken::End(end) => self.take_end(&mut replay, end),
                Woken::Nudge(Nudge::Look) => self.look(&mut replay).await?,
                Woken::Nudge(Nudge::Park) => return Err(self.park(replay).await),
                Woken::Time => {}
                Woken::Draining => self.drain(&mut replay).await?,
                Woken::Over => return Err(self.hand_over(replay).await),
                Woken::Killed => return Err(Over::Done),
            }
        }
    }

    fn should_park(&self, hot_until: Timestamp) -> bool {
        let is_idle = self.locals.is_empty();
        let is_draining = self.crew.stop.soft.is_cancelled() && is_idle;
        // What was lost with its host and only waits is not to be blamed for the next one: parked, it is not lost with it.
        let only_waits = self.row.losses > 0 && is_idle;
        is_draining || only_waits || self.crew.clock.now() >= hot_until
    }

    /// Whether what is pending can wait no longer: it holds events, or others must see it, or it has waited enough.
    fn must_write(&mut self, replay: &Replay) -> bool {
        if !self.draft.is_empty() || (replay.has_ahead() && replay.has_pending()) {
            return true;
        }
        if !replay.has_pending() {
            self.lazy_at = None;
            return false;
        }
        let now = self.crew.clock.now();
        now >= *self.lazy_at.get_or_insert(now + self.crew.limits.lazy_for)
    }

    /// Every arm only waits, so dropping the others loses nothing.
    async fn wait(&mut self, replay: &Replay, hot_until: Timestamp) -> Woken {
        let due = [replay.next_timer(), self.expires_at, self.lazy_at, Some(hot_until)];
        let due = due.into_iter().flatten().min().unwrap_or(hot_until);
        let clock: &dyn Clock = &*self.crew.clock;
        let soft = &self.crew.stop.soft;
        tokio::select! {
            biased;
            () = self.crew.stop.hard.cancelled() => Woken::Killed,
            Some(end) = self.ends.recv() => Woken::End(end),
            Some(nudge) = self.nudges.recv() => Woken::Nudge(nudge),
            () = self.crew.stop.over.cancelled() => Woken::Over,
            () = cancelled_first(soft), if !soft.is_cancelled() => Woken::Draining,
            () = clock.sleep_until(due) => Woken::Time,
        }
    }

    /// The host stops: what waits for a slot is left to others, what runs is waited for.
    async fn drain(&mut self, replay: &mut Replay) -> Result<(), Over> {
        self.look(replay).await
    }
}

async fn cancelled_first(token: &CancellationToken) {
    token.cancelled().await;
}
