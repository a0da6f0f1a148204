//! Why the store refused.

use crate::model::{ExecutionId, Failure, HostId, kind};

/// A cause from below.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why the store refused. A variant is a different thing for the caller to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// This host was declared dead. Stop everything, write nothing more, start again as a new incarnation.
    #[error("host {host} has lost its lease")]
    Fenced {
        /// The incarnation.
        host: HostId,
    },
    /// The row is there and makes no sense. A bug or a foreign hand; never tried again.
    #[error("{table}.{column} of {row} cannot be read")]
    Corrupt {
        /// Where.
        table: &'static str,
        /// Which column.
        column: &'static str,
        /// Which row.
        row: String,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// This write of the batch cannot be done, now or later; nothing of it was done. Put its execution aside.
    #[error("the write for execution {execution} was refused")]
    Refused {
        /// Whose.
        execution: ExecutionId,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// Nobody knows whether the commit took place. Read what is there before going on; never send it again blindly.
    #[error("the connection broke while a commit was under way")]
    Unknown(#[source] BoxError),
    /// The weather. Nothing was written; try again later.
    #[error("the database did not answer")]
    Unavailable(#[source] BoxError),
    /// More writes wait than `committer_queue_max`. Answer 503 with Retry-After.
    #[error("{waiting} writes wait for the database already (committer_queue_max)")]
    Full {
        /// How many.
        waiting: usize,
    },
}

impl StoreError {
    /// What is said of the execution that has to pay for a row that cannot be read. None: that is not what happened.
    pub fn as_corrupt(&self) -> Option<Failure> {
        match self {
            Self::Corrupt { source, .. } => {
                Some(Failure::new(kind::CORRUPT, format!("{self}: {source}")))
            }
            Self::Fenced { .. }
            | Self::Refused { .. }
            | Self::Unknown(_)
            | Self::Unavailable(_)
            | Self::Full { .. } => None,
        }
    }
}

/// Why a database could not be opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another live host holds the file.
    #[error(
        "{path} is in use by another stepwell host; stop that one first, or give this one another --data folder"
    )]
    Held {
        /// The database.
        path: String,
    },
    /// The file is something else.
    #[error("{path} is no stepwell database; move it away or give another --data folder")]
    Foreign {
        /// The file.
        path: String,
        /// What SQLite said.
        #[source]
        source: BoxError,
    },
    /// It was written by a newer binary.
    #[error(
        "the database has schema {found}, this binary knows {known}; start the newer stepwell again, or restore a backup"
    )]
    Newer {
        /// In the database.
        found: i64,
        /// The newest this binary can migrate to.
        known: i64,
    },
    /// It was written by an older binary, and this one may not or should not change that.
    #[error(
        "the database has schema {found}, this binary needs {known}; run `stepwell migrate` with a role that owns the tables"
    )]
    Behind {
        /// In the database.
        found: i64,
        /// What this binary needs.
        known: i64,
        /// What the database said, where it was tried.
        #[source]
        source: Option<BoxError>,
    },
    /// The address cannot be read.
    #[error(
        "--database is no address of a Postgres; write postgres://USER:PASSWORD@HOST:5432/DATABASE"
    )]
    BadAddress {
        /// Why.
        #[source]
        source: BoxError,
    },
    /// It holds what no key of this host opens.
    #[error(
        "the database holds payloads that are sealed under key {key}: give STEPWELL_ENCRYPTION_KEYS the key that has this id there too"
    )]
    Sealed {
        /// The id.
        key: String,
    },
    /// The disk is full, the folder may not be written, the server is not there.
    #[error("the database at {place} cannot be opened")]
    Unavailable {
        /// A path, or an address without its password.
        place: String,
        /// Why.
        #[source]
        source: BoxError,
    },
}
