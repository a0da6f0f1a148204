//! Where a test host keeps its rows: a file, or in the mode `STEPWELL_TEST_POSTGRES` a database of a real server.
//!
//! Leases end on a server, and a test does not wait for that: when a host was killed, its lease is set to be over, and another
//! host, which lives only for this, buries it as any other would.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use stepwell::config::Config;
use stepwell::model::{Ids as _, Limits, RandomIds, Timestamp};
use stepwell::store::{
    Migrating, NewHost, Postgres as Dialect, PostgresOptions, SqlStore, SqliteOptions, Store,
};
use stepwell_test_servers::postgres::Postgres;

use crate::ledger::{Faults, Ledger};
use crate::test_host::is_set;

/// Where the modules are deployed once, for each test to begin with.
const TEMPLATE: &str = "suite_seed";

/// Where rows are.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// In the host's own folder.
    File(PathBuf),
    /// On a server.
    Server(String),
}

impl Place {
    /// Whether this run of the suite is one on Postgres.
    pub(crate) fn is_on_server() -> bool {
        is_set("STEPWELL_TEST_POSTGRES")
    }

    /// A database for one test, with the modules of the examples in it where the seed has them.
    pub(crate) async fn fresh(folder: &Path) -> Self {
        if !Self::is_on_server() {
            return Self::in_folder(folder);
        }
        let server = Postgres::shared().await;
        Self::Server(server.url(&server.database_like(TEMPLATE).await))
    }

    /// The database that the others are copies of, empty.
    pub(crate) async fn seed(folder: &Path) -> Self {
        if !Self::is_on_server() {
            return Self::in_folder(folder);
        }
        let server = Postgres::shared().await;
        server.create_database(TEMPLATE).await;
        Self::Server(server.url(TEMPLATE))
    }

    /// In a folder, whatever the mode.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self::File(folder.join("stepwell.db"))
    }

    /// Has a host keep its rows here.
    pub(crate) fn configure(&self, config: &mut Config) {
        if let Self::Server(url) = self {
            config.database = Some(url.clone());
            config.database_connections = 4;
        }
    }

    /// Changes rows as no host would. Bytes are written as SQLite has them.
    pub(crate) async fn spoil(&self, sql: &str) {
        match self {
            Self::File(path) => {
                let mut connection = sqlite(path).await;
                // Who begins by reading may find that a host has written meanwhile, and is refused at once.
                let sql = format!("begin immediate; {sql}; commit");
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Self::Server(url) => {
                let sql = sql.replace("x'", "'\\x");
                let mut connection = postgres(url).await;
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// Keeps every host from writing to a file as long as what is returned lives.
    pub(crate) async fn hold(&self) -> sqlx::SqliteConnection {
        let Self::File(path) = self else { panic!("a server cannot be held") };
        let mut connection = sqlite(path).await;
        sqlx::raw_sql("begin immediate").execute(&mut connection).await.unwrap();
        connection
    }

    /// What a statement counts.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let query = AssertSqlSafe(sql.to_owned());
        match self {
            Self::File(path) => {
                let mut connection = sqlite(path).await;
                let count = sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap();
                connection.close().await.unwrap();
                count
            }
            Self::Server(url) => {
                let mut connection = postgres(url).await;
                let count = sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap();
                connection.close().await.unwrap();
                count
            }
        }
    }

    /// Has whoever was killed here be declared dead before the next begins, as its lease would in time. On a file the next host
    /// does that itself.
    pub(crate) async fn bury(&self, limits: &Limits) {
        let Self::Server(url) = self else { return };
        let (store, id) = (connect(url, limits).await, RandomIds.host());
        let gravedigger = NewHost {
            id,
            name: "gravedigger".to_owned(),
            lease: Some(limits.lease),
            version: "0".to_owned(),
            session: format!("stepwell {id}"),
            started_at: Timestamp::from_micros(1),
            queues: Vec::new(),
            tags: Vec::new(),
        };
        store.register(&gravedigger).await.unwrap();
        self.spoil("update hosts set steady_since = 1").await;
        self.spoil("update hosts set lease_ends = 1 where name <> 'gravedigger'").await;
        store.bury(id, limits.lease).await.unwrap();
        store.retire(id).await.unwrap();
        store.disconnect().await;
        self.spoil("delete from hosts where name = 'gravedigger'").await;
    }

    /// Holds everything that is here to the ledger; the folder has what the hosts compiled.
    pub(crate) async fn audit(
        &self,
        artefacts: &Path,
        limits: &Limits,
        accepted: &[String],
        faults: Faults,
    ) {
        let compiler = env!("CARGO_BIN_EXE_stepwell").as_ref();
        let ledger = |store| Ledger::open(store, artefacts, compiler, limits);
        match self {
            Self::File(path) => {
                let store = SqlStore::open(path, &SqliteOptions::default(), limits).await.unwrap();
                let store = Arc::new(store);
                let seen: Arc<dyn Store> = Arc::<SqlStore<_>>::clone(&store);
                ledger(seen).audit(accepted, faults).await;
                Arc::into_inner(store).expect("the ledger is closed").close().await;
            }
            Self::Server(url) => {
                let store = Arc::new(connect(url, limits).await);
                let seen: Arc<dyn Store> = Arc::<SqlStore<_>>::clone(&store);
                ledger(seen).audit(accepted, faults).await;
                Arc::into_inner(store).expect("the ledger is closed").disconnect().await;
            }
        }
    }
}

async fn connect(url: &str, limits: &Limits) -> SqlStore<Dialect> {
    let options = PostgresOptions {
        connections_max: 2,
        migrating: Migrating::Never,
        ..PostgresOptions::default()
    };
    SqlStore::connect(url, &options, limits).await.unwrap()
}

async fn sqlite(path: &Path) -> sqlx::SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    options.busy_timeout(Duration::from_secs(60)).connect().await.unwrap()
}

async fn postgres(url: &str) -> sqlx::PgConnection {
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    options.connect().await.unwrap()
}
