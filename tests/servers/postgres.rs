//! Postgres: one for a test alone, which may stop it, or one for all tests of a process.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::keeper::Keeper;

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Open transactions are rolled back, connections are told, and a checkpoint is written.
    Fast,
    /// As if it had crashed: the next start recovers from the log.
    Immediate,
}

/// A server of this process.
#[derive(Debug)]
pub struct Postgres {
    keeper: Keeper,
}

/// The one that does not have to keep anything.
const FORGETFUL: [&str; 4] =
    ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300"];

impl Postgres {
    /// A server for this test alone, as durable as one in production.
    pub async fn private() -> Self {
        Self::with(&[]).await
    }

    /// A private server with settings of its own, such as `max_connections=20`.
    pub async fn with(settings: &[&str]) -> Self {
        let options = options(settings);
        let started = move || Self { keeper: Keeper::start("postgres", &options) };
        tokio::task::spawn_blocking(started).await.unwrap()
    }

    /// A private server that keeps its data below this folder, so on its disk. Whoever the server runs as must be able to
    /// get there.
    pub async fn below(folder: &Path) -> Self {
        let folder = folder.to_owned();
        let started = move || Self { keeper: Keeper::start_below(&folder, "postgres", &[]) };
        tokio::task::spawn_blocking(started).await.unwrap()
    }

    /// A private server that offers TLS, with the [`certificate`](Self::certificate) of its own.
    pub async fn with_tls() -> Self {
        let started = move || Self { keeper: Keeper::start("postgres_tls", &[]) };
        tokio::task::spawn_blocking(started).await.unwrap()
    }

    /// The file that a client of [`with_tls`](Self::with_tls) has to trust.
    pub fn certificate(&self) -> PathBuf {
        self.keeper.folder().join("certificate.pem")
    }

    /// The server that all tests of this process share, each with databases of its own. It would lose what it holds in a
    /// crash, and must not be stopped.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        // Whoever is not the first waits; on a thread that may, as it may be the only one of its runtime.
        let shared = || {
            SHARED.get_or_init(|| Self { keeper: Keeper::start("postgres", &options(&FORGETFUL)) })
        };
        tokio::task::spawn_blocking(shared).await.unwrap()
    }

    /// Where a database of it is found.
    pub fn url(&self, database: &str) -> String {
        url(self.port(), database)
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.keeper.port()
    }

    /// What goes with it; its log is the file `log`.
    pub fn folder(&self) -> &Path {
        self.keeper.folder()
    }

    /// An empty database that nobody else knows: its name.
    pub async fn fresh_database(&self) -> String {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.create_database(&name).await;
        name
    }

    /// A copy of a database that nobody is connected to: its name.
    pub async fn database_like(&self, template: &str) -> String {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!("like_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.create_database(&format!("{name} template {template}")).await;
        name
    }

    /// An empty database of that name.
    pub async fn create_database(&self, name: &str) {
        let options: PgConnectOptions = self.url("postgres").parse().unwrap();
        let mut connection = options.connect().await.unwrap();
        let create = AssertSqlSafe(format!("create database {name}"));
        sqlx::raw_sql(create).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Ends it, and waits until it has ended.
    pub async fn stop(&self, mode: Mode) {
        let command = match mode {
            Mode::Fast => "stop fast",
            Mode::Immediate => "stop immediate",
        };
        self.keeper.end(command).await;
    }

    /// Starts it again on the same port, and waits until it takes connections.
    pub async fn start(&self) {
        self.keeper.begin().await;
    }

    /// Stops it and starts it again.
    pub async fn restart(&self, mode: Mode) {
        self.stop(mode).await;
        self.start().await;
    }
}

/// Where a database is found, of the server itself or through a proxy.
pub(super) fn url(port: u16, database: &str) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/{database}")
}

fn options(settings: &[&str]) -> Vec<String> {
    settings.iter().flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]).collect()
}
