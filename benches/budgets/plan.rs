//! How a database finds what it claims, in its own words.

use std::fmt::Write as _;

use anyhow::Result;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;
use stepwell::model::HostId;
use stepwell::store::ClaimFilter;

use crate::inspector::Inspector;

/// The statement that the store claims executions with, and the types of what it is given.
const CLAIM: &str = include_str!("../../host/src/store/sql/claim_executions.postgres.sql");
const TYPES: &str = "bytea, text, text, bigint, bigint, bigint, bigint";

/// Executions of a prepared statement until Postgres may keep one plan for all values.
const UNTIL_GENERIC: usize = 6;

/// The plan of a claim by this host, with figures; none where the database tells no more than the measurement does. The
/// statement runs as the store has it, prepared, for all queues and tags, and is rolled back each time.
pub(crate) async fn of_claim(
    inspector: &Inspector,
    host: HostId,
    filter: &ClaimFilter,
    limit: usize,
) -> Result<Option<String>> {
    let Inspector::Postgres(pool) = inspector else { return Ok(None) };
    let id = host.to_string().replace('-', "");
    let now: i64 =
        sqlx::query_scalar("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
            .fetch_one(pool)
            .await?;
    say(pool, format!("prepare claim ({TYPES}) as {CLAIM}")).await?;
    let version = filter.journal_version;
    let losses = filter.suspect_after.map_or("null".to_owned(), |losses| losses.to_string());
    let execute =
        format!("execute claim ('\\x{id}', null, null, {limit}, {now}, {version}, {losses})");
    let mut text = String::new();
    for time in 1..=UNTIL_GENERIC {
        let lines = explain(pool, &execute).await?;
        if time == 1 || time == UNTIL_GENERIC {
            write!(text, "-- {execute}\n-- time {time}, rolled back\n{}\n\n", lines.join("\n"))?;
        }
    }
    Ok(Some(text))
}

/// On the one connection of the inspector's pool, where the statement was prepared.
async fn explain(pool: &PgPool, execute: &str) -> Result<Vec<String>> {
    let mut transaction = pool.begin().await?;
    let explain = format!("explain (analyze, buffers) {execute}");
    let lines = sqlx::query_scalar(AssertSqlSafe(explain)).persistent(false);
    let lines = lines.fetch_all(&mut *transaction).await?;
    transaction.rollback().await?;
    Ok(lines)
}

async fn say(pool: &PgPool, statement: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(pool).await?;
    Ok(())
}
