//! What the benchmark reads and writes behind the store's back.

use std::time::Duration;

use anyhow::Result;
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;
use stepwell::model::ExecutionId;

/// Reads and writes rows past the store.
#[derive(Debug)]
pub(crate) enum Inspector {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Bytes in the columns of a journal, numbers counted as 4: what [`crate::bare`] inserts is measured the same way.
const JOURNAL_BYTES: &str = "
    select cast(coalesce(sum(16 + 5 * 4 + coalesce(length(name), 0) + length(head) + coalesce(length(data), 0)), 0) as bigint)
    from journal
    where execution_id = $1";

const JOURNAL_ENTRIES: &str = "select count(*) from journal";

const TAKEN: &str = "select completed_at - created_at from executions where id = $1";

const SQLITE_BYTES: &str = "
    select name, sum(pgsize)
    from dbstat
    where name in (select name from sqlite_schema where tbl_name <> 'journal')
    group by name
    order by name";

const POSTGRES_BYTES: &str = "
    select class.relname::text, pg_table_size(class.oid)
    from pg_class as class
    where class.relnamespace = 'public'::regnamespace
      and class.relkind in ('r', 'i')
      and class.relname not in ('journal', 'journal_pkey')
    order by class.relname";

const SQLITE_CROWD: &str = "
    with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < $1)
    insert into executions
      (id, run, module_digest, workflow, state, queue, priority, ready, visible_at, rank, inbox_seq, base, losses,
       lost_at_seq, journal_version, created_at, started_at, completed_at, input_hash)
    select
      cast(printf('%016d', n) as blob), 0, zeroblob(32), 'noop', iif(n % 2, 'waiting', 'completed'), 'default', 0, 0,
      iif(n % 2, 4000000000000000 + n, null), n, 0, 0, 0, 0, 1, n, n, iif(n % 2, null, n), zeroblob(16)
    from numbers";

const POSTGRES_CROWD: &str = "
    insert into executions
      (id, run, module_digest, workflow, state, queue, priority, ready, visible_at, rank, inbox_seq, base, losses,
       lost_at_seq, journal_version, created_at, started_at, completed_at, input_hash)
    select
      convert_to(lpad(n::text, 16, '0'), 'UTF8'), 0, decode(repeat('00', 32), 'hex'), 'noop',
      case n % 2 when 1 then 'waiting' else 'completed' end, 'default', 0, 0,
      case n % 2 when 1 then 4000000000000000 + n end, n, 0, 0, 0, 0, 1, n, n, case n % 2 when 0 then n end,
      decode(repeat('00', 16), 'hex')
    from generate_series(1, $1) as numbers (n)";

/// The same with everything that people look for: ten workflows, five queues, tags, modules, a failure in a hundred of eleven
/// kinds, and children. What has to do with the even ones never meets what has to do with the odd ones, so that two filters which
/// are common by themselves may have nothing in common. Their times are far ahead, so that no host removes them as old.
const SQLITE_MIXED: &str = "
    with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < $1)
    insert into executions
      (id, run, module_digest, workflow, state, queue, tags, priority, ready, visible_at, rank, inbox_seq, base, losses,
       lost_at_seq, journal_version, created_at, started_at, completed_at, input_hash, failure_kind, parent_id, parent_run,
       parent_promise, parent_detached)
    select
      cast(printf('%016d', n) as blob), 0, iif(n % 2, cast(printf('%032d', 1) as blob), randomblob(32)), 'workflow-' || (n % 10),
      case when n % 100 = 7 then 'failed' when n % 100 = 4 then 'pending' when n % 2 then 'waiting' else 'completed' end,
      'queue-' || (n % 5),
      case when n % 10 = 0 then '[\"even\", \"tag-' || (n / 10 % 7) || '\"]' when n % 2 = 0 then '[\"even\"]' end, 0, 0,
      iif(n % 2 and n % 100 <> 7, 5000000000000000 + n, null), n, 0, 0, 0, 0, 1, 4000000000000000 + n, 4000000000000000 + n,
      iif(n % 100 = 7 or n % 2 = 0 and n % 100 <> 4, 4000000000000000 + n, null), zeroblob(16),
      iif(n % 100 = 7, 'kind-' || (n / 100 % 11), null), iif(n % 4 = 3, cast(printf('%016d', 4) as blob), null),
      iif(n % 4 = 3, 0, null), iif(n % 4 = 3, n, null), iif(n % 4 = 3, 0, null)
    from numbers";

const POSTGRES_MIXED: &str = "
    insert into executions
      (id, run, module_digest, workflow, state, queue, tags, priority, ready, visible_at, rank, inbox_seq, base, losses,
       lost_at_seq, journal_version, created_at, started_at, completed_at, input_hash, failure_kind, parent_id, parent_run,
       parent_promise, parent_detached)
    select
      convert_to(lpad(n::text, 16, '0'), 'UTF8'), 0,
      case n % 2 when 1 then convert_to(lpad('1', 32, '0'), 'UTF8') else sha256(convert_to(n::text, 'UTF8')) end,
      'workflow-' || (n % 10),
      case when n % 100 = 7 then 'failed' when n % 100 = 4 then 'pending' when n % 2 = 1 then 'waiting' else 'completed' end,
      'queue-' || (n % 5),
      case when n % 10 = 0 then '[\"even\", \"tag-' || (n / 10 % 7) || '\"]' when n % 2 = 0 then '[\"even\"]' end, 0, 0,
      case when n % 2 = 1 and n % 100 <> 7 then 5000000000000000 + n end, n, 0, 0, 0, 0, 1, 4000000000000000 + n,
      4000000000000000 + n, case when n % 100 = 7 or n % 2 = 0 and n % 100 <> 4 then 4000000000000000 + n end,
      decode(repeat('00', 16), 'hex'), case n % 100 when 7 then 'kind-' || (n / 100 % 11) end,
      case n % 4 when 3 then convert_to(lpad('4', 16, '0'), 'UTF8') end, case n % 4 when 3 then 0 end,
      case n % 4 when 3 then n end, case n % 4 when 3 then 0 end
    from generate_series(1, $1) as numbers (n)";

impl Inspector {
    /// How many entries there are in all journals.
    pub(crate) async fn journal_entries(&self) -> Result<i64> {
        Ok(match self {
            Self::Sqlite(pool) => sqlx::query_scalar(JOURNAL_ENTRIES).fetch_one(pool).await?,
            Self::Postgres(pool) => sqlx::query_scalar(JOURNAL_ENTRIES).fetch_one(pool).await?,
        })
    }

    /// Bytes in the columns of an execution's journal.
    pub(crate) async fn journal_bytes(&self, execution: ExecutionId) -> Result<i64> {
        let id = execution.as_bytes().to_vec();
        Ok(match self {
            Self::Sqlite(pool) => {
                sqlx::query_scalar(JOURNAL_BYTES).bind(id).fetch_one(pool).await?
            }
            Self::Postgres(pool) => {
                sqlx::query_scalar(JOURNAL_BYTES).bind(id).fetch_one(pool).await?
            }
        })
    }

    /// How long an execution took from its start to its end.
    pub(crate) async fn seconds_of(&self, execution: ExecutionId) -> Result<f64> {
        let id = execution.as_bytes().to_vec();
        let micros: i64 = match self {
            Self::Sqlite(pool) => sqlx::query_scalar(TAKEN).bind(id).fetch_one(pool).await?,
            Self::Postgres(pool) => sqlx::query_scalar(TAKEN).bind(id).fetch_one(pool).await?,
        };
        Ok(Duration::from_micros(micros.unsigned_abs()).as_secs_f64())
    }

    /// Bytes of all pages of all tables and indexes but the journal, each with its name.
    pub(crate) async fn bytes_beside_journals(&self) -> Result<Vec<(String, i64)>> {
        Ok(match self {
            Self::Sqlite(pool) => sqlx::query_as(SQLITE_BYTES).fetch_all(pool).await?,
            Self::Postgres(pool) => sqlx::query_as(POSTGRES_BYTES).fetch_all(pool).await?,
        })
    }

    /// Takes out of the tables of executions what is no row any more, where the database leaves such: room that would be
    /// used again, and versions that nobody can see.
    pub(crate) async fn compact(&self) -> Result<()> {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(pool) => {
                let vacuum = "vacuum (full, analyze) executions, inbox, tasks";
                sqlx::raw_sql(vacuum).execute(pool).await?;
            }
        }
        Ok(())
    }

    /// Puts so many executions there that wait for nothing and have nothing to do: every second one is parked with a timer
    /// far ahead, the others have completed. They have no journals, which claims do not look at. The database then knows
    /// its statistics, and owes the disk nothing.
    pub(crate) async fn crowd(&self, count: u32) -> Result<()> {
        self.put(count, (SQLITE_CROWD, POSTGRES_CROWD)).await
    }

    /// The same, of many kinds.
    pub(crate) async fn mixed_crowd(&self, count: u32) -> Result<()> {
        self.put(count, (SQLITE_MIXED, POSTGRES_MIXED)).await
    }

    async fn put(
        &self,
        count: u32,
        (sqlite, postgres): (&'static str, &'static str),
    ) -> Result<()> {
        match self {
            Self::Sqlite(pool) => {
                let mut transaction = pool.begin_with("begin immediate").await?;
                sqlx::query(sqlite).bind(count).execute(&mut *transaction).await?;
                transaction.commit().await?;
                sqlx::query("pragma wal_checkpoint(truncate)").fetch_all(pool).await?;
            }
            Self::Postgres(pool) => {
                sqlx::query(postgres).bind(i64::from(count)).execute(pool).await?;
                for tidying in ["vacuum (analyze) executions, execution_tags", "checkpoint"] {
                    sqlx::raw_sql(tidying).execute(pool).await?;
                }
            }
        }
        Ok(())
    }
}
