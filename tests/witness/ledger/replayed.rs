//! L6: replaying a journal in a fresh sandbox gives the same commands, the same outcome and the same fuel, and performs
//! nothing.

use stepwell::journal::{Body, Ended, Replay, effective};
use stepwell::model::{Outcome, kind};
use stepwell::sandbox::{Broken, Turn};

use super::{Ledger, Record};

/// How a workflow ends that goes past a limit of its own.
const LIMITS: [&str; 2] = [kind::FUEL_EXHAUSTED, kind::JOURNAL_FULL];

/// What does not hold.
pub(super) async fn breaches(ledger: &mut Ledger, record: &Record) -> Vec<String> {
    let row = &record.view.row;
    let read = record.entries.iter().filter(|entry| entry.seq >= row.base).cloned().collect();
    let entries = effective(read);
    let Some(Body::Ended(ended)) = entries.last().map(|entry| entry.body.clone()) else {
        return Vec::new();
    };
    // Its guest was not asked, so there is nothing that it would do again.
    if ended.fuel == 0 {
        return Vec::new();
    }
    let module = ledger.module(row.module).await;
    let replay = Replay::new(row.id, row.run, entries, &ledger.limits).unwrap();
    let mut guest = ledger.sandbox.run_workflow(&module, replay);
    match guest.turn().await {
        Turn::Returned(replay, outcome, fuel) => {
            let mut found = same(&ended, &outcome, fuel);
            if replay.has_pending() {
                found.push("L6: its replay did something new".to_owned());
            }
            found
        }
        // A replay may use twice the fuel, and counts the entry of the end too: what went past a limit must do so again.
        Turn::Broke(_, Broken::Failed(failure), _) if LIMITS.contains(&&*failure.kind) => {
            let was_so = ended.outcome.is_err_and(|was| was.is(&failure.kind));
            if was_so { Vec::new() } else { vec![format!("L6: its replay ended with {failure}")] }
        }
        Turn::Broke(_, Broken::Failed(failure), fuel) => same(&ended, &Err(failure), fuel),
        Turn::Broke(_, broken, _) => vec![format!("L6: its replay broke: {broken:?}")],
        Turn::Waits(_) => vec!["L6: its replay waits where it had ended".to_owned()],
        Turn::Lost(error) => vec![format!("L6: its replay was lost: {error}")],
    }
}

fn same(ended: &Ended, outcome: &Outcome, fuel: u64) -> Vec<String> {
    let mut found = Vec::new();
    if *outcome != ended.outcome {
        found.push(format!("L6: it ended with {:?}, its replay with {outcome:?}", ended.outcome));
    }
    if fuel != ended.fuel {
        found.push(format!("L6: it used {} units of fuel, its replay {fuel}", ended.fuel));
    }
    found
}
