//! Claims, and what is read for those who claim.

use std::collections::{HashMap, hash_map};
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::SqlStore;
use super::limits;
use super::rows::{self, FullRow};
use super::transaction::Transaction;
use super::unreadable::{self, apart};
use crate::journal::{Body, Recorded, effective};
use crate::model::{ExecutionId, HostId, Name, Payload, Promise, Run, Seq, Trace};
use crate::store::dialect::{Dialect, Fault};
use crate::store::error::StoreError;
use crate::store::row::{Reading, Row};
use crate::store::snapshot::{ClaimedTask, Inbox, Snapshot, Suspect};
use crate::store::statements;
use crate::store::value::{Value, values};
use crate::store::{ClaimFilter, Result};

/// Claimed executions that are read at once.
const READS_AT_ONCE: usize = 4;

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn claim_ready_executions(
        &self,
        host: HostId,
        filter: &ClaimFilter,
        limit: u32,
    ) -> Result<Vec<Snapshot>> {
        let mut snapshots = Vec::new();
        loop {
            let room = limit as usize - snapshots.len();
            let (claimed, mut lost) = self.claim_rows(host, filter, room).await?;
            let reads = claimed.into_iter().map(|row| self.read_claimed(host, row));
            let mut reads = stream::iter(reads).buffered(READS_AT_ONCE);
            while let Some(read) = reads.try_next().await? {
                lost |= read.is_none();
                snapshots.extend(read);
            }
            // What was put aside has left room for others.
            if !lost {
                return Ok(snapshots);
            }
        }
    }

    /// Claims rows, in the order of their rank, and says whether some could not be read: they are blocked.
    async fn claim_rows(
        &self,
        host: HostId,
        filter: &ClaimFilter,
        room: usize,
    ) -> Result<(Vec<FullRow>, bool)> {
        let mut transaction = self.begin(host).await?;
        let values = values![
            host,
            list(&filter.queues),
            list(&filter.tags),
            room,
            transaction.now,
            filter.journal_version,
            filter.suspect_after
        ];
        let claimed = transaction.fetch(statements::CLAIM_EXECUTIONS, values).await?;
        let count = claimed.len();
        let readable = readable(&mut transaction, host, claimed).await?;
        transaction.commit().await?;
        let lost = readable.len() < count;
        Ok((readable, lost))
    }

    /// Reads what a claimed execution begins with, when it is its host's alone already: nobody else waits for a long
    /// journal to be read. None: it could not be read and is blocked.
    async fn read_claimed(&self, host: HostId, row: FullRow) -> Result<Option<Snapshot>> {
        let id = row.row.id;
        let asked = [statements::READ_JOURNAL, statements::READ_TASKS, statements::READ_INBOX];
        let read = self.read_moment(asked, values![id, row.row.base]).await;
        let read = read.and_then(|found| Ok(compose(row, found)?));
        match apart(read)? {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(why) => self.block_execution(host, id, &why).await.map(|()| None),
        }
    }

    pub(super) async fn read_snapshot(
        &self,
        host: HostId,
        execution: ExecutionId,
    ) -> Result<Option<Snapshot>> {
        let mut moment = self.look().await?;
        let rows = moment.fetch(statements::READ_EXECUTION, values![execution]).await?;
        let row = rows.into_iter().next().map(rows::execution).transpose()?;
        let read = match row.filter(|row| row.owner == Some(host)) {
            Some(row) => Some(snapshot(&mut moment, row).await?),
            None => None,
        };
        moment.commit().await?;
        Ok(read)
    }

    pub(super) async fn read_inbox(
        &self,
        host: HostId,
        execution: ExecutionId,
    ) -> Result<Option<Inbox>> {
        let rows = self.read(statements::READ_OWNED_INBOX, values![execution, host]).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let mut inbox = Inbox::default();
        for row in rows {
            let mut row = Reading::of("inbox", row);
            inbox.seq = row.i64("inbox_seq")?;
            inbox.is_paused = row.opt_time("paused_at")?.is_some();
            inbox.arrivals.extend(rows::arrival(&mut row)?);
        }
        Ok(Some(inbox))
    }

    pub(super) async fn claim_ready_tasks(
        &self,
        host: HostId,
        filter: &ClaimFilter,
        limit: u32,
    ) -> Result<Vec<ClaimedTask>> {
        let mut transaction = self.begin(host).await?;
        let now = transaction.now;
        let (queues, tags) = (list(&filter.queues), list(&filter.tags));
        let mut tasks = Vec::new();
        loop {
            let room = limit as usize - tasks.len();
            let values =
                values![host, queues.clone(), tags.clone(), room, now, filter.suspect_after];
            let claimed = transaction.fetch(statements::CLAIM_TASKS, values).await?;
            let count = claimed.len();
            let claimed = limits::admit(&mut transaction, claimed).await?;
            let read = read_tasks(&mut transaction, host, claimed).await?;
            let is_whole = read.len() == count;
            tasks.extend(read);
            if is_whole {
                break;
            }
        }
        transaction.commit().await?;
        Ok(tasks)
    }
}

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn claim_one_suspect(
        &self,
        host: HostId,
        filter: &ClaimFilter,
    ) -> Result<Option<Suspect>> {
        let Some(least) = filter.suspect_after else { return Ok(None) };
        let mut transaction = self.begin(host).await?;
        let now = transaction.now;
        let (queues, tags) = (list(&filter.queues), list(&filter.tags));
        let mut suspect = None;
        while suspect.is_none() {
            let version = filter.journal_version;
            let values = values![host, queues.clone(), tags.clone(), least, now, version];
            let executions = transaction.fetch(statements::CLAIM_SUSPECT_EXECUTION, values).await?;
            let values = values![host, queues.clone(), tags.clone(), least, now];
            let tasks = match executions.as_slice() {
                [] => transaction.fetch(statements::CLAIM_SUSPECT_TASK, values).await?,
                [..] => Vec::new(),
            };
            if executions.is_empty() && tasks.is_empty() {
                break;
            }
            let execution = begin_all(&mut transaction, host, executions).await?.pop();
            let tasks = limits::admit(&mut transaction, tasks).await?;
            let task = read_tasks(&mut transaction, host, tasks).await?.pop();
            let task = task.map(|task| Suspect::Task(Box::new(task)));
            suspect = execution.map(|read| Suspect::Execution(Box::new(read))).or(task);
        }
        transaction.commit().await?;
        Ok(suspect)
    }
}

/// Reads what claimed executions begin with, in the order of their rank. Those that cannot be read are blocked.
async fn begin_all<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    host: HostId,
    claimed: Vec<Row>,
) -> Result<Vec<Snapshot>, Fault> {
    let readable = readable(transaction, host, claimed).await?;
    let mut snapshots = Vec::with_capacity(readable.len());
    for row in readable {
        let id = row.row.id;
        match apart(snapshot(transaction, row).await)? {
            Ok(snapshot) => snapshots.push(snapshot),
            Err(why) => unreadable::block(transaction, host, id.into(), &why).await?,
        }
    }
    Ok(snapshots)
}

/// Reads claimed rows, in the order of their rank. Those that cannot be read are blocked.
async fn readable<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    host: HostId,
    claimed: Vec<Row>,
) -> Result<Vec<FullRow>, Fault> {
    let mut readable = Vec::with_capacity(claimed.len());
    for row in claimed {
        let id = Value::of_cell(row.first());
        match apart(rows::execution(row).map_err(Fault::from))? {
            Ok(row) => readable.push(row),
            Err(why) => unreadable::block(transaction, host, id, &why).await?,
        }
    }
    readable.sort_by_key(|row| (row.rank, row.row.id));
    Ok(readable)
}

/// Reads claimed tasks, in the order of their rank. The calls of those that cannot be read have failed.
async fn read_tasks<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    host: HostId,
    claimed: Vec<Row>,
) -> Result<Vec<ClaimedTask>, Fault> {
    let mut readable = Vec::with_capacity(claimed.len());
    for row in claimed {
        let id = Value::of_cell(row.first());
        match apart(task(row).map_err(Fault::from))? {
            Ok(task) => readable.push(task),
            Err(why) => unreadable::settle_task(transaction, host, id, why).await?,
        }
    }
    readable.sort_by_key(|(rank, task)| (*rank, task.id));
    let mut tasks = Vec::with_capacity(readable.len());
    let mut inputs = HashMap::new();
    for (_, mut task) in readable {
        match apart(input(transaction, &task, &mut inputs).await)? {
            Ok(input) => {
                task.input = input;
                tasks.push(task);
            }
            Err(why) => unreadable::settle_task(transaction, host, task.id.into(), why).await?,
        }
    }
    Ok(tasks)
}

/// Names as a JSON array; none of them means all.
fn list(names: &[Name]) -> Option<String> {
    rows::tags(names)
}

/// Reads what an activation begins with, in the transaction that its row was read in.
async fn snapshot<D: Dialect>(
    moment: &mut Transaction<'_, D>,
    row: FullRow,
) -> Result<Snapshot, Fault> {
    let id = row.row.id;
    let entries = moment.fetch(statements::READ_JOURNAL, values![id, row.row.base]).await?;
    let tasks = moment.fetch(statements::READ_TASKS, values![id]).await?;
    let arrivals = match row.inbox_seq {
        0 => Vec::new(),
        _ => moment.fetch(statements::READ_INBOX, values![id]).await?,
    };
    Ok(compose(row, [entries, tasks, arrivals])?)
}

/// Puts together what was read at one moment. The row may be of an earlier one: what has arrived since then will be read
/// again, as the activation is told of it.
fn compose(row: FullRow, found: [Vec<Row>; 3]) -> Result<Snapshot> {
    let id = row.row.id;
    let [entries, tasks, arrivals] = found;
    let is_paused = row.row.paused_at.is_some();
    let arrivals = arrivals
        .into_iter()
        .filter_map(|arrival| rows::arrival(&mut Reading::of("inbox", arrival)).transpose());
    let arrivals = arrivals.collect::<Result<_>>()?;
    Ok(Snapshot {
        entries: effective(rows::entries(id, entries)?),
        tasks: tasks.into_iter().map(task_key).collect::<Result<_>>()?,
        inbox: Inbox { arrivals, seq: row.inbox_seq, is_paused },
        execution: row.row,
    })
}

fn task_key(row: Row) -> Result<(Run, Promise)> {
    let mut row = Reading::of("tasks", row);
    Ok((Run(row.number("run")?), Promise(row.number("promise")?)))
}

/// Reads a claimed task and its rank. Its input is read from the journal afterwards.
fn task(row: Row) -> Result<(i64, ClaimedTask)> {
    let mut row = Reading::of("tasks", row);
    let (id, rank) = (row.task("id")?, row.i64("rank")?);
    let limits = [row.opt_text("step_limit")?, row.opt_text("key_limit")?];
    let mut task = ClaimedTask {
        id,
        execution: row.execution("execution_id")?,
        run: Run(row.number("run")?),
        promise: Promise(row.number("promise")?),
        step: row.name("step")?,
        input_at: (Seq(row.number("input_seq")?), row.number("input_index")?),
        attempt: row.number("attempt")?,
        timeout: Duration::from_micros(row.number("timeout_micros")?),
        schedule_by: row.opt_time("schedule_by")?,
        retry: row.json("retry")?,
        heartbeat: row.opt_text("heartbeat")?.map(Payload::from_checked),
        losses: row.number("losses")?,
        queue: row.name("queue")?,
        created_at: row.time("created_at")?,
        is_limited: limits.iter().any(Option::is_some),
        input: Payload::null(),
        workflow: Name::default_queue(),
        module: crate::model::ModuleDigest::from_bytes([0; 32]),
        trace: Trace::of(ExecutionId::from_bytes([0; 16]), None),
    };
    task.workflow = row.name("workflow")?;
    task.module = row.digest("module_digest")?;
    task.trace = Trace::of(task.execution, row.opt_word("traceparent")?);
    Ok((rank, task))
}

/// The argument of a task. Many tasks come of one entry, which is read once.
async fn input<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    task: &ClaimedTask,
    inputs: &mut HashMap<(ExecutionId, Seq), Vec<Payload>>,
) -> Result<Payload, Fault> {
    let (seq, place) = task.input_at;
    let inputs = match inputs.entry((task.execution, seq)) {
        hash_map::Entry::Occupied(read) => read.into_mut(),
        hash_map::Entry::Vacant(unread) => {
            let values = values![task.execution, seq];
            let rows = transaction.fetch(statements::READ_ENTRY, values).await?;
            let row = rows.into_iter().next();
            let entry = row.map(|row| rows::entry(task.execution, row)).transpose()?;
            unread.insert(entry.map(|entry| arguments(entry.body)).unwrap_or_default())
        }
    };
    let found = inputs.get(place as usize).cloned();
    Ok(found.ok_or_else(|| StoreError::Corrupt {
        table: "tasks",
        column: "input_seq",
        row: task.id.to_string(),
        source: format!("entry {seq} holds no input number {place}").into(),
    })?)
}

pub(super) fn arguments(body: Body) -> Vec<Payload> {
    let Body::Command(entry) = body else { return Vec::new() };
    match entry.command {
        Recorded::Call { input, .. } => input.into_iter().collect(),
        Recorded::CallMany { inputs, .. } => inputs.unwrap_or_default(),
        Recorded::StartChild { .. }
        | Recorded::Sleep { .. }
        | Recorded::Receive { .. }
        | Recorded::Cancel { .. }
        | Recorded::ContinueAsNew { .. } => Vec::new(),
    }
}
