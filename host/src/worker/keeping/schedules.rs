//! Firing schedules, by whichever host is first.
//!
//! Renewals and looks for work say when the next schedule is due, and this duty sleeps until then. Every host wakes; the row's
//! lock lets one of them fire, and the others find nothing left to do. The store's clock decides whether it is time.

use std::time::Duration;

use async_trait::async_trait;
use tracing::{debug, info, warn};

use super::super::crew::Crew;
use super::{Rest, rest_until};
use crate::model::{Failure, ScheduleSpec, Timestamp};
use crate::store::{Fired, Planned, Renewal, StartPlan, StoreError};

/// Schedules that one transaction fires at most.
const SCHEDULES_AT_ONCE: u32 = 64;
/// How soon a host looks again that has found nothing to do: another is at it, or its own clock is a little ahead. As long as
/// that lasts the pauses grow, up to the longest.
const A_LITTLE: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(5);
/// How soon it looks again after something went wrong.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Knows how a schedule starts what it starts, as the modules are now. The room that takes orders does, which this one does not
/// know; the roof brings them together.
#[async_trait]
pub trait Planner: Send + Sync + std::fmt::Debug {
    /// How, or why it cannot. An error: nobody knows at the moment.
    async fn plan(&self, spec: &ScheduleSpec) -> Result<Result<StartPlan, Failure>, StoreError>;
}

/// Fires until the worker stops.
pub(in crate::worker) async fn fire_schedules(crew: Crew) {
    let mut renewals = crew.latest_renewal();
    let mut not_before = Timestamp::default();
    let mut pause = A_LITTLE;
    loop {
        let due = renewals.borrow_and_update().as_ref().and_then(|seen| seen.next_firing);
        let due = due.map(|due| due.max(not_before));
        match rest_until(&crew, &mut renewals, due).await {
            Rest::Due => {}
            Rest::Renewed => continue,
            Rest::Over => return,
        }
        pause = match fire_due(&crew).await {
            Came::Fired => A_LITTLE,
            Came::Nothing => (2 * pause).min(LONGEST),
            Came::Broke => RETRY_AFTER,
        };
        let is_over = matches!(&*renewals.borrow(), Some(seen) if is_ahead(&crew, seen));
        if is_over {
            pause = A_LITTLE;
        }
        not_before = crew.clock.now() + pause;
    }
}

/// What came of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    Fired,
    Nothing,
    Broke,
}

/// Whether nothing is due any more.
fn is_ahead(crew: &Crew, seen: &Renewal) -> bool {
    seen.next_firing.is_none_or(|next| next > crew.clock.now())
}

/// Fires what is due, and learns what is due next.
async fn fire_due(crew: &Crew) -> Came {
    let came = match try_fire(crew).await {
        Ok(0) => Came::Nothing,
        Ok(_fired) => Came::Fired,
        // The lease's own keeper says so.
        Err(StoreError::Fenced { .. }) => return Came::Broke,
        Err(error) => {
            let cause: &dyn std::error::Error = &error;
            warn!(error = cause, "Schedules that are due could not be fired; trying again");
            Came::Broke
        }
    };
    match crew.store.look_for_work(crew.host).await {
        Ok(renewal) => crew.report(renewal),
        Err(error) => {
            info!(error = %error, "What is due next could not be read; the next renewal tells");
        }
    }
    came
}

/// Fires one transaction's worth. Says how many schedules that were.
async fn try_fire(crew: &Crew) -> Result<usize, StoreError> {
    let due = crew.store.due_schedules(crew.clock.now(), SCHEDULES_AT_ONCE).await?;
    let mut planned = Vec::with_capacity(due.len());
    for row in &due {
        let plan = crew.planner.plan(&row.spec).await?;
        let (name, version, seed) = (row.name.clone(), row.version, crew.ids.seed());
        planned.push(Planned { name, version, plan, seed });
    }
    if planned.is_empty() {
        return Ok(0);
    }
    let fired = crew.store.fire(crew.host, &planned).await?;
    for one in &fired {
        tell(crew, one);
    }
    Ok(fired.len())
}

/// Hints at what was started, and tells people what they may have to mend.
fn tell(crew: &Crew, fired: &Fired) {
    fired.wakes.iter().for_each(|wake| crew.notifier.wake(wake.clone()));
    let name = &fired.name;
    if let Some(failure) = &fired.failure {
        warn!(schedule = %name, kind = failure.kind, "Schedule {name} could not start anything: {}", failure.message);
    }
    if fired.missed {
        warn!(schedule = %name, "Firings of schedule {name} were too late to be made up for: they are left out");
    }
    if fired.skipped > 0 {
        debug!(schedule = %name, skipped = fired.skipped, "Firings of schedule {name} were left out, as another one runs");
    }
}
