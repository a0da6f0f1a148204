//! What the database holds, read behind the backs of the hosts.

use std::str::FromStr as _;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use crate::storm::{PATIENCE, until};

/// How long one look may wait for a database that is away.
const LOOK_WITHIN: Duration = Duration::from_secs(2);

const UNFINISHED: &str = "select count(*) from executions where completed_at is null";

/// A look into the database. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Rows(PgPool);

/// One life of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incarnation {
    pub(crate) id: String,
    pub(crate) alive: bool,
    /// What the connections of its process are called.
    pub(crate) session: String,
}

impl Rows {
    pub(crate) fn at(url: &str) -> Self {
        let options = PgConnectOptions::from_str(url).unwrap();
        let options = options.application_name("storm").disable_statement_logging();
        let pool = PgPoolOptions::new().max_connections(4).acquire_timeout(LOOK_WITHIN);
        Self(pool.connect_lazy_with(options))
    }

    /// Runs statements.
    pub(crate) async fn run(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.0).await.unwrap();
    }

    /// The one number that a statement asks for; none where the database is away.
    pub(crate) async fn try_count(&self, sql: &str) -> Option<i64> {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.0).await.ok()
    }

    /// The one number that a statement asks for.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.0).await.unwrap()
    }

    /// The column of text that a statement asks for.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&self.0).await.unwrap()
    }

    /// The lives of the host of that name, in their order.
    pub(crate) async fn incarnations(&self, name: &str) -> Vec<Incarnation> {
        let sql = "select encode(id, 'hex')::uuid::text as id, alive, session from hosts \
             where name = $1 order by started_at, id";
        let rows: Vec<(String, i16, String)> =
            sqlx::query_as(sql).bind(name).fetch_all(&self.0).await.unwrap();
        let life = |(id, alive, session)| Incarnation { id, alive: alive == 1, session };
        rows.into_iter().map(life).collect()
    }

    /// The life that a host of that name lives now.
    pub(crate) async fn life(&self, name: &str) -> Incarnation {
        let last = self.incarnations(name).await.pop();
        last.unwrap_or_else(|| panic!("{name} has no row"))
    }

    /// How many executions have not ended.
    pub(crate) async fn unfinished(&self) -> i64 {
        self.count(UNFINISHED).await
    }

    /// The same; none where the database is away.
    pub(crate) async fn try_unfinished(&self) -> Option<i64> {
        self.try_count(UNFINISHED).await
    }

    /// Waits until a life is known to be over and nothing is its own any more; says how long after `since` that was.
    pub(crate) async fn freed(&self, id: String, since: Instant) -> Duration {
        let sql = format!(
            "select (select count(*) from hosts where id = uuid_send('{id}') and alive = 1) \
             + (select count(*) from executions where owner = uuid_send('{id}')) \
             + (select count(*) from tasks where owner = uuid_send('{id}'))"
        );
        let look = || async { (self.try_count(&sql).await? == 0).then(|| since.elapsed()) };
        until("what the dead host had is free", PATIENCE, look).await
    }

    /// Waits until nothing is left to do.
    pub(crate) async fn at_rest(&self) {
        let left = "select (select count(*) from executions where completed_at is null) \
             + (select count(*) from tasks)";
        let look = || async { (self.try_count(left).await? == 0).then_some(()) };
        until("everything has ended", 2 * PATIENCE, look).await;
    }
}
