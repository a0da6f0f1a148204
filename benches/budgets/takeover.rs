//! Two hosts on one database, of which one is killed with -9: how soon the other one goes on with its work.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use futures::future::try_join_all;
use sqlx::postgres::PgPool;

use crate::Bench;
use crate::database::Database;
use crate::inspector::Inspector;
use crate::report::{Budget, Row};
use crate::served::Served;
use crate::stopwatch::{Samples, Stopwatch, count};

/// Executions in flight when one host is killed, and their steps.
const EXECUTIONS: usize = 100;
const STEPS: usize = 400;
/// How often the rows are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What the budget allows beyond a lease.
const BEYOND_SECONDS: f64 = 2.0;
const PATIENCE_SECONDS: f64 = 120.0;

/// Names of the hosts.
const VICTIM: &str = "victim";
const SURVIVOR: &str = "survivor";

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let plot = bench.ground.plot(database, "takeover").await?;
    let victim = Served::start_among(&plot, VICTIM).await?;
    let survivor = Served::start_among(&plot, SURVIVOR).await?;
    victim.deploy(&bench.ground.wasm).await?;
    let Inspector::Postgres(pool) = plot.inspect().await? else { bail!("a file has one host") };
    let rows = Rows { pool };
    // One that was started a moment ago may not declare others dead yet.
    until(async || rows.is_steady().await).await?;
    let input = STEPS.to_string();
    let starts = (0..EXECUTIONS)
        .map(|number| if number % 2 == 0 { &victim } else { &survivor })
        .map(|host| host.start_execution("chain", &input));
    let ids = try_join_all(starts).await?;
    until(async || rows.is_half_way().await).await?;

    let watch = Stopwatch::start();
    victim.kill().await?;
    let left = rows.left_by_victim().await?;
    ensure!(!left.executions.is_empty(), "the host was killed with no execution in flight");
    until(async || Ok(rows.owned_by_victim().await? == 0)).await?;
    let freed = watch.seconds();
    until(async || Ok(rows.last_entries(&left.executions).await? > left.last_entries)).await?;
    let resumed = watch.seconds();
    let results = try_join_all(ids.iter().map(|id| survivor.result(id))).await?;
    let right = u64::try_from(STEPS * (STEPS - 1) / 2)?;
    let wrong = results.iter().filter(|result| result.as_u64() != Some(right)).count();
    survivor.stop().await?;

    let lease = bench.ground.limits().lease.length().as_secs_f64();
    let budget = Budget::AtMost(lease + BEYOND_SECONDS);
    let once = |value: f64| Samples::from_iter([value]);
    let out = [
        Row::of("host killed with -9, its work is free", &once(freed), "s").within(budget).note(
            format!(
                "until nothing is owned by it, looked at every {} ms; it had {} of {EXECUTIONS} executions; the lease is {lease} s",
                LOOK_EVERY.as_millis(),
                left.executions.len()
            ),
        ),
        Row::of("host killed with -9, first new entry elsewhere", &once(resumed), "s")
            .within(budget)
            .note("in the journal of an execution that it had"),
        Row::of("host killed with -9, results wrong or missing", &once(count(wrong)), "results")
            .within(Budget::AtMost(0.0))
            .note(format!("of {EXECUTIONS} executions of {STEPS} steps")),
    ];
    Ok(out.into_iter().map(|row| row.on(database.name())).collect())
}

async fn until(reached: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let watch = Stopwatch::start();
    while !reached().await? {
        ensure!(watch.seconds() < PATIENCE_SECONDS, "what was waited for does not come about");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// What the victim had when it was killed.
struct Left {
    executions: Vec<Vec<u8>>,
    /// The numbers of the last entries of their journals, added up.
    last_entries: i64,
}

/// The database, past the store.
struct Rows {
    pool: PgPool,
}

impl Rows {
    /// Whether the survivor is known to have lived for a lease.
    async fn is_steady(&self) -> Result<bool> {
        let steady = "
            select coalesce(bool_and(steady_since + lease_micros < (extract(epoch from clock_timestamp()) * 1000000)::bigint), false)
            from hosts
            where name = $1";
        Ok(sqlx::query_scalar(steady).bind(SURVIVOR).fetch_one(&self.pool).await?)
    }

    /// Whether half of the victim's steps are done: two entries each.
    async fn is_half_way(&self) -> Result<bool> {
        let owned = self.left_by_victim().await?;
        let half = i64::try_from(owned.executions.len() * STEPS)?;
        Ok(!owned.executions.is_empty() && owned.last_entries > half)
    }

    async fn left_by_victim(&self) -> Result<Left> {
        let owned = "
            select executions.id
            from executions
            join hosts on hosts.id = executions.owner
            where hosts.name = $1";
        let executions: Vec<Vec<u8>> =
            sqlx::query_scalar(owned).bind(VICTIM).fetch_all(&self.pool).await?;
        let last_entries = self.last_entries(&executions).await?;
        Ok(Left { executions, last_entries })
    }

    async fn owned_by_victim(&self) -> Result<i64> {
        let owned = "
            select
              (select count(*) from executions where owner = hosts.id)
              + (select count(*) from tasks where owner = hosts.id)
            from hosts
            where name = $1";
        Ok(sqlx::query_scalar(owned).bind(VICTIM).fetch_one(&self.pool).await?)
    }

    async fn last_entries(&self, executions: &[Vec<u8>]) -> Result<i64> {
        let last = "
            select coalesce(sum(last.seq), 0)::bigint
            from unnest($1::bytea[]) as mine (id)
            cross join lateral (
              select seq from journal where execution_id = mine.id order by seq desc limit 1
            ) as last";
        Ok(sqlx::query_scalar(last).bind(executions).fetch_one(&self.pool).await?)
    }
}
