//! A database of its own for each test.

use std::sync::Arc;

use stepwell::model::{
    ExecutionId, HostId, Ids, Lease, Limits, ModuleDigest, RandomIds, TaskId, Timestamp,
};
use stepwell::store::{
    ClaimFilter, ExecutionView, NewHost, PostgresOptions, Renewal, Snapshot, SqlStore,
    SqliteOptions, Store, Streak, Write, Written,
};
use tempfile::TempDir;

use stepwell_test_servers::postgres::Postgres;

/// Runs each test on each database. The one place that names them.
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($database:ident: Database) $body:block)+) => {
        $($(#[$meta])* async fn $name($database: Database) $body)+

        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::database::Database::sqlite().await).await;
            })+
        }

        mod on_postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::database::Database::postgres().await).await;
            })+
        }
    };
}

/// A store with one living host.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) host: HostId,
    pub(crate) now: Timestamp,
    place: Place,
}

/// Where its rows are.
#[derive(Debug)]
enum Place {
    File(TempDir),
    Server(String),
}

/// Limits small enough to be reached.
pub(crate) fn limits() -> Limits {
    Limits {
        unreceived_signals_max: 3,
        schedules_max: 3,
        page_reads_max: 4,
        committer_queue_max: 64,
        commit_batch_max: 16,
        activations_max: 4,
        ..Limits::for_cores(1)
    }
}

pub(crate) fn new_host_row(id: HostId) -> NewHost {
    NewHost {
        id,
        name: "here".to_owned(),
        lease: Some(Lease::default()),
        version: "1".to_owned(),
        session: format!("stepwell {id}"),
        started_at: Timestamp::from_micros(1),
        queues: Vec::new(),
        tags: Vec::new(),
    }
}

pub(crate) fn new_host() -> HostId {
    RandomIds.host()
}

impl Database {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stepwell.db");
        let store = SqlStore::open(&path, &SqliteOptions::default(), &limits()).await.unwrap();
        let host = new_host();
        let now = store.register(&new_host_row(host)).await.unwrap();
        Self { store: Arc::new(store), host, now, place: Place::File(folder) }
    }

    pub(crate) async fn postgres() -> Self {
        let server = Postgres::shared().await;
        Self::at(&server.url(&server.fresh_database().await)).await
    }

    /// A host of its own on the database that is found there.
    pub(crate) async fn at(url: &str) -> Self {
        let host = new_host();
        let session_name = format!("stepwell {host}");
        let options =
            PostgresOptions { session_name, connections_max: 4, ..PostgresOptions::default() };
        let store = SqlStore::connect(url, &options, &limits()).await.unwrap();
        let now = store.register(&new_host_row(host)).await.unwrap();
        Self { store: Arc::new(store), host, now, place: Place::Server(url.to_owned()) }
    }

    /// Another host on the same database.
    pub(crate) async fn peer(&self) -> Self {
        Self::at(self.url().expect("only a server has several hosts")).await
    }

    /// Where other hosts find it; none where there can be no other.
    pub(crate) fn url(&self) -> Option<&str> {
        match &self.place {
            Place::File(_) => None,
            Place::Server(url) => Some(url),
        }
    }

    /// How many transactions the rows of a table come from, which only a server says.
    pub(crate) async fn commits(&self, table: &'static str) -> i64 {
        use sqlx::Connection as _;
        let url = self.url().expect("a file does not say");
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        let sql = format!("select count(distinct xmin::text) from {table}");
        let counted = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut connection).await;
        connection.close().await.unwrap();
        counted.unwrap()
    }

    /// How SQLite would go about a statement.
    pub(crate) async fn plan(&self, sql: &str) -> String {
        use sqlx::{ConnectOptions as _, Row as _};
        let path = match &self.place {
            Place::File(folder) => Some(folder.path().join("stepwell.db")),
            Place::Server(_) => None,
        };
        let options = sqlx::sqlite::SqliteConnectOptions::new();
        let options = options.filename(path.expect("a server has other plans"));
        let mut connection = options.connect().await.unwrap();
        let sql = sqlx::AssertSqlSafe(format!("explain query plan {sql}"));
        let rows = sqlx::raw_sql(sql).fetch_all(&mut connection).await.unwrap();
        let lines = rows.iter().map(|row| row.get::<String, _>("detail"));
        lines.collect::<Vec<_>>().join("; ")
    }

    /// Changes rows as no host would. Bytes are written as SQLite has them.
    pub(crate) async fn spoil(&self, sql: &'static str) {
        use sqlx::{ConnectOptions as _, Connection as _};
        match &self.place {
            Place::File(folder) => {
                let path = folder.path().join("stepwell.db");
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                let mut connection = options.connect().await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Place::Server(url) => {
                let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
                let sql = sqlx::AssertSqlSafe(
                    sql.replace("x'", "'\\x").replace(" as blob)", " as bytea)"),
                );
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// Declares this host dead, and every other that has been its heir, as its successor does: returns that one.
    pub(crate) async fn die(&self) -> HostId {
        let heir = new_host();
        if self.url().is_some() {
            // Their leases have ended, and the database is known to have answered for long.
            self.spoil("update hosts set lease_ends = 1, steady_since = 1").await;
        }
        self.store.register(&new_host_row(heir)).await.unwrap();
        if self.url().is_some() {
            self.spoil("update hosts set steady_since = 1").await;
            self.store.bury(heir, Lease::default()).await.unwrap();
        }
        heir
    }

    pub(crate) async fn commit(&self, writes: Vec<Write>) -> Vec<Written> {
        self.store.commit(self.host, &writes).await.unwrap()
    }

    pub(crate) async fn claim(&self, limit: u32) -> Vec<Snapshot> {
        self.store.claim_executions(self.host, &everything(), limit).await.unwrap()
    }

    /// Claims and says which, in order.
    pub(crate) async fn claimed(&self, filter: &ClaimFilter) -> Vec<ExecutionId> {
        let claimed = self.store.claim_executions(self.host, filter, 100).await.unwrap();
        claimed.into_iter().map(|snapshot| snapshot.execution.id).collect()
    }

    pub(crate) async fn view(&self, id: ExecutionId) -> ExecutionView {
        self.store.execution(id).await.unwrap().unwrap()
    }

    pub(crate) async fn renew(&self) -> Renewal {
        self.store.renew(self.host, Streak::Unbroken).await.unwrap()
    }

    pub(crate) async fn snapshot(&self, id: ExecutionId) -> Snapshot {
        self.store.snapshot(self.host, id).await.unwrap().unwrap()
    }
}

/// A host that takes everything.
pub(crate) fn everything() -> ClaimFilter {
    ClaimFilter { journal_version: u32::MAX, ..ClaimFilter::default() }
}

pub(crate) fn execution_id(number: u8) -> ExecutionId {
    ExecutionId::from_bytes([number; 16])
}

pub(crate) fn task_id(number: u8) -> TaskId {
    TaskId::from_bytes([number; 16])
}

pub(crate) fn module() -> ModuleDigest {
    ModuleDigest::of(b"module")
}
