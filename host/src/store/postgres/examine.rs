//! Looking at a Postgres.

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};

use super::migrate::schema;
use super::open::{Connect, Plans, PostgresOptions};
use crate::model::{Stopwatch, Timestamp};
use crate::store::error::OpenError;
use crate::store::examine::{Examination, Step};

/// Reads what there is to say of a database, with those of its migrations that are done.
pub(in crate::store) async fn examine(
    url: &str,
    options: &PostgresOptions,
) -> Result<Examination, OpenError> {
    let connect = Connect::new(url, options)?;
    let connected = connect.bounded(Plans::Auto).await;
    let mut connection = connected.map_err(|error| connect.unavailable(error))?;
    let seen = look(&mut connection, &connect).await?;
    connection.close().await.map_err(|error| connect.unavailable(error))?;
    Ok(seen)
}

async fn look(connection: &mut PgConnection, connect: &Connect) -> Result<Examination, OpenError> {
    let found = schema(connection, connect).await?;
    let unavailable = |error| connect.unavailable(error);
    let facts = sqlx::query(include_str!("examine.sql"));
    let stopwatch = Stopwatch::start();
    let row = facts.fetch_one(&mut *connection).await.map_err(unavailable)?;
    let answered_in = stopwatch.seconds();
    let (mut steps, mut has_keys) = (Vec::new(), false);
    if found > 0 {
        let applied =
            sqlx::query("select version, name, applied_at from stepwell_schema order by version");
        let rows = applied.fetch_all(&mut *connection).await.map_err(unavailable)?;
        steps.extend(rows.iter().map(|row| Step {
            version: row.get(0),
            name: row.get(1),
            applied_at: Some(Timestamp::from_micros(row.get(2))),
        }));
        let keys = sqlx::query(include_str!("../sql/find_keys.sql"));
        has_keys = !keys.fetch_all(connection).await.map_err(unavailable)?.is_empty();
    }
    let count = |place: usize| u64::try_from(row.get::<i64, _>(place)).unwrap_or(0);
    Ok(Examination {
        server: format!("Postgres {}", row.get::<String, _>(0)),
        steps,
        bytes: count(1),
        clock: Timestamp::from_micros(row.get(2)),
        answered_in,
        connections: Some((count(3), count(4))),
        has_keys,
    })
}
