//! What pages remember between two looks, so that many who look cost no more than one.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::dispatch::{Counts, Dispatch, Result};
use crate::model::{History, Stopwatch};

/// Counts are not older than this many seconds, where counting is quick,
const FRESH_SECONDS: f64 = 1.0;
/// and otherwise not more than this many times as old as counting takes: with millions of executions it is no small thing.
const AGE_BY_COST: f64 = 20.0;

/// What this host's pages share.
#[derive(Debug, Default)]
pub(in crate::http) struct Board {
    history: Arc<History>,
    counted: Mutex<Option<Counted>>,
}

#[derive(Debug)]
struct Counted {
    at: Stopwatch,
    took_seconds: f64,
    counts: Arc<Counts>,
}

impl Board {
    /// One that tells what is written into this history.
    pub(in crate::http) fn of(history: Arc<History>) -> Self {
        Self { history, counted: Mutex::default() }
    }

    /// What this host did of late.
    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// How much there is of what: counted now, or not long ago.
    pub(super) async fn counts(&self, dispatch: &Dispatch) -> Result<Arc<Counts>> {
        let mut counted = self.counted.lock().await;
        if let Some(known) = counted.as_ref().filter(|known| known.is_fresh()) {
            return Ok(Arc::clone(&known.counts));
        }
        let watch = Stopwatch::start();
        let counts = Arc::new(dispatch.counts().await?);
        let (at, took_seconds) = (Stopwatch::start(), watch.seconds());
        *counted = Some(Counted { at, took_seconds, counts: Arc::clone(&counts) });
        Ok(counts)
    }
}

impl Counted {
    fn is_fresh(&self) -> bool {
        self.at.seconds() < FRESH_SECONDS.max(self.took_seconds * AGE_BY_COST)
    }
}
