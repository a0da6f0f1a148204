//! Tasks as people see them, and what is around them.

use super::SqlStore;
use super::queues::{PAUSED_MAX, paused};
use super::transaction::Transaction;
use crate::model::{Meter, Promise, Routing, Run, TaskId, Timestamp};
use crate::store::Result;
use crate::store::dialect::{Dialect, Fault};
use crate::store::row::{Reading, Row};
use crate::store::statements::{self, Statement};
use crate::store::value::{Rows, values};
use crate::store::waiting::{
    Holder, Holders, LimitRow, Serving, Surroundings, TaskFilter, TaskRow, TaskState,
};

/// Hosts that serve differently and are looked at.
const HOSTS_MAX: u32 = 1_000;
/// Holders of one limit that are named.
const HOLDERS_MAX: u32 = 10;

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn list_tasks(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>> {
        let first = (Timestamp::from_micros(i64::MIN), TaskId::from_bytes([0; 16]));
        let (after, after_id) = filter.after.unwrap_or(first);
        let values = values![
            filter.queue.as_ref(),
            filter.step.as_ref(),
            filter.execution,
            filter.state.map(|state| state == TaskState::Running),
            after,
            after_id,
            filter.limit,
        ];
        let rows = self.read(listing(filter), values).await?;
        rows.into_iter().map(task).collect()
    }

    pub(super) async fn read_task(&self, id: TaskId) -> Result<Option<TaskRow>> {
        let rows = self.read(statements::READ_TASK, values![id]).await?;
        rows.into_iter().next().map(task).transpose()
    }

    pub(super) async fn look_around(
        &self,
        limits: &[String],
        holders: Holders,
    ) -> Result<Surroundings> {
        let mut moment = self.look().await?;
        let now = moment.fetch(statements::NOW, values![]).await?;
        let hosts = moment.fetch(statements::SERVING_HOSTS, values![HOSTS_MAX]).await?;
        let queues = moment.fetch(statements::PAUSED_QUEUES, values![PAUSED_MAX]).await?;
        let names: Rows = limits.iter().map(|name| values![name.as_str()]).collect();
        let limits = moment.fetch_many(statements::READ_LIMITS, names).await?;
        let mut limits: Vec<_> = limits.into_iter().map(limit).collect::<Result<_>>()?;
        if holders == Holders::Named {
            for limit in &mut limits {
                limit.holders = holders_of(&mut moment, &limit.name).await?;
            }
        }
        moment.commit().await?;
        Ok(Surroundings {
            now: Reading::of("hosts", now.into_iter().next().unwrap_or_default()).time("now")?,
            hosts: hosts.into_iter().map(serving).collect::<Result<_>>()?,
            paused_queues: queues.into_iter().map(paused).collect::<Result<_>>()?,
            limits,
        })
    }
}

/// The statement whose index finds what is looked for: by what is likely the rarest. Those that run are no more than the slots of
/// all hosts.
fn listing(filter: &TaskFilter) -> &'static Statement {
    if filter.execution.is_some() {
        statements::LIST_TASKS_OF_EXECUTION
    } else if filter.state == Some(TaskState::Running) {
        statements::LIST_RUNNING_TASKS
    } else if filter.queue.is_some() {
        statements::LIST_TASKS_IN_QUEUE
    } else {
        statements::LIST_TASKS
    }
}

async fn holders_of<D: Dialect>(
    moment: &mut Transaction<'_, D>,
    limit: &str,
) -> Result<Vec<Holder>, Fault> {
    let rows = moment.fetch(statements::LIST_HOLDERS, values![limit, HOLDERS_MAX]).await?;
    Ok(rows.into_iter().map(holder).collect::<Result<_>>()?)
}

fn task(row: Row) -> Result<TaskRow> {
    let mut row = Reading::of("tasks", row);
    Ok(TaskRow {
        id: row.task("id")?,
        execution: row.execution("execution_id")?,
        run: Run(row.number("run")?),
        promise: Promise(row.number("promise")?),
        step: row.name("step")?,
        workflow: row.name("workflow")?,
        routing: Routing {
            queue: row.name("queue")?,
            tags: row.opt_json("tags")?.unwrap_or_default(),
            priority: row.number("priority")?,
        },
        attempt: row.number("attempt")?,
        losses: row.number("losses")?,
        created_at: row.time("created_at")?,
        visible_at: row.time("visible_at")?,
        ready: row.flag("ready")?,
        owner: row.opt_host("owner")?,
        started_at: row.opt_time("started_at")?,
        schedule_by: row.opt_time("schedule_by")?,
        last_failure: row.opt_json("last_failure")?,
        limits: [row.opt_text("step_limit")?, row.opt_text("key_limit")?],
        blocked_on: row.opt_text("blocked_on")?,
        paused_at: row.opt_time("paused_at")?,
        leader: row.opt_task("leader")?,
        follows: row.flag("follows")?,
    })
}

fn limit(row: Row) -> Result<LimitRow> {
    let mut row = Reading::of("limits", row);
    let (name, step, key) = (row.text("name")?, row.name("step")?, row.opt_text("key")?);
    let (slots, rate) = (row.opt_number("slots")?, row.opt_text("rate")?);
    let (interval, burst) = (row.opt_i64("interval_micros")?, row.opt_i64("burst")?);
    let tat = row.i64("tat")?;
    let meter = interval.zip(burst).map(|(interval, burst)| Meter { interval, burst, tat });
    let running = row.number("running")?;
    Ok(LimitRow { name, step, key, slots, rate, meter, running, holders: Vec::new() })
}

fn holder(row: Row) -> Result<Holder> {
    let mut row = Reading::of("tasks", row);
    Ok(Holder {
        task: row.task("id")?,
        execution: row.execution("execution_id")?,
        step: row.name("step")?,
        since: row.opt_time("started_at")?,
    })
}

fn serving(row: Row) -> Result<Serving> {
    let mut row = Reading::of("hosts", row);
    Ok(Serving {
        queues: row.opt_json("queues")?.unwrap_or_default(),
        tags: row.opt_json("tags")?.unwrap_or_default(),
    })
}
