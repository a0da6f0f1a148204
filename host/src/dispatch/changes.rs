//! Waiting for an execution to change.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::Dispatch;
use crate::model::ExecutionId;

/// The shortest and the longest pause between two looks at an execution that nobody hints at.
const POLL: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// Hears of what may have changed. Make it before you look.
#[derive(Debug)]
pub(super) struct Changes {
    /// None: nobody hints any more, so that the poll alone finds it.
    hints: Option<watch::Receiver<u64>>,
    pause: Duration,
}

/// Why to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Somebody said so.
    Hint,
    /// Nobody has for a while.
    Poll,
}

impl Dispatch {
    /// Listens to the changes of an execution.
    pub(super) fn changes(&self, execution: ExecutionId) -> Changes {
        Changes { hints: Some(self.parts.notifier.watch(execution)), pause: POLL.0 }
    }
}

impl Changes {
    /// Waits until a look may find something. Where nobody hints, the pauses grow. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Cause {
        let hinted = tokio::select! {
            hinted = hint(&mut self.hints) => Some(hinted),
            () = sleep(self.pause) => None,
        };
        match hinted {
            Some(Ok(())) => Cause::Hint,
            Some(Err(_gone)) => {
                self.hints = None;
                Cause::Hint
            }
            None => {
                self.pause = longer(self.pause);
                Cause::Poll
            }
        }
    }

    /// A look has found something: the next pause is a short one.
    pub(super) fn found(&mut self) {
        self.pause = POLL.0;
    }
}

fn longer(pause: Duration) -> Duration {
    (2 * pause).min(POLL.1)
}

async fn hint(hints: &mut Option<watch::Receiver<u64>>) -> Result<(), watch::error::RecvError> {
    match hints {
        Some(hints) => hints.changed().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nobody_hints_the_pauses_grow_to_five_seconds() {
        let pauses = std::iter::successors(Some(POLL.0), |pause| Some(longer(*pause)));

        let pauses: Vec<_> = pauses.take(7).map(|pause| pause.as_millis()).collect();

        assert_eq!(pauses, [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    }

    #[tokio::test]
    async fn a_hint_ends_the_pause_and_where_hints_end_the_poll_goes_on() {
        let (hinting, hints) = watch::channel(0);
        let mut changes = Changes { hints: Some(hints), pause: POLL.0 };
        hinting.send_replace(1);

        assert_eq!(changes.next().await, Cause::Hint);
        drop(hinting);
        assert_eq!(changes.next().await, Cause::Hint);
        assert_eq!(changes.next().await, Cause::Poll);
        assert_eq!(changes.pause, longer(POLL.0));
        changes.found();
        assert_eq!(changes.pause, POLL.0);
    }
}
