//! The next run of an execution that has ended badly, or is blocked.

use std::collections::HashSet;

use super::SqlStore;
use super::additions::Additions;
use super::limits::{self, Touched};
use super::locks::{lock_one, write_back};
use super::removal::is_being_removed;
use super::rows;
use super::standing::Standing;
use super::stopping;
use super::transaction::Transaction;
use crate::journal::{self, Body, Entry, RunEntry, RunReason, effective};
use crate::model::{
    ExecutionId, ExecutionState, HostId, ModuleDigest, Promise, Run, Seq, Timestamp,
};
use crate::store::dialect::{Dialect, Fault};
use crate::store::row::Reading;
use crate::store::statements;
use crate::store::value::{Rows, values};
use crate::store::view::Revived;
use crate::store::{Result, Revival};

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn revive_execution(
        &self,
        host: HostId,
        execution: ExecutionId,
        revival: &Revival,
    ) -> Result<Revived> {
        let mut transaction = self.begin(host).await?;
        let Some(mut standing) = lock_one(&mut transaction, execution).await? else {
            transaction.leave().await?;
            return Ok(Revived::Missing);
        };
        if let Some(refused) = refusal(&mut transaction, &standing, revival.why).await? {
            transaction.leave().await?;
            return Ok(refused);
        }
        let rows = transaction.fetch(statements::READ_JOURNAL, values![execution, standing.base]);
        let entries = effective(rows::entries(execution, rows.await?)?);
        // Promises are numbered anew by whoever continues as new: one of before has gone on.
        let first_run = entries.first().map_or(standing.run, |first| first.run);
        if revival.of_run.is_some_and(|run| run < first_run) {
            transaction.leave().await?;
            return Ok(Revived::WentOn);
        }
        let promise = revival.redrive.as_ref().map(|redrive| redrive.promise);
        let Ok(plan) = journal::plan(&entries, revival.why, promise) else {
            transaction.leave().await?;
            return Ok(Revived::WentOn);
        };
        if revival.dry_run {
            transaction.leave().await?;
            return Ok(Revived::Ready(standing.run.next()));
        }
        let last = last_entry(&mut transaction, execution).await?;
        let module = match revival.module {
            Some(module) => module,
            None => module_of(&mut transaction, execution).await?,
        };
        let touched = rebase(&mut transaction, &standing, plan.first_undone).await?;
        standing.revive(transaction.now);
        let mut additions = Additions::new(transaction.now);
        let run = RunEntry {
            from: plan.from,
            why: revival.why,
            module,
            signal_ids: Vec::new(),
            redrive: revival.redrive.clone(),
        };
        let bodies = std::iter::once(Body::Run(run)).chain(plan.carried);
        let (mut seq, recorded_at) = (last.0, last.1.max(revival.at));
        for body in bodies {
            seq = seq.next();
            // The `run` entry says which notes of the run before are not to be taken again.
            let noted = if matches!(body, Body::Run(_)) { plan.noted } else { 0 };
            let entry = Entry { seq, run: standing.run, recorded_at, noted, body };
            additions.entry(execution, &entry);
        }
        additions.write(&mut transaction).await?;
        write_back(&mut transaction, [&standing]).await?;
        transaction.execute(statements::REVIVE, values![execution, module, revival.at]).await?;
        // Where nothing is superseded, what has failed may still lie in the inbox.
        if plan.from != last.0 {
            let kept = (first_run, &plan.still_failed);
            discard_superseded(&mut transaction, execution, kept).await?;
        }
        limits::open(&mut transaction, touched).await?;
        transaction.commit().await?;
        Ok(Revived::Ready(standing.run))
    }
}

/// Why it is not revived, as far as that is seen without its journal.
async fn refusal<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    standing: &Standing,
    why: RunReason,
) -> Result<Option<Revived>, Fault> {
    let (id, state) = (standing.id, standing.state);
    if is_being_removed(transaction, id).await? {
        return Ok(Some(Revived::Missing));
    }
    // What completed in spite of the failure has handled it.
    if why == RunReason::Redrive && state == ExecutionState::Completed {
        return Ok(Some(Revived::WentOn));
    }
    if !may_be_revived(state, why) {
        return Ok(Some(Revived::NotInState(state)));
    }
    if why != RunReason::Redrive {
        return Ok(None);
    }
    Ok(told_parent(transaction, id).await?.map(Revived::ParentTold))
}

fn may_be_revived(state: ExecutionState, why: RunReason) -> bool {
    match state {
        ExecutionState::Failed => true,
        ExecutionState::TimedOut | ExecutionState::Cancelled | ExecutionState::Blocked => {
            why != RunReason::Redrive
        }
        ExecutionState::Pending
        | ExecutionState::Running
        | ExecutionState::Waiting
        | ExecutionState::Cancelling
        | ExecutionState::Completed => false,
    }
}

/// Takes what is under way for the promises that still count into the next run, and removes the rest; says whose limits that
/// touches.
async fn rebase<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    standing: &Standing,
    first_gone: Promise,
) -> Result<Touched, Fault> {
    let (id, run, next) = (standing.id, standing.run, standing.run.next());
    let gone = transaction.fetch(statements::DROP_TASKS_FROM, values![id, first_gone]).await?;
    let dropped = stopping::let_go(transaction, gone).await?;
    transaction.execute(statements::DROP_INBOX_FROM, values![id, first_gone]).await?;
    transaction.execute(statements::REBASE_TASKS, values![id, run, next]).await?;
    transaction.execute(statements::REBASE_INBOX, values![id, run, next]).await?;
    let values = values![id, run, next, first_gone];
    transaction.execute(statements::REBASE_CHILDREN, values).await?;
    Ok(dropped.touched)
}

/// Removes the dead letters of steps that the next run calls again, or no longer knows. Those of before the execution continued as
/// new stay.
async fn discard_superseded<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    execution: ExecutionId,
    (first_run, still_failed): (Run, &HashSet<Promise>),
) -> Result<(), Fault> {
    let letters = transaction.fetch(statements::READ_DEAD_LETTERS_OF, values![execution]).await?;
    let mut superseded = Rows::default();
    for letter in letters {
        let mut letter = Reading::of("dead_letters", letter);
        let (id, run) = (letter.i64("id")?, Run(letter.number("run")?));
        let promise = Promise(letter.number("promise")?);
        if run >= first_run && !still_failed.contains(&promise) {
            superseded.push(values![id]);
        }
    }
    transaction.fetch_many(statements::DISCARD_DEAD_LETTERS, superseded).await?;
    Ok(())
}

async fn last_entry<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    execution: ExecutionId,
) -> Result<(Seq, Timestamp), Fault> {
    let rows = transaction.fetch(statements::READ_LAST, values![execution]).await?;
    let mut row = Reading::of("journal", rows.into_iter().next().unwrap_or_default());
    Ok((Seq(row.number("seq")?), row.time("recorded_at")?))
}

/// The parent that was told how this one ended. A detached child goes its own way.
async fn told_parent<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    execution: ExecutionId,
) -> Result<Option<ExecutionId>, Fault> {
    let rows = transaction.fetch(statements::READ_EXECUTION, values![execution]).await?;
    let row = rows::execution(rows.into_iter().next().unwrap_or_default())?.row;
    Ok(row.parent.filter(|parent| !parent.detached).map(|parent| parent.execution))
}

async fn module_of<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    execution: ExecutionId,
) -> Result<ModuleDigest, Fault> {
    let rows = transaction.fetch(statements::READ_EXECUTION, values![execution]).await?;
    Ok(rows::execution(rows.into_iter().next().unwrap_or_default())?.row.module)
}
