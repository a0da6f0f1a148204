//! Calls whose result is kept: who of a batch leads, who follows another, and who is answered at once.
//!
//! What the row of a key says is decided under its lock, in the order of the keys. Only a result that is there is read without
//! one: it stays what it is, and calls that it answers wait for nobody.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::additions::Additions;
use super::standing::Standing;
use super::transaction::Transaction;
use crate::journal::{Arrival, decode_outcome};
use crate::model::{ExecutionId, Failure, Outcome, ResultKey, StepUsage, TaskId, Timestamp, kind};
use crate::store::dialect::{Dialect, Fault};
use crate::store::error::StoreError;
use crate::store::row::{Reading, Row};
use crate::store::statements;
use crate::store::value::{Rows, values};
use crate::store::write::{Append, Keep, NewTask};

/// The number of the attempt of a call that was answered by the result of another.
pub(super) const ANSWERED: u32 = 0;

/// What part a call plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Its result is nobody else's.
    Alone,
    /// It runs, and its result is kept.
    Leads(ResultKey),
    /// It waits for the result of the one that leads.
    Follows(ResultKey),
    /// The result is there.
    Answered,
}

/// What was found about the calls of a batch.
#[derive(Debug, Default)]
pub(super) struct Judged {
    leaders: HashSet<TaskId>,
    kept: HashMap<ResultKey, Outcome>,
}

impl Judged {
    pub(super) fn of(&self, task: &NewTask) -> Part {
        match &task.keep {
            None => Part::Alone,
            Some(Keep { key, .. }) if self.kept.contains_key(key) => Part::Answered,
            Some(Keep { key, .. }) if self.leaders.contains(&task.id) => Part::Leads(*key),
            Some(Keep { key, .. }) => Part::Follows(*key),
        }
    }
}

/// A call that asks for a result.
#[derive(Debug, Clone, Copy)]
struct Asking<'a> {
    execution: ExecutionId,
    task: &'a NewTask,
    keep: &'a Keep,
}

/// Finds out what part each call of these appends plays. Of several with one key the first may lead.
pub(super) async fn judge<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    appends: &[(usize, &Append)],
) -> Result<Judged, Fault> {
    let mut asked: BTreeMap<ResultKey, Vec<Asking<'_>>> = BTreeMap::new();
    for (_, append) in appends {
        for task in &append.tasks {
            let Some(keep) = &task.keep else { continue };
            let asking = Asking { execution: append.execution, task, keep };
            asked.entry(keep.key).or_default().push(asking);
        }
    }
    let mut judged = Judged::default();
    if asked.is_empty() {
        return Ok(judged);
    }
    judged.kept = read_kept(transaction, asked.keys()).await?;
    asked.retain(|key, _| !judged.kept.contains_key(key));
    let leading = lead(transaction, &asked).await?;
    let following: Vec<ResultKey> = asked
        .iter()
        .filter(|(key, asking)| asking.len() > 1 || !leading.contains(*key))
        .map(|(key, _)| *key)
        .collect();
    let firsts = asked.iter().filter(|(key, _)| leading.contains(*key));
    judged.leaders.extend(firsts.filter_map(|(_, asking)| Some(asking.first()?.task.id)));
    let followed = follow(transaction, &following).await?;
    // Between the first look and the lock they came to their end.
    let missed: Vec<_> = following.into_iter().filter(|key| !followed.contains(key)).collect();
    judged.kept.extend(read_kept(transaction, missed.iter()).await?);
    if let Some(key) = missed.iter().find(|key| !judged.kept.contains_key(*key)) {
        let execution = asked.get(key).and_then(|asking| Some(asking.first()?.execution));
        let source = "the row of a result says neither that it runs nor that it is there".into();
        let execution = execution.unwrap_or_else(|| ExecutionId::from_bytes([0; 16]));
        return Err(StoreError::Refused { execution, source }.into());
    }
    Ok(judged)
}

/// Results that are there and still answer.
async fn read_kept<'a, D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    keys: impl Iterator<Item = &'a ResultKey>,
) -> Result<HashMap<ResultKey, Outcome>, Fault> {
    let now = transaction.now;
    let keys: Rows = keys.map(|key| values![*key]).collect();
    let rows = transaction.fetch_many(statements::READ_KEPT_RESULTS, keys).await?;
    let mut kept = HashMap::with_capacity(rows.len());
    for row in rows {
        let (key, outcome, expires_at) = read_result(row)?;
        if expires_at.is_none_or(|at| at > now) {
            kept.insert(key, outcome);
        }
    }
    Ok(kept)
}

/// Has the first call of each key lead, where nobody does; says of which keys.
async fn lead<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    asked: &BTreeMap<ResultKey, Vec<Asking<'_>>>,
) -> Result<HashSet<ResultKey>, Fault> {
    let now = transaction.now;
    let firsts = asked.values().filter_map(|asking| asking.first());
    let rows: Rows = firsts
        .map(|Asking { task, keep, .. }| {
            let ttl = keep.ttl.map(|ttl| u64::try_from(ttl.as_micros()).unwrap_or(u64::MAX));
            values![keep.key, &task.step, keep.version.as_str(), ttl, task.id, now]
        })
        .collect();
    keys(transaction.fetch_many(statements::LEAD_RESULTS, rows).await?)
}

/// Says of the keys that another leads that somebody waits for it; says of which.
async fn follow<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    following: &[ResultKey],
) -> Result<HashSet<ResultKey>, Fault> {
    let rows: Rows = following.iter().map(|key| values![*key]).collect();
    keys(transaction.fetch_many(statements::FOLLOW_RESULTS, rows).await?)
}

fn keys(rows: Vec<Row>) -> Result<HashSet<ResultKey>, Fault> {
    let keys = rows.into_iter().map(|row| Reading::of("results", row).result_key("key"));
    Ok(keys.collect::<Result<_, _>>()?)
}

/// Reads a key, what was brought for it, and until when it answers, where the statement says so. What cannot be read is a
/// failure of whoever asks.
pub(super) fn read_result(row: Row) -> Result<(ResultKey, Outcome, Option<Timestamp>), StoreError> {
    let mut row = Reading::of("results", row);
    let key = row.result_key("key")?;
    let (head, data) = (row.bytes("outcome_head")?, row.opt_bytes("outcome_data")?);
    let unreadable = |bad| {
        let why = format!("the kept result of this call cannot be read: {bad}");
        Err(Failure::new(kind::CORRUPT, why))
    };
    let outcome = decode_outcome(head, data).unwrap_or_else(unreadable);
    Ok((key, outcome, row.opt_time("expires_at")?))
}

/// Brings the results that are there to the execution that asked for them, before anything else happens to its row. Says
/// whether there were any.
pub(super) fn answer(
    append: &Append,
    standing: &mut Standing,
    additions: &mut Additions<'_>,
) -> bool {
    let mut is_answered = false;
    for task in &append.tasks {
        let kept = task.keep.as_ref().and_then(|keep| additions.judged.kept.get(&keep.key));
        let Some(outcome) = kept.cloned() else { continue };
        let arrival = Arrival::Settled {
            run: append.run,
            promise: task.promise,
            outcome,
            usage: StepUsage::default(),
            attempt: ANSWERED,
        };
        if standing.receive(&arrival, additions.now) {
            additions.arrival(append.execution, &arrival);
            is_answered = true;
        }
    }
    is_answered
}
