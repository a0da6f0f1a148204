//! Group commit: many writes, one transaction, a statement of each kind.

use std::collections::{BTreeSet, HashMap};

use super::SqlStore;
use super::additions::{Additions, count_by_execution};
use super::ends;
use super::limits::{self, Touched};
use super::locks::{Standings, changed_rows, check_changes, ids, lock, read_standings};
use super::results;
use super::sorted::{Sorted, depends_on_row};
use super::standing::Standing;
use super::stopping;
use super::transaction::Transaction;
use crate::model::{ExecutionId, HostId, Timestamp, Wake};
use crate::store::dialect::{Dialect, Fault, Line};
use crate::store::error::StoreError;
use crate::store::row::Reading;
use crate::store::statements;
use crate::store::value::{Rows, values};
use crate::store::write::{Append, Effects, NewExecution, RowChange, Write, Written};

/// How often a transaction that met a deadlock or a failed serialisation is sent again.
pub(super) const BUSY_RETRIES_MAX: u32 = 5;

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn commit_batch(
        &self,
        host: HostId,
        batch: &[Write],
    ) -> Result<Vec<Written>, StoreError> {
        let mut retries = 0;
        let refused = loop {
            match self.try_commit(host, batch).await {
                Ok(written) => return Ok(written),
                Err(Fault::Busy(_)) if retries < BUSY_RETRIES_MAX => retries += 1,
                Err(Fault::Refused(source)) => break source,
                Err(fault) => return Err(fault.into()),
            }
        };
        let execution = self.culprit(host, batch).await?;
        Err(StoreError::Refused { execution, source: refused })
    }

    async fn try_commit(&self, host: HostId, batch: &[Write]) -> Result<Vec<Written>, Fault> {
        if let Some(written) = self.write_plain(host, batch).await? {
            return Ok(written);
        }
        let (transaction, applied) = self.apply(host, batch).await?;
        applied.commit(transaction).await
    }

    /// The commonest batch, in one piece: appends that touch the journal alone. None: it is another, or something in it was
    /// refused, which is found out the long way.
    async fn write_plain(
        &self,
        host: HostId,
        batch: &[Write],
    ) -> Result<Option<Vec<Written>>, Fault> {
        let mut additions = Additions::new(Timestamp::default());
        for write in batch {
            match write {
                Write::Append(append) if append.owner == host && !depends_on_row(append) => {
                    additions.append(append);
                }
                Write::Say(spoken) => additions.said(spoken),
                Write::Append(_) | Write::Start(_) | Write::End(_) => return Ok(None),
            }
        }
        Sorted::of(batch)?;
        let passage = self.underway.enter().await;
        let fence = values![host, self.underway.epoch(host)];
        let fence = (statements::FENCE_OR_FAIL, Rows::from_iter([fence]));
        let script = std::iter::once(fence).chain(additions.into_script()).collect();
        let written = self.dialect.write(script).await;
        drop(passage);
        match self.settled(host, written).await {
            Ok(()) => Ok(Some(batch.iter().map(|_| Written::Done(Effects::default())).collect())),
            Err(Fault::Refused(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Does everything but the commit.
    async fn try_alone(&self, host: HostId, write: &Write) -> Result<(), Fault> {
        let (mut transaction, applied) = self.apply(host, std::slice::from_ref(write)).await?;
        applied.write(&mut transaction).await.map(|_written| ())
    }

    /// Finds which write of a refused batch is to blame, by trying each alone and taking it back.
    async fn culprit(&self, host: HostId, batch: &[Write]) -> Result<ExecutionId, StoreError> {
        let suspects = if batch.len() > 1 { batch } else { &[] };
        for write in suspects {
            match self.try_alone(host, write).await {
                Err(Fault::Refused(_)) => return Ok(write.execution()),
                Err(Fault::Store(StoreError::Refused { execution, .. })) => return Ok(execution),
                Ok(()) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(batch
            .first()
            .expect("an empty batch has no statement that could be refused")
            .execution())
    }
}

/// What a batch comes to, before its last statements.
struct Applied<'a> {
    written: Vec<Written>,
    appends: Vec<(usize, &'a Append)>,
    additions: Additions<'a>,
    standings: Standings,
}

impl<D: Dialect> SqlStore<D> {
    async fn apply<'a>(
        &self,
        host: HostId,
        batch: &'a [Write],
    ) -> Result<(Transaction<'_, D>, Applied<'a>), Fault> {
        let mut sorted = Sorted::of(batch)?;
        let mut written: Vec<Written> = batch.iter().map(|_| Written::NotOwner).collect();
        let lock = vec![(statements::LOCK_EXECUTIONS, ids(concerned(&sorted)))];
        let (mut transaction, found) = self.begin_with(Line::Commits, host, lock).await?;
        let mut standings = read_standings(found.into_iter().flatten())?;
        sorted.appends.retain(|(_, append)| {
            let owned =
                || standings.get(&append.execution).is_some_and(|row| row.is_owned_by(host));
            append.owner == host && (!depends_on_row(append) || owned())
        });
        let mut born = give_birth(&mut transaction, &sorted).await?;
        lock_newborn(&mut transaction, &mut standings, &sorted, &born).await?;

        let mut additions = Additions::new(transaction.now);
        additions.judged = results::judge(&mut transaction, &sorted.appends).await?;
        let (taken, freed) = ends::take(&mut transaction, host, &sorted.ends).await?;
        additions.touched.merge(freed);
        for (place, end) in &sorted.ends {
            let taken = taken.get(&end.task.id);
            let settled = taken.map(|taken| (*end, taken));
            let brought = settled.map(|one| ends::bring(one, &mut standings, &mut additions));
            written[*place] = match (brought, taken.and_then(|taken| taken.leads)) {
                (Some(delivered), Some(_key)) => Written::Led(delivered),
                (brought, _) => Written::Ended(brought),
            };
        }
        for (place, new) in &sorted.starts {
            written[*place] = if born.remove(&new.id) {
                additions.born(new);
                Written::Done(Effects::default())
            } else {
                Written::Exists { input_hash: input_hash(&mut transaction, new.id).await? }
            };
        }
        for (place, spoken) in &sorted.says {
            additions.said(spoken);
            written[*place] = Written::Done(Effects::default());
        }
        for (place, append) in &sorted.appends {
            let effects = append_one(append, &mut standings, &mut born, &mut additions);
            written[*place] = Written::Done(effects);
        }
        for (place, append) in &sorted.appends {
            let Written::Done(effects) = &mut written[*place] else { continue };
            send_messages(append, &mut standings, &mut additions, &mut effects.wakes);
        }
        Ok((transaction, Applied { written, appends: sorted.appends, additions, standings }))
    }
}

impl Applied<'_> {
    /// The executions that end and may leave calls with limits.
    fn limited_ends(&self) -> impl Iterator<Item = ExecutionId> {
        let ends = |append: &&Append| matches!(append.row, RowChange::End { .. });
        let ended = self.appends.iter().map(|(_, append)| *append).filter(ends);
        let is_limited = |id: &_| self.standings.get(id).is_some_and(|row| row.limited);
        ended.map(|append| append.execution).filter(is_limited)
    }

    /// Drops the tasks whose slots others may wait for, or whose hosts have to stop them.
    async fn drop_tasks<D: Dialect>(
        &mut self,
        transaction: &mut Transaction<'_, D>,
    ) -> Result<Touched, Fault> {
        let of_ended = self.limited_ends().map(|id| values![id]).collect();
        let by_promise = std::mem::take(&mut self.additions.dropped_tasks);
        let script =
            vec![(statements::DROP_TASKS, by_promise), (statements::DROP_TASKS_OF, of_ended)];
        let rows = transaction.run(script).await?.into_iter().flatten().collect();
        let mut dropped = stopping::let_go(transaction, rows).await?;
        for (place, append) in &self.appends {
            let Written::Done(effects) = &mut self.written[*place] else { continue };
            effects.wakes.extend(dropped.wakes(append.execution));
        }
        Ok(dropped.touched)
    }

    /// Writes it and makes it durable. Where nothing is asked of the last statements, the commit goes with them.
    async fn commit<D: Dialect>(
        self,
        mut transaction: Transaction<'_, D>,
    ) -> Result<Vec<Written>, Fault> {
        let is_asked = self.standings.values().any(|row| row.changed)
            || !self.additions.touched.is_empty()
            || !self.additions.dropped_tasks.is_empty()
            || self.limited_ends().next().is_some()
            || self.appends.iter().any(|(_, append)| !append.admitted.is_empty());
        if is_asked {
            let written = self.write(&mut transaction).await?;
            transaction.commit().await?;
            return Ok(written);
        }
        transaction.commit_with(self.additions.into_script()).await?;
        Ok(self.written)
    }

    /// Writes it, and sees that every row was there.
    async fn write<D: Dialect>(
        mut self,
        transaction: &mut Transaction<'_, D>,
    ) -> Result<Vec<Written>, Fault> {
        let mut touched = std::mem::take(&mut self.additions.touched);
        touched.merge(self.drop_tasks(transaction).await?);
        let rows = changed_rows(self.standings.values());
        let expected = rows.len();
        let mut script = self.additions.into_script();
        script.push((statements::CHANGE_EXECUTIONS, rows));
        let mut found = transaction.run(script).await?;
        check_changes(expected, found.pop().unwrap_or_default().len())?;
        let admitted = found.into_iter().next().unwrap_or_default();
        check_admission(&self.appends, &count_by_execution(admitted)?)?;
        limits::open(transaction, touched).await?;
        Ok(self.written)
    }
}

/// The rows that the batch depends on or changes, those of its messages' receivers among them.
fn concerned(sorted: &Sorted<'_>) -> BTreeSet<ExecutionId> {
    let mut ids = BTreeSet::new();
    for (_, append) in &sorted.appends {
        if depends_on_row(append) {
            ids.insert(append.execution);
        }
        ids.extend(append.messages.iter().map(|(receiver, _)| *receiver));
    }
    ids.extend(sorted.ends.iter().map(|(_, end)| end.task.execution));
    ids
}

/// Inserts all new executions of the batch; returns those that were not there yet.
async fn give_birth<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    sorted: &Sorted<'_>,
) -> Result<BTreeSet<ExecutionId>, Fault> {
    let starts = sorted.starts.iter().map(|(_, new)| *new);
    let children = sorted.appends.iter().flat_map(|(_, append)| &append.children);
    let mut all: Vec<&NewExecution> = starts.chain(children).collect();
    all.sort_by_key(|new| new.id);
    let rows: Rows = all.into_iter().map(super::births::row).collect();
    let inserted = transaction.fetch_many(statements::INSERT_EXECUTIONS, rows).await?;
    let ids = inserted.into_iter().map(|row| Reading::of("executions", row).execution("id"));
    Ok(ids.collect::<Result<_, _>>()?)
}

/// A child may be sent a message by the very write that gives birth to it.
async fn lock_newborn<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    standings: &mut Standings,
    sorted: &Sorted<'_>,
    born: &BTreeSet<ExecutionId>,
) -> Result<(), Fault> {
    let messages = sorted.appends.iter().flat_map(|(_, append)| &append.messages);
    let receivers =
        messages.map(|(receiver, _)| *receiver).filter(|id| born.contains(id)).collect();
    standings.extend(lock(transaction, receivers).await?);
    Ok(())
}

async fn input_hash<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    id: ExecutionId,
) -> Result<[u8; 16], Fault> {
    let rows = transaction.fetch(statements::READ_INPUT_HASH, values![id]).await?;
    let row = rows.into_iter().next().ok_or_else(|| {
        Fault::Refused(format!("execution {id} exists and cannot be read").into())
    })?;
    Ok(Reading::of("executions", row).hash("input_hash")?)
}

/// Gathers what one append writes, and changes where its execution stands.
fn append_one<'a>(
    append: &'a Append,
    standings: &mut Standings,
    born: &mut BTreeSet<ExecutionId>,
    additions: &mut Additions<'a>,
) -> Effects {
    let mut effects = Effects::default();
    additions.append(append);
    for child in &append.children {
        if born.remove(&child.id) {
            additions.born(child);
        } else {
            effects.existing.push(child.id);
        }
    }
    if let Some(standing) = standings.get_mut(&append.execution) {
        let is_answered = results::answer(append, standing, additions);
        change(standing, append, additions);
        effects.wakes.extend(is_answered.then(|| standing.wake()).flatten());
    }
    effects
}

fn change(standing: &mut Standing, append: &Append, additions: &mut Additions<'_>) {
    let now = additions.now;
    match &append.row {
        RowChange::Keep => return,
        RowChange::Stay { state, expires_at, base } => standing.stay(*state, *expires_at, *base),
        RowChange::Park { seen, next_timer } => standing.park(*seen, *next_timer, now),
        RowChange::Release => standing.release(now),
        RowChange::End { state, failure_kind } => {
            let (at, failure) = super::births::end_of(append).unwrap_or((now, None));
            standing.end(*state, at, failure_kind.clone(), failure);
            additions.ended(append.execution);
        }
        RowChange::Block { why } => standing.block(why),
    }
    standing.run = append.run;
}

/// Brings the messages of an append to their receivers; those that have ended get none.
fn send_messages(
    append: &Append,
    standings: &mut Standings,
    additions: &mut Additions<'_>,
    wakes: &mut Vec<Wake>,
) {
    for (receiver, arrival) in &append.messages {
        let Some(standing) = standings.get_mut(receiver) else { continue };
        if !standing.receive(arrival, additions.now) {
            continue;
        }
        additions.arrival(*receiver, arrival);
        wakes.extend(standing.wake());
    }
}

/// Compares what was admitted with what was there: exactly the arrivals that were read must go.
pub(super) fn check_admission(
    appends: &[(usize, &Append)],
    gone: &HashMap<ExecutionId, usize>,
) -> Result<(), Fault> {
    for (_, append) in appends {
        let (asked, gone) =
            (append.admitted.len(), gone.get(&append.execution).copied().unwrap_or(0));
        if asked != gone {
            let source = format!("{asked} arrivals were admitted, {gone} were in the inbox").into();
            return Err(StoreError::Refused { execution: append.execution, source }.into());
        }
    }
    Ok(())
}
