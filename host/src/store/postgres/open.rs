//! Connecting: the bounds of every session, and the connections that are no part of the pool.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::Postgres;
use super::compose::Composer;
use super::link::still_answers;
use crate::model::Lease;
use crate::store::dialect::Fault;
use crate::store::error::{BoxError, OpenError};
use crate::store::sealing::Keyring;

/// How a Postgres is connected to. Every time-out is well below the lease of a host, so that a host that hangs in a
/// transaction is out of everybody's way before it is declared dead.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Connections of the pool; the committer and the lease have one each besides.
    pub connections_max: u32,
    /// How long connecting, or waiting for a connection of the pool, may take.
    pub connect_within: Duration,
    /// How long this side waits for an answer before it drops the connection.
    pub answer_within: Duration,
    /// How long the server works on one statement (`statement_timeout`).
    pub statement_within: Duration,
    /// How long a statement waits for a lock (`lock_timeout`).
    pub lock_within: Duration,
    /// How long a transaction may idle before the server ends its session (`idle_in_transaction_session_timeout`), and how
    /// long the server waits for a client that does not acknowledge what it was sent (`tcp_user_timeout`).
    pub idle_within: Duration,
    /// Whether to bring the schema up to date.
    pub migrating: Migrating,
    /// What the sessions of this process are called, so that others can end them (`application_name`).
    pub session_name: String,
    /// What payloads are sealed with.
    pub keys: Keyring,
}

/// Whether a host brings the schema up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrating {
    /// Where it is behind.
    Auto,
    /// That is for `stepwell migrate` to do.
    Never,
}

impl PostgresOptions {
    /// Connections of the pool unless told otherwise.
    pub const CONNECTIONS: u32 = 10;

    /// The time-outs that fit a lease: of 15 s, 5 s to connect and to idle, 4 s for a lock, 8 s for a statement, 9 s for its
    /// answer.
    pub fn for_lease(lease: Lease) -> Self {
        let fifteenth = lease.length() / 15;
        Self {
            connections_max: Self::CONNECTIONS,
            connect_within: 5 * fifteenth,
            answer_within: 9 * fifteenth,
            statement_within: 8 * fifteenth,
            lock_within: 4 * fifteenth,
            idle_within: 5 * fifteenth,
            migrating: Migrating::Auto,
            session_name: "stepwell".to_owned(),
            keys: Keyring::default(),
        }
    }
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self::for_lease(Lease::default())
    }
}

/// Statements that a session keeps prepared: all of ours, and the few that are put together of them.
const STATEMENTS_KEPT: usize = 512;
/// How the address of a Postgres begins.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// The committer's connection is asked after so long: a commit that finds it broken is of unknown outcome.
pub(super) const COMMITS_REST: Duration = Duration::from_secs(1);

/// When a session plans a statement that is prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plans {
    /// As Postgres sees fit: what lists are asked for changes what is best.
    Auto,
    /// Once. Commits find their rows by keys however many there are, and planning would cost more than doing.
    Kept,
}

impl Plans {
    fn mode(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Kept => "force_generic_plan",
        }
    }
}

/// A connection that is no part of the pool.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) connection: PgConnection,
    used_at: Instant,
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a connection has rested decides nothing but a question to it"
)]
fn now() -> Instant {
    Instant::now()
}

/// How to connect.
#[derive(Debug, Clone)]
pub(super) struct Connect {
    to: PgConnectOptions,
    options: PostgresOptions,
}

impl Connect {
    pub(super) fn new(url: &str, options: &PostgresOptions) -> Result<Self, OpenError> {
        if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(OpenError::BadAddress { source: "it begins with another word".into() });
        }
        let to = PgConnectOptions::from_str(url)
            .map_err(|source| OpenError::BadAddress { source: source.into() })?
            .application_name(&options.session_name)
            .statement_cache_capacity(STATEMENTS_KEPT)
            .disable_statement_logging();
        Ok(Self { to, options: options.clone() })
    }

    /// Where it is, without who and with which password.
    pub(super) fn place(&self) -> String {
        let database = self.to.get_database().unwrap_or_else(|| self.to.get_username());
        format!("{}:{}/{database}", self.to.get_host(), self.to.get_port())
    }

    pub(super) fn answer_within(&self) -> Duration {
        self.options.answer_within
    }

    pub(super) fn migrating(&self) -> Migrating {
        self.options.migrating
    }

    pub(super) fn unavailable(&self, source: impl Into<BoxError>) -> OpenError {
        OpenError::Unavailable { place: self.place(), source: source.into() }
    }

    /// A connection without the bounds of a session: for migrations, which take as long as they take.
    pub(super) async fn unbounded(&self) -> Result<PgConnection, sqlx::Error> {
        timeout(self.options.connect_within, self.to.connect()).await.unwrap_or_else(late)
    }

    /// A connection that may be used, within the time that connecting may take.
    pub(super) async fn bounded(&self, plans: Plans) -> Result<PgConnection, sqlx::Error> {
        let connecting = async {
            let mut connection = self.to.connect().await?;
            self.bound(&mut connection, plans).await?;
            Ok(connection)
        };
        timeout(self.options.connect_within, connecting).await.unwrap_or_else(late)
    }

    /// Bounds a session.
    async fn bound(&self, connection: &mut PgConnection, plans: Plans) -> Result<(), sqlx::Error> {
        let millis = |span: Duration| span.as_millis().to_string();
        let PostgresOptions { statement_within, lock_within, idle_within, .. } = &self.options;
        let query = sqlx::query(include_str!("bound_session.sql"))
            .bind(millis(*statement_within))
            .bind(millis(*lock_within))
            .bind(millis(*idle_within))
            .bind(plans.mode());
        query.execute(connection).await.map(|_set| ())
    }

    /// A connection that is kept apart from the pool, made anew where it is gone. One that has rested for so long is asked first
    /// whether it still answers.
    pub(super) async fn keep(
        &self,
        place: &Arc<Mutex<Option<Kept>>>,
        rests_at_most: Duration,
    ) -> Result<OwnedMutexGuard<Option<Kept>>, Fault> {
        let mut held = Arc::clone(place).lock_owned().await;
        if let Some(mut kept) = held.take()
            && (kept.used_at.elapsed() < rests_at_most
                || still_answers(&mut kept.connection, self.options.connect_within).await)
        {
            kept.used_at = now();
            *held = Some(kept);
            return Ok(held);
        }
        let connection = self.bounded(Plans::Kept).await.map_err(Fault::unavailable)?;
        *held = Some(Kept { connection, used_at: now() });
        Ok(held)
    }
}

fn late<T>(_elapsed: Elapsed) -> Result<T, sqlx::Error> {
    Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
}

impl Postgres {
    /// Connects, sees that the schema is one that this binary serves, and brings it up to date where it may.
    pub(in crate::store) async fn open(
        url: &str,
        options: &PostgresOptions,
    ) -> Result<Self, OpenError> {
        let connect = Connect::new(url, options)?;
        let mut connection =
            connect.unbounded().await.map_err(|error| connect.unavailable(error))?;
        super::migrate::bring_up_to_date(&mut connection, &connect).await?;
        connection.close().await.map_err(|error| connect.unavailable(error))?;
        let bounds = connect.clone();
        let work = PgPoolOptions::new()
            .max_connections(options.connections_max.max(1))
            .acquire_timeout(options.connect_within)
            // Whoever begins a transaction finds out, and takes another one.
            .test_before_acquire(false)
            .after_connect(move |connection, _of_the_pool| {
                let bounds = bounds.clone();
                Box::pin(async move { bounds.bound(connection, Plans::Auto).await })
            })
            .connect_lazy_with(connect.to.clone());
        Ok(Self {
            commits: Arc::default(),
            lease: Arc::default(),
            work,
            returns: TaskTracker::new(),
            connect,
            composer: Composer::default(),
        })
    }

    /// Ends every session in good order.
    pub(in crate::store) async fn close(&self) {
        self.work.close().await;
        for kept in [&self.commits, &self.lease] {
            if let Some(kept) = kept.lock().await.take() {
                // It ends either way.
                let _closed = kept.connection.close().await;
            }
        }
    }
}
