//! Bringing a database to the schema of this binary, by one host at a time.
//!
//! Schema n serves binaries n and n - 1: whoever adds to it keeps what the binary before knows. So a host starts on a schema
//! that is one ahead of it, and refuses one that is further.

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};

use super::open::{Connect, Migrating};
use crate::store::error::OpenError;
use crate::store::migrations::{self, MIGRATIONS, NEWEST};

/// Our key among the advisory locks of the database: the letters `stepwell` as a number.
const LOCK: i64 = i64::from_be_bytes(*b"stepwell");
/// Insufficient privilege, as Postgres calls it.
const NOT_ALLOWED: &str = "42501";

/// Sees which schema is there, and migrates where that is wanted and needed.
pub(super) async fn bring_up_to_date(
    connection: &mut PgConnection,
    connect: &Connect,
) -> Result<(), OpenError> {
    let found = schema(connection, connect).await?;
    if found >= NEWEST {
        return Ok(());
    }
    if connect.migrating() == Migrating::Never {
        return Err(OpenError::Behind { found, known: NEWEST, source: None });
    }
    let unavailable = |error| connect.unavailable(error);
    sqlx::query("select pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut *connection)
        .await
        .map_err(unavailable)?;
    // Another host may have done it while this one waited for the lock, which goes with the session.
    let found = schema(connection, connect).await?;
    match migrate(connection, found).await {
        Ok(()) => Ok(()),
        Err(error) if is_not_allowed(&error) => {
            let said = error.as_database_error().map(|said| said.message().into());
            Err(OpenError::Behind { found, known: NEWEST, source: said })
        }
        Err(error) => Err(connect.unavailable(error)),
    }
}

fn is_not_allowed(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| code == NOT_ALLOWED)
}

/// The schema a database has: 0 where there is none. Tables of another program that are called as ours are left alone.
pub(super) async fn schema(
    connection: &mut PgConnection,
    connect: &Connect,
) -> Result<i64, OpenError> {
    let unavailable = |error| connect.unavailable(error);
    let row = sqlx::query(include_str!("find_schema.sql"))
        .fetch_one(&mut *connection)
        .await
        .map_err(unavailable)?;
    let (ours, taken): (bool, bool) = (row.get(0), row.get(1));
    if !ours {
        if taken {
            let source = "it has tables called executions or journal that are not ours".into();
            return Err(OpenError::Foreign { path: connect.place(), source });
        }
        return Ok(0);
    }
    let row = sqlx::query("select coalesce(max(version), 0) from stepwell_schema")
        .fetch_one(connection)
        .await
        .map_err(unavailable)?;
    let found: i64 = row.get(0);
    if migrations::is_served(found) {
        Ok(found)
    } else {
        Err(OpenError::Newer { found, known: NEWEST })
    }
}

/// All that is missing, or nothing.
async fn migrate(connection: &mut PgConnection, found: i64) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let table = "create table if not exists stepwell_schema (
        version bigint not null primary key,
        name text not null,
        applied_at bigint not null
    )";
    sqlx::raw_sql(table).execute(&mut *transaction).await?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > found) {
        sqlx::raw_sql(migration.postgres).execute(&mut *transaction).await?;
        sqlx::query(
            "insert into stepwell_schema values ($1, $2, (extract(epoch from clock_timestamp()) * 1000000)::bigint)",
        )
        .bind(migration.version)
        .bind(migration.name)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await
}
