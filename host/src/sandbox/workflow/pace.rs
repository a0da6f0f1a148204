//! The wall clock of a segment: it runs while the guest does, and stands still while the guest waits.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// What the guest's side tells the side that drives it.
#[derive(Debug, Default)]
pub(super) struct Pace {
    waiting: AtomicBool,
    segment: AtomicU64,
}

/// A segment has taken longer by the wall clock than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Late;

impl Pace {
    /// The guest waits for the world.
    pub(super) fn rest(&self) {
        self.waiting.store(true, Ordering::Relaxed);
    }

    /// The guest goes on, in a new segment.
    pub(super) fn go_on(&self) {
        self.waiting.store(false, Ordering::Relaxed);
        self.turn_page();
    }

    /// A new segment begins.
    pub(super) fn turn_page(&self) {
        self.segment.fetch_add(1, Ordering::Relaxed);
    }
}

/// Drives a guest to its end, unless one segment takes longer than `segment_max`.
pub(super) async fn drive<T>(
    guest: impl Future<Output = T>,
    pace: Arc<Pace>,
    segment_max: Duration,
) -> Result<T, Late> {
    let mut guest = pin!(guest);
    let mut watch = Watch { timer: Box::pin(sleep(segment_max)), segment_max, segment: 0, pace };
    poll_fn(move |context| {
        // The guest first: it yields often, and what it has finished counts.
        if let Poll::Ready(done) = guest.as_mut().poll(context) {
            return Poll::Ready(Ok(done));
        }
        watch.poll_late(context).map(Err)
    })
    .await
}

struct Watch {
    timer: Pin<Box<Sleep>>,
    segment_max: Duration,
    segment: u64,
    pace: Arc<Pace>,
}

impl Watch {
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<Late> {
        if self.pace.waiting.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        let segment = self.pace.segment.load(Ordering::Relaxed);
        if segment != self.segment {
            self.segment = segment;
            self.timer.set(sleep(self.segment_max));
        }
        self.timer.as_mut().poll(context).map(|()| Late)
    }
}
