//! Schedules, as people put and change them.

use super::SqlStore;
use super::transaction::Transaction;
use crate::model::{HostId, Name, Progress, ScheduleSpec, Timestamp};
use crate::store::Result;
use crate::store::dialect::{Dialect, Fault};
use crate::store::error::StoreError;
use crate::store::row::{Reading, Row};
use crate::store::schedule::{Put, ScheduleRow};
use crate::store::statements;
use crate::store::value::{Rows, Value, values};

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn write_schedule(
        &self,
        host: HostId,
        name: &Name,
        spec: &ScheduleSpec,
    ) -> Result<Put> {
        let mut transaction = self.begin(host).await?;
        let now = transaction.now;
        let put = match lock(&mut transaction, name).await? {
            Some(before) => Put::Changed(Box::new(changed(before, spec, now))),
            None if self.is_full_of_schedules(&mut transaction).await? => {
                transaction.leave().await?;
                return Ok(Put::Full);
            }
            None => Put::Created(Box::new(first(name, spec, now))),
        };
        if let Put::Created(row) | Put::Changed(row) = &put {
            keep(&mut transaction, [&**row]).await?;
        }
        transaction.commit().await?;
        Ok(put)
    }

    async fn is_full_of_schedules(
        &self,
        transaction: &mut Transaction<'_, D>,
    ) -> Result<bool, Fault> {
        let rows = transaction.fetch(statements::COUNT_SCHEDULES, values![]).await?;
        let row = rows.into_iter().next().unwrap_or_default();
        let count: usize = Reading::of("schedules", row).number("count")?;
        Ok(count >= self.schedules_max)
    }

    pub(super) async fn read_schedule(&self, name: &Name) -> Result<Option<ScheduleRow>> {
        let rows = self.read(statements::READ_SCHEDULE, values![name]).await?;
        rows.into_iter().next().map(read).transpose()
    }

    pub(super) async fn list_schedules(
        &self,
        after: Option<&Name>,
        limit: u32,
    ) -> Result<Vec<ScheduleRow>> {
        let values = values![after.map(Name::as_str), limit];
        let rows = self.read(statements::LIST_SCHEDULES, values).await?;
        rows.into_iter().map(read).collect()
    }

    pub(super) async fn delete_schedule(&self, host: HostId, name: &Name) -> Result<bool> {
        let mut transaction = self.begin(host).await?;
        let removed = transaction.execute(statements::REMOVE_SCHEDULE, values![name]).await?;
        transaction.commit().await?;
        Ok(removed > 0)
    }

    pub(super) async fn halt_schedule(
        &self,
        host: HostId,
        name: &Name,
        paused: Option<Timestamp>,
    ) -> Result<Option<ScheduleRow>> {
        let mut transaction = self.begin(host).await?;
        let Some(mut row) = lock(&mut transaction, name).await? else {
            transaction.leave().await?;
            return Ok(None);
        };
        let now = transaction.now;
        match (row.paused_at, paused) {
            (None, Some(at)) => row.paused_at = Some(at),
            // What would have fired meanwhile is not made up for: nobody was late.
            (Some(_), None) => {
                row.paused_at = None;
                row.next_at = row.spec.next_after(now);
                row.due_at = due_at(&row, now);
            }
            (Some(_), Some(_)) | (None, None) => {
                transaction.leave().await?;
                return Ok(Some(row));
            }
        }
        keep(&mut transaction, [&row]).await?;
        transaction.commit().await?;
        Ok(Some(row))
    }
}

fn first(name: &Name, spec: &ScheduleSpec, now: Timestamp) -> ScheduleRow {
    let mut row = ScheduleRow {
        name: name.clone(),
        spec: spec.clone(),
        version: now.as_micros(),
        progress: Progress::default(),
        paused_at: None,
        next_at: spec.next_after(now),
        due_at: None,
        created_at: now,
        updated_at: now,
    };
    row.due_at = due_at(&row, now);
    row
}

/// The same schedule with another spec. Where that fires at the same times, a firing that is late stays so.
fn changed(before: ScheduleRow, spec: &ScheduleSpec, now: Timestamp) -> ScheduleRow {
    if before.spec == *spec {
        return before;
    }
    let next_at = match before.next_at {
        Some(at) if before.spec.keeps_time_with(spec) => Some(at),
        Some(_) | None => spec.next_after(now),
    };
    let version = now.as_micros().max(before.version.saturating_add(1));
    let spec = spec.clone();
    let mut row = ScheduleRow { spec, version, next_at, updated_at: now, ..before };
    row.due_at = due_at(&row, now);
    row
}

pub(super) fn due_at(row: &ScheduleRow, now: Timestamp) -> Option<Timestamp> {
    row.progress.due_at((&row.name, &row.spec), row.next_at, now)
}

pub(super) async fn lock<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    name: &Name,
) -> Result<Option<ScheduleRow>, Fault> {
    let rows = transaction.fetch(statements::LOCK_SCHEDULE, values![name]).await?;
    Ok(rows.into_iter().next().map(read).transpose()?)
}

/// Writes schedules as they are now. Each is written: it is locked, or new.
pub(super) async fn keep<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    rows: impl IntoIterator<Item = &ScheduleRow>,
) -> Result<(), Fault> {
    let rows: Rows = rows.into_iter().map(written).collect();
    let expected = rows.len();
    let kept = transaction.fetch_many(statements::KEEP_SCHEDULES, rows).await?.len();
    if kept == expected {
        return Ok(());
    }
    Err(Fault::Refused(format!("{kept} of {expected} schedules were written").into()))
}

fn written(row: &ScheduleRow) -> [Value; 9] {
    let json = "a schedule can be written as JSON";
    values![
        &row.name,
        Value::secret_text("schedules.spec", serde_json::to_string(&row.spec).expect(json)),
        row.version,
        Value::secret_text("schedules.progress", serde_json::to_string(&row.progress).expect(json)),
        row.paused_at,
        row.next_at,
        row.due_at,
        row.created_at,
        row.updated_at,
    ]
}

pub(super) fn read(row: Row) -> Result<ScheduleRow, StoreError> {
    let mut row = Reading::of("schedules", row);
    Ok(ScheduleRow {
        name: row.name("name")?,
        spec: row.json("spec")?,
        version: row.i64("version")?,
        progress: row.json("progress")?,
        paused_at: row.opt_time("paused_at")?,
        next_at: row.opt_time("next_at")?,
        due_at: row.opt_time("due_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}
