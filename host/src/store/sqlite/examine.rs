//! Looking at a file.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::open::{check_header, refuse, schema};
use crate::model::{Stopwatch, Timestamp};
use crate::store::error::OpenError;
use crate::store::examine::{Examination, Step};

/// Reads what there is to say of a file, with those of its migrations that are done.
pub(in crate::store) async fn examine(path: &Path) -> Result<Examination, OpenError> {
    check_header(path)?;
    let stopwatch = Stopwatch::start();
    let connect = SqliteConnectOptions::new().filename(path).read_only(true);
    let mut connection = connect.connect().await.map_err(|error| refuse(path, error))?;
    let seen = look(&mut connection, path, stopwatch).await;
    connection.close().await.map_err(|error| refuse(path, error))?;
    seen
}

async fn look(
    connection: &mut SqliteConnection,
    path: &Path,
    stopwatch: Stopwatch,
) -> Result<Examination, OpenError> {
    let found = schema(connection, path).await?;
    let refuse = |error| refuse(path, error);
    let facts = sqlx::query(
        "select sqlite_version(), (select page_count * page_size from pragma_page_count, pragma_page_size),
            cast(unixepoch('subsec') * 1000000 as integer)",
    );
    let row = facts.fetch_one(&mut *connection).await.map_err(refuse)?;
    let answered_in = stopwatch.seconds();
    let (mut steps, mut has_keys) = (Vec::new(), false);
    if found > 0 {
        let applied =
            sqlx::query("select version, name, applied_at from stepwell_schema order by version");
        let rows = applied.fetch_all(&mut *connection).await.map_err(refuse)?;
        steps.extend(rows.iter().map(|row| Step {
            version: row.get(0),
            name: row.get(1),
            applied_at: Some(Timestamp::from_micros(row.get(2))),
        }));
        let keys = sqlx::query(include_str!("../sql/find_keys.sql"));
        has_keys = !keys.fetch_all(connection).await.map_err(refuse)?.is_empty();
    }
    Ok(Examination {
        server: format!("SQLite {}", row.get::<String, _>(0)),
        steps,
        bytes: u64::try_from(row.get::<i64, _>(1)).unwrap_or(0),
        clock: Timestamp::from_micros(row.get(2)),
        answered_in,
        connections: None,
        has_keys,
    })
}
