//! The ends of tasks, many in one commit.

use std::collections::HashMap;

use super::additions::Additions;
use super::limits::Touched;
use super::locks::Standings;
use super::stopping;
use super::tasks::Taken;
use super::transaction::Transaction;
use crate::model::{HostId, TaskId};
use crate::store::dialect::{Dialect, Fault};
use crate::store::row::Reading;
use crate::store::statements;
use crate::store::value::{Rows, values};
use crate::store::view::{Delivered, StoppingTask};
use crate::store::write::TaskSettled;

/// Deletes exactly the rows of (id, owner, attempt) that are there: what is written for their executions comes of these. The others
/// may be those of dropped calls, which only free their slots.
pub(super) async fn take<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    host: HostId,
    ends: &[(usize, &TaskSettled)],
) -> Result<(HashMap<TaskId, Taken>, Touched), Fault> {
    let asked: Rows =
        ends.iter().map(|(_, end)| values![end.task.id, host, end.task.attempt]).collect();
    let rows = transaction.fetch_many(statements::TAKE_TASKS, asked).await?;
    let mut taken = HashMap::with_capacity(rows.len());
    for mut row in rows {
        let rest = row.split_off(1);
        let id = Reading::of("tasks", row).task("id")?;
        taken.insert(id, Taken::read(rest)?);
    }
    let gone = ends.iter().map(|(_, end)| &end.task).filter(|task| !taken.contains_key(&task.id));
    let gone = gone.map(|task| StoppingTask { task: task.id, attempt: task.attempt });
    let touched = stopping::take_stopped(transaction, host, gone).await?;
    Ok((taken, touched))
}

/// Brings the outcome of a task that was taken to its execution, whose row is locked.
pub(super) fn bring<'a>(
    (end, taken): (&'a TaskSettled, &Taken),
    standings: &mut Standings,
    additions: &mut Additions<'a>,
) -> Delivered {
    additions.touched.extend(taken.limits.iter().flatten().cloned());
    for noted in &end.notes {
        additions.note(taken.execution, taken.run, noted);
    }
    if let Some(dead) = &end.dead_letter {
        additions.dead_letter((taken.execution, taken.run), dead, taken.queue.as_ref());
    }
    // What it brought is kept even where its own execution has ended meanwhile.
    if let Some(key) = taken.leads {
        additions.led(key, end.task.id, &end.outcome);
    }
    let Some(standing) = standings.get_mut(&taken.execution) else { return Delivered::Missing };
    let arrival = taken.settled(end.outcome.clone(), end.usage, end.task.attempt);
    if !standing.receive(&arrival, additions.now) {
        return Delivered::Ended(standing.state);
    }
    additions.arrival(taken.execution, &arrival);
    Delivered::To { owner: standing.owner }
}
