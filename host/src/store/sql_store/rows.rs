//! Rows that several verbs read.

use crate::journal::{Arrival, Encoded, Entry, decode, decode_arrival};
use crate::model::{ExecutionId, HostId, InboxId, Name, Routing, Run, Seq, Timestamp};
use crate::store::error::StoreError;
use crate::store::row::{Reading, Row};
use crate::store::snapshot::ExecutionRow;
use crate::store::write::Parent;

/// An execution's row with what only the store and the views ask for.
#[derive(Debug)]
pub(super) struct FullRow {
    pub(super) row: ExecutionRow,
    pub(super) inbox_seq: i64,
    pub(super) owner: Option<HostId>,
    pub(super) visible_at: Option<Timestamp>,
    pub(super) rank: i64,
}

/// Reads a row of `read_execution`, of a list or of a claim: they have the same columns.
pub(super) fn execution(row: Row) -> Result<FullRow, StoreError> {
    let mut row = Reading::of("executions", row);
    let id = row.execution("id")?;
    let run = Run(row.number("run")?);
    let workflow = row.name("workflow")?;
    let module = row.digest("module_digest")?;
    let state = row.word("state")?;
    let paused_at = row.opt_time("paused_at")?;
    let routing = Routing {
        queue: row.name("queue")?,
        tags: row.opt_json("tags")?.unwrap_or_default(),
        priority: row.number("priority")?,
    };
    let read = ExecutionRow {
        id,
        run,
        workflow,
        module,
        state,
        paused_at,
        routing,
        parent: parent(&mut row)?,
        expires_at: row.opt_time("expires_at")?,
        base: Seq(row.number("base")?),
        losses: row.number("losses")?,
        created_at: row.time("created_at")?,
        started_at: row.opt_time("started_at")?,
        completed_at: row.opt_time("completed_at")?,
        failure: row.opt_json("failure")?,
        traceparent: None,
    };
    let mut full = FullRow {
        row: read,
        inbox_seq: row.i64("inbox_seq")?,
        owner: row.opt_host("owner")?,
        visible_at: row.opt_time("visible_at")?,
        rank: row.i64("rank")?,
    };
    full.row.traceparent = row.opt_word("traceparent")?;
    Ok(full)
}

fn parent(row: &mut Reading) -> Result<Option<Parent>, StoreError> {
    let execution = row.opt_execution("parent_id")?;
    let run = row.opt_number("parent_run")?;
    let promise = row.opt_number("parent_promise")?;
    let detached = row.opt_i64("parent_detached")?;
    match (execution, run, promise, detached) {
        (None, None, None, None) => Ok(None),
        (Some(execution), Some(run), Some(promise), Some(detached)) => Ok(Some(Parent {
            execution,
            run: Run(run),
            promise: crate::model::Promise(promise),
            detached: detached != 0,
        })),
        _part => Err(row.corrupt("parent_id", "a part of the parent is missing")),
    }
}

fn encoded(row: &mut Reading) -> Result<Encoded, StoreError> {
    Ok(Encoded {
        kind: row.number("kind")?,
        promise: row.opt_number("promise")?,
        name: row.opt_text("name")?,
        head: row.bytes("head")?,
        data: row.opt_bytes("data")?,
    })
}

/// Reads entries of one journal.
pub(super) fn entries(id: ExecutionId, rows: Vec<Row>) -> Result<Vec<Entry>, StoreError> {
    rows.into_iter().map(|row| entry(id, row)).collect()
}

/// Reads one entry of a journal.
pub(super) fn entry(id: ExecutionId, row: Row) -> Result<Entry, StoreError> {
    let mut row = Reading::of("journal", row);
    let seq = Seq(row.number("seq")?);
    let run = Run(row.number("run")?);
    let recorded_at = row.time("recorded_at")?;
    let encoded = encoded(&mut row)?;
    decode(seq, run, recorded_at, encoded).map_err(|bad| StoreError::Corrupt {
        table: "journal",
        column: "head",
        row: format!("{id}/{seq}"),
        source: bad.into(),
    })
}

/// Reads an arrival; none where the row is the empty half of an outer join.
pub(super) fn arrival(row: &mut Reading) -> Result<Option<(InboxId, Arrival)>, StoreError> {
    let Some(id) = row.opt_i64("id")? else { return Ok(None) };
    let run = Run(row.number("run")?);
    let encoded = encoded(row)?;
    let arrival = decode_arrival(run, encoded).map_err(|bad| row.corrupt("head", bad))?;
    Ok(Some((InboxId(id), arrival)))
}

/// Tags as a column has them: a JSON array, or nothing.
pub(super) fn tags(tags: &[Name]) -> Option<String> {
    (!tags.is_empty()).then(|| serde_json::json!(tags).to_string())
}

/// The run that an arrival names; what names none is of any run.
pub(super) fn run_of(arrival: &Arrival) -> Run {
    match arrival {
        Arrival::Settled { run, .. } => *run,
        Arrival::Fired { .. }
        | Arrival::Signal { .. }
        | Arrival::Cancel { .. }
        | Arrival::Expired => Run(0),
    }
}
