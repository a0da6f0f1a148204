//! The first and the last of an execution's row.

use crate::journal::{Body, VERSION};
use crate::model::{Failure, Run, Seq, Timestamp};
use crate::store::value::{Value, values};
use crate::store::write::{Append, NewExecution};

use super::rows;

/// A row for `insert_executions`. With an owner it runs at once; else it is ready, or waits until it is due.
pub(super) fn row(new: &NewExecution) -> [Value; 27] {
    let due = new.start_at <= new.created_at;
    let owned = new.owner.is_some();
    let state = if owned { "running" } else { "pending" };
    let max_duration = new.expires_at.map(|expires_at| micros(expires_at, new.start_at));
    values![
        new.id,
        Run(0),
        new.module,
        &new.workflow,
        state,
        &new.routing.queue,
        rows::tags(&new.routing.tags),
        new.routing.priority,
        new.parent.map(|parent| parent.execution),
        new.parent.map(|parent| parent.run),
        new.parent.map(|parent| parent.promise),
        new.parent.map(|parent| parent.detached),
        new.owner,
        !owned && due,
        (!owned).then_some(new.start_at),
        new.routing.rank(new.start_at),
        0_i64,
        Seq(0),
        0_u32,
        Seq(0),
        u32::from(VERSION),
        new.created_at,
        owned.then_some(new.created_at),
        new.expires_at,
        max_duration,
        new.input.hash(),
        new.traceparent.map(|parent| parent.to_string()),
    ]
}

fn micros(later: Timestamp, earlier: Timestamp) -> i64 {
    later.as_micros().saturating_sub(earlier.as_micros())
}

/// When an append ends its execution, and the failure in short: the details stay in the journal.
pub(super) fn end_of(append: &Append) -> Option<(Timestamp, Option<String>)> {
    let last = append.entries.last()?;
    let Body::Ended(ended) = &last.body else { return Some((last.recorded_at, None)) };
    let short = ended.outcome.as_ref().err().map(|failure| Failure {
        kind: failure.kind.clone(),
        message: failure.message.clone(),
        details: None,
    });
    let failure = short.and_then(|failure| serde_json::to_string(&failure).ok());
    Some((last.recorded_at, failure))
}
