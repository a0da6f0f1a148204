//! Limits across the cluster. A task that runs is the slot it takes: whatever ends it, retries it or frees it from a dead host frees
//! the slot, and nothing can be lost. Whoever changes a limit's room lets those that wait for it go on, in the same transaction.
//!
//! Locks are taken in one order: executions, tasks, limits of keys by name, limits of steps by name, and of the tasks that wait
//! only those that nobody holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::SqlStore;
use super::places::Gate;
use super::transaction::Transaction;
use crate::model::{ExecutionId, HostId, Limit, Rate, Timestamp};
use crate::store::Result;
use crate::store::dialect::{Dialect, Fault};
use crate::store::error::StoreError;
use crate::store::row::{Cell, Reading, Row};
use crate::store::statements;
use crate::store::value::{Rows, Value, values};

/// When a task is due that waits for a limit: never by itself.
pub(super) const UNTIL_OPENED: Timestamp = Timestamp::from_micros(i64::MAX);
/// Limits that are looked at in one transaction because of what it dropped, paused or resumed; what others wait for is looked at
/// again by itself soon.
pub(super) const OPENED_MAX: u32 = 1_000;
/// Limits that are removed in one transaction.
const PRUNED_MAX: u32 = 1_000;

/// Limits whose room a transaction has changed, and those that it has said anew.
#[derive(Debug, Default)]
pub(super) struct Touched {
    declared: BTreeMap<String, Limit>,
    names: BTreeSet<String>,
}

impl Touched {
    /// A call is added that has to keep to it.
    pub(super) fn declare(&mut self, limit: &Limit) {
        if !self.declared.contains_key(&limit.name) {
            self.declared.insert(limit.name.clone(), limit.clone());
        }
        self.names.insert(limit.name.clone());
    }

    /// The limits that rows name, in whatever column.
    pub(super) fn by_rows(rows: Vec<Row>) -> Self {
        let named = |cell| match cell {
            Cell::Text(name) => Some(name),
            Cell::Null | Cell::I64(_) | Cell::Bytes(_) | Cell::Sealed(..) => None,
        };
        rows.into_iter().flatten().filter_map(named).collect()
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.declared.extend(other.declared);
        self.names.extend(other.names);
    }

    /// Of these, no more than are looked at at once. Only where nobody begins to wait by what touched them: a limit that is waited
    /// for says when to look at it again, and no other does.
    pub(super) fn at_once(mut self) -> Self {
        if let Some(first_left) = self.names.iter().nth(OPENED_MAX as usize).cloned() {
            self.names.split_off(&first_left);
        }
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl FromIterator<String> for Touched {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        Self { declared: BTreeMap::new(), names: names.into_iter().collect() }
    }
}

impl Extend<String> for Touched {
    fn extend<I: IntoIterator<Item = String>>(&mut self, names: I) {
        self.names.extend(names);
    }
}

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn prune_unused_limits(&self, host: HostId) -> Result<u64> {
        let mut transaction = self.begin(host).await?;
        let asked = values![transaction.now, PRUNED_MAX];
        let unused = transaction.fetch(statements::UNUSED_LIMITS, asked).await?;
        let pruned = unused.len() as u64;
        let names = Touched::by_rows(unused).names;
        // Asked again under their locks: a call may have come between.
        transaction.fetch_many(statements::PRUNE_LIMITS, rows(&names)).await?;
        transaction.commit().await?;
        Ok(pruned)
    }
}

/// Limits of an execution's tasks, as many as are looked at at once.
pub(super) async fn of_execution<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    execution: ExecutionId,
) -> Result<Touched, Fault> {
    let named = transaction.fetch(statements::LIMITS_OF, values![execution, OPENED_MAX]).await?;
    Ok(Touched::by_rows(named))
}

/// Lets those that wait go on, as many as there is room for: from the limit of their key to that of their step, and from there
/// to whoever claims them. Says how many can be claimed now that could not before.
pub(super) async fn open<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    touched: Touched,
) -> Result<u64, Fault> {
    let Touched { declared, names } = touched;
    let (keys, mut steps): (BTreeSet<_>, BTreeSet<_>) =
        names.into_iter().partition(|name| Limit::is_of_key(name));
    let mut ready = 0;
    for passed in open_some(transaction, &keys, &declared).await? {
        match passed.then {
            Some(step) => _ = steps.insert(step),
            None => ready += 1,
        }
    }
    ready += open_some(transaction, &steps, &declared).await?.len() as u64;
    Ok(ready)
}

/// A task that has gone past a limit.
struct Passed {
    /// The limit that it waits for now.
    then: Option<String>,
    limit: String,
}

async fn open_some<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    names: &BTreeSet<String>,
    declared: &BTreeMap<String, Limit>,
) -> Result<Vec<Passed>, Fault> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let now = transaction.now;
    let mut gates = lock(transaction, names).await?;
    if declare(transaction, (names, declared), &mut gates).await? {
        // Somebody else may have added it first, and what has begun under it counts.
        gates = lock(transaction, names).await?;
    }
    // What waits for a limit that is gone must not wait for ever.
    for name in names.iter().filter(|name| !gates.contains_key(*name)).collect::<Vec<_>>() {
        gates.insert(name.clone(), Gate::without_limit(name));
    }
    count(transaction, &mut gates).await?;
    let with_room = gates.values().filter(|gate| gate.is_waited_for && gate.room(now) > 0);
    let rows: Rows = with_room
        .map(|gate| values![gate.name.as_str(), gate.room(now).min(i64::from(i32::MAX)), now])
        .collect();
    let opened = transaction.fetch_many(statements::OPEN_LIMITS, rows).await?;
    let opened: Vec<_> = opened.into_iter().map(passed).collect::<Result<_>>()?;
    let mut counts: HashMap<&str, i64> = HashMap::new();
    for passed in &opened {
        *counts.entry(&passed.limit).or_default() += 1;
    }
    let mut judged = Rows::default();
    for gate in gates.values_mut() {
        let count = counts.get(gate.name.as_str()).copied().unwrap_or_default();
        let next_at = gate.next_look(count, now);
        if next_at != gate.next_at {
            gate.next_at = next_at;
            judged.push(judgement(gate));
        }
    }
    transaction.fetch_many(statements::JUDGE_LIMITS, judged).await?;
    Ok(opened)
}

fn passed(row: Row) -> Result<Passed> {
    let mut row = Reading::of("tasks", row);
    let (step, key) = (row.opt_text("step_limit")?, row.opt_text("key_limit")?);
    let then = row.opt_text("blocked_on")?;
    // What has a limit of its step left to wait for has just gone past that of its key.
    let limit = if then.is_some() || step.is_none() { key } else { step };
    Ok(Passed { then, limit: limit.unwrap_or_default() })
}

fn rows<'a>(names: impl IntoIterator<Item = &'a String>) -> Rows {
    names.into_iter().map(|name| values![name.as_str()]).collect()
}

fn judgement(gate: &Gate) -> [Value; 3] {
    let tat = gate.meter.map_or(0, |meter| meter.tat);
    values![gate.name.as_str(), tat, gate.next_at]
}

/// Reads limits under their locks. One that is not there limits nothing.
async fn lock<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, Gate>, Fault> {
    let found = transaction.fetch_many(statements::LOCK_LIMITS, rows(names)).await?;
    let gates = found.into_iter().map(|row| Gate::read(row).map(|gate| (gate.name.clone(), gate)));
    Ok(gates.collect::<Result<_, StoreError>>()?)
}

/// Adds the limits that are new, and changes those that are declared otherwise now. Says whether any was new.
async fn declare<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    (names, declared): (&BTreeSet<String>, &BTreeMap<String, Limit>),
    gates: &mut BTreeMap<String, Gate>,
) -> Result<bool, Fault> {
    let (mut changed, mut is_new) = (Rows::default(), false);
    for limit in names.iter().filter_map(|name| declared.get(name)) {
        let gate = gates.get_mut(&limit.name);
        is_new |= gate.is_none();
        if gate.is_none_or(|gate| gate.declare(limit)) {
            changed.push(declaration(limit));
        }
    }
    transaction.fetch_many(statements::DECLARE_LIMITS, changed).await?;
    Ok(is_new)
}

fn declaration(limit: &Limit) -> [Value; 7] {
    let micros = |rate: Rate| u64::try_from(rate.interval().as_micros()).unwrap_or(u64::MAX);
    values![
        limit.name.as_str(),
        &limit.step,
        limit.key.as_deref(),
        limit.slots,
        limit.rate.map(|rate| rate.to_string()),
        limit.rate.map(micros),
        limit.rate.map(Rate::burst),
    ]
}

/// Counts who runs under limits and who has gone past them. Under their locks, nobody else changes that in favour of anybody.
async fn count<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    gates: &mut BTreeMap<String, Gate>,
) -> Result<(), Fault> {
    let counted = transaction.fetch_many(statements::COUNT_LIMITS, rows(gates.keys())).await?;
    for row in counted {
        let mut row = Reading::of("limits", row);
        let name = row.text("name")?;
        let Some(gate) = gates.get_mut(&name) else { continue };
        gate.running = row.i64("running")?;
        gate.passed = row.i64("passed")?;
        gate.is_waited_for = row.flag("waiting")?;
    }
    Ok(())
}

/// Of tasks that were just claimed, keeps those that their limits have room for; the others wait. The rows begin with id, rank and
/// the two limits.
pub(super) async fn admit<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    mut claimed: Vec<Row>,
) -> Result<Vec<Row>, Fault> {
    let names: BTreeSet<String> = claimed.iter().flat_map(limits_of).map(str::to_owned).collect();
    if names.is_empty() {
        return Ok(claimed);
    }
    let now = transaction.now;
    let mut gates = lock(transaction, &names).await?;
    count(transaction, &mut gates).await?;
    for name in claimed.iter().flat_map(limits_of) {
        gates.entry(name.to_owned()).and_modify(|gate| gate.running -= 1);
    }
    claimed.sort_by_key(|row| match row.get(1) {
        Some(Cell::I64(rank)) => *rank,
        Some(Cell::Null | Cell::Text(_) | Cell::Bytes(_) | Cell::Sealed(..)) | None => i64::MAX,
    });
    let (mut begun, mut back, mut full) = (Rows::default(), Rows::default(), Touched::default());
    claimed.retain(|row| {
        let of_row: Vec<&str> = limits_of(row).collect();
        let id = || Value::of_cell(row.first());
        let without_room = |name: &&&str| gates.get(**name).is_some_and(|gate| !gate.admits(now));
        if let Some(name) = of_row.iter().find(without_room) {
            back.push([id(), Value::from(*name)]);
            full.extend(of_row.iter().map(|&name| name.to_owned()));
            return false;
        }
        for name in &of_row {
            gates.entry((*name).to_owned()).and_modify(|gate| gate.begin(now));
        }
        if !of_row.is_empty() {
            begun.push([id()]);
        }
        true
    });
    // Tokens were spent, so that it is another time now at which the next may begin.
    let metered = gates.values().filter(|gate| gate.meter.is_some());
    let judged = metered.clone().map(judgement).collect();
    full.extend(metered.filter(|gate| gate.is_waited_for).map(|gate| gate.name.clone()));
    let script = vec![
        (statements::PUT_BACK_TASKS, back),
        (statements::ADMIT_TASKS, begun),
        (statements::JUDGE_LIMITS, judged),
    ];
    transaction.run(script).await?;
    open(transaction, full).await?;
    Ok(claimed)
}

/// The limits that a claimed row names: that of its key first, which is the one it waits for first.
fn limits_of(row: &Row) -> impl Iterator<Item = &str> {
    row.iter().take(4).skip(2).rev().filter_map(|cell| match cell {
        Cell::Text(name) => Some(name.as_str()),
        Cell::Null | Cell::I64(_) | Cell::Bytes(_) | Cell::Sealed(..) => None,
    })
}
