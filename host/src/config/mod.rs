//! How a host is set up: every key, with its name, its default and its unit. A flag wins over its `STEPWELL_*` variable.

mod access;
mod bounds;
mod telemetry;

pub use access::{AccessConfig, AccessFlags, TlsFiles};
pub use telemetry::{TelemetryConfig, TelemetryFlags};

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::model::{Lease, Limits, Name, Period, StatePeriod};
use crate::store::{BadKeys, Keyring, Migrating, PostgresOptions};

/// The flags of `stepwell serve`.
#[derive(Debug, Args)]
pub struct ServeFlags {
    /// Address to listen on
    #[arg(long, env = "STEPWELL_LISTEN", default_value = "127.0.0.1:7878", value_name = "IP:PORT")]
    listen: SocketAddr,
    /// Folder of the database and the compiled modules; made where it is missing
    #[arg(long, env = "STEPWELL_DATA", default_value = "./stepwell-data", value_name = "DIR")]
    data: PathBuf,
    /// The Postgres that several hosts share, postgres://USER:PASSWORD@HOST:5432/NAME?sslmode=... [default: a file in --data]
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// Connections to it, beside one for commits and one for the lease
    #[arg(long, env = "STEPWELL_DATABASE_CONNECTIONS", value_name = "COUNT", default_value = "10", value_parser = bounds::connections)]
    database_connections: u32,
    /// Whether this host brings its schema up to date, or leaves that to `stepwell migrate`
    #[arg(long, env = "STEPWELL_MIGRATE", default_value = "auto")]
    migrate: Migrate,
    /// The Redis over which hosts hint at work to one another, redis://:PASSWORD@HOST:6379/0, or rediss:// [default: none]
    #[arg(long, env = "REDIS_URL", value_name = "URL", hide_env_values = true)]
    redis: Option<String>,
    /// How long a silent host is taken to live, 3s to 10m; the same for all hosts of a database [default: 15s]
    #[arg(long, env = "STEPWELL_LEASE", value_name = "DURATION", value_parser = bounds::lease)]
    lease: Option<Lease>,
    /// What people call this host [default: the name of the machine]
    #[arg(long, env = "STEPWELL_NAME")]
    name: Option<String>,
    /// Take work only from this queue; may be given several times [default: all]
    #[arg(long = "queue", env = "STEPWELL_QUEUES", value_delimiter = ',', value_name = "QUEUE")]
    queues: Vec<Name>,
    /// Take only work that has this tag or none; may be given several times [default: all]
    #[arg(long = "tag", env = "STEPWELL_TAGS", value_delimiter = ',', value_name = "TAG")]
    tags: Vec<Name>,
    /// How long a waiting workflow stays in memory [default: 10s]
    #[arg(long, env = "STEPWELL_HOT_FOR", value_name = "DURATION", value_parser = bounds::duration)]
    hot_for: Option<Duration>,
    /// How many waiting workflows stay in memory, 2000 at most [default: 2000]
    #[arg(long, env = "STEPWELL_HOT_MAX", value_name = "COUNT", value_parser = bounds::hot_max)]
    hot_max: Option<usize>,
    /// How many steps run at once [default: 10 for each core]
    #[arg(long, env = "STEPWELL_MAX_CONCURRENCY", value_name = "COUNT", value_parser = bounds::one_or_more)]
    max_concurrency: Option<NonZeroUsize>,
    /// The largest module, in bytes [default: 33554432]
    #[arg(long, env = "STEPWELL_MODULE_BYTES_MAX", value_name = "BYTES")]
    module_bytes_max: Option<NonZeroUsize>,
    /// Signals of one execution that may lie unreceived [default: 10000]
    #[arg(long, env = "STEPWELL_UNRECEIVED_SIGNALS_MAX", value_name = "COUNT")]
    unreceived_signals_max: Option<NonZeroUsize>,
    /// Writes that may wait for the database; starts beyond it are answered 503 [default: 4096]
    #[arg(long, env = "STEPWELL_COMMITTER_QUEUE_MAX", value_name = "COUNT")]
    committer_queue_max: Option<NonZeroUsize>,
    /// How long work in flight is waited for when the host stops [default: 30s]
    #[arg(long, env = "STEPWELL_DRAIN_TIMEOUT", value_name = "DURATION", value_parser = bounds::duration)]
    drain_timeout: Option<Duration>,
    /// How often this host removes what is older than the periods below [default: 1h]
    #[arg(long, env = "STEPWELL_CLEANUP_INTERVAL", value_name = "DURATION", value_parser = bounds::interval)]
    cleanup_interval: Option<Duration>,
    /// How long executions that have ended are kept, or never to remove none [default: 7d]
    #[arg(long, env = "STEPWELL_RETENTION_PERIOD", value_name = "DURATION")]
    retention_period: Option<Period>,
    /// The same for those that ended in one state, such as failed=30d; may be given several times
    #[arg(
        long = "retention",
        env = "STEPWELL_RETENTION",
        value_delimiter = ',',
        value_name = "STATE=DURATION"
    )]
    retention: Vec<StatePeriod>,
    /// How long dead letters are kept, or never to remove none [default: 7d]
    #[arg(long, env = "STEPWELL_DEAD_LETTER_RETENTION", value_name = "DURATION")]
    dead_letter_retention: Option<Period>,
    /// How long lines of logs are kept whose execution is there, or never to remove none [default: never]
    #[arg(long, env = "STEPWELL_LOG_RETENTION", value_name = "DURATION")]
    log_retention: Option<Period>,
    /// How long the audit log is kept, or never to remove none [default: 90d]
    #[arg(long, env = "STEPWELL_AUDIT_RETENTION", value_name = "DURATION")]
    audit_retention: Option<Period>,
    /// Who reaches this host, and how
    #[command(flatten)]
    access: AccessFlags,
    /// What modules may be granted, and what stands behind it: a .toml or .json file [default: none]
    #[arg(long, env = "STEPWELL_POLICY", value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Certificates in PEM that the requests of steps trust beside those of the machine
    #[arg(long, env = "STEPWELL_EGRESS_CA", value_name = "FILE")]
    egress_ca: Option<PathBuf>,
    /// Keys that payloads are sealed with at rest, id:base64 of 32 bytes each; the first one seals, all of them open [default: none]
    #[arg(long, env = "STEPWELL_ENCRYPTION_KEYS", value_name = "KEYS", hide_env_values = true)]
    encryption_keys: Option<String>,
    /// What it tells a collector
    #[command(flatten)]
    telemetry: TelemetryFlags,
    /// Form of the log on standard error
    #[arg(long, env = "STEPWELL_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,
    /// What is logged: a level, or levels by target
    #[arg(long, env = "STEPWELL_LOG", default_value = "info", value_name = "FILTER")]
    log: String,
}

/// Whether a host migrates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Migrate {
    /// Where the schema is behind.
    Auto,
    /// Never: it refuses to start on a schema that is behind.
    Never,
}

/// The flags of `stepwell dev`.
#[derive(Debug, Args)]
pub struct DevFlags {
    /// The folder of a crate of workflows
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Address to listen on
    #[arg(long, env = "STEPWELL_LISTEN", default_value = "127.0.0.1:7878", value_name = "IP:PORT")]
    pub listen: SocketAddr,
    /// Build as for production: slower to build, and faster to run
    #[arg(long)]
    pub release: bool,
    /// Keep the executions of the last time
    #[arg(long)]
    pub keep: bool,
    /// What stands behind what modules are granted: a .toml or .json file
    #[arg(long, env = "STEPWELL_POLICY", value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// What the host logs: a level, or levels by target
    #[arg(long, env = "STEPWELL_LOG", default_value = "warn", value_name = "FILTER")]
    pub log: String,
}

/// The flags of `stepwell doctor`.
#[derive(Debug, Args)]
pub struct DoctorFlags {
    /// Those of the host that is asked about
    #[command(flatten)]
    pub host: ServeFlags,
    /// Print what was found as JSON
    #[arg(long)]
    pub json: bool,
}

/// The flags of `stepwell migrate`.
#[derive(Debug, Args)]
pub struct MigrateFlags {
    /// The Postgres, with a role that owns the tables: postgres://USER:PASSWORD@HOST:5432/NAME?sslmode=... [default: a file in --data]
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// Folder of the database, where it is a file
    #[arg(long, env = "STEPWELL_DATA", default_value = "./stepwell-data", value_name = "DIR")]
    pub data: PathBuf,
    /// Change nothing: list what is applied and what is pending
    #[arg(long, visible_alias = "dry-run")]
    pub status: bool,
    /// The list as JSON
    #[arg(long, requires = "status")]
    pub json: bool,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line each, for people.
    Text,
    /// A JSON object each, for machines.
    Json,
}

/// How a host is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens. Port 0 takes any that is free.
    pub listen: SocketAddr,
    /// Where its database and compiled modules lie.
    pub data: PathBuf,
    /// The Postgres it shares with others; none keeps everything in a file below `data`.
    pub database: Option<String>,
    /// Connections of its pool.
    pub database_connections: u32,
    /// Whether it brings the schema up to date.
    pub migrating: Migrating,
    /// The Redis over which hosts hint at work to one another.
    pub redis: Option<String>,
    /// What people call it.
    pub name: String,
    /// Only from these queues; empty means all.
    pub queues: Vec<Name>,
    /// Only what shares one of these or has none; empty means all.
    pub tags: Vec<Name>,
    /// Every bound.
    pub limits: Limits,
    /// How many threads there are for guests, and as many for everything else.
    pub cores: usize,
    /// The file of what modules may be granted; none grants and provides nothing.
    pub policy: Option<PathBuf>,
    /// The file of certificates that the requests of steps trust beside those of the machine.
    pub egress_ca: Option<PathBuf>,
    /// Who reaches it, and how.
    pub access: AccessConfig,
    /// What payloads are sealed with at rest. Keys that are none are refused at the start, where nobody prints them.
    pub keys: Result<Keyring, BadKeys>,
    /// Where it sends spans and metrics.
    pub telemetry: TelemetryConfig,
    /// Form of the log.
    pub log_format: LogFormat,
    /// What is logged.
    pub log: String,
}

impl Config {
    /// The defaults, on a port of its own, with its data in that folder.
    pub fn at(data: impl Into<PathBuf>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: data.into(),
            database: None,
            database_connections: PostgresOptions::CONNECTIONS,
            migrating: Migrating::Auto,
            redis: None,
            name: machine_name(),
            queues: Vec::new(),
            tags: Vec::new(),
            limits: Limits::for_cores(cores),
            cores,
            policy: None,
            egress_ca: None,
            access: AccessConfig::default(),
            keys: Ok(Keyring::default()),
            telemetry: TelemetryConfig::default(),
            log_format: LogFormat::Text,
            log: "info".to_owned(),
        }
    }
}

impl From<ServeFlags> for Config {
    fn from(flags: ServeFlags) -> Self {
        let connections_max = flags.access.connections_max();
        let mut config = Self {
            listen: flags.listen,
            database: flags.database,
            database_connections: flags.database_connections,
            migrating: match flags.migrate {
                Migrate::Auto => Migrating::Auto,
                Migrate::Never => Migrating::Never,
            },
            redis: flags.redis,
            name: flags.name.unwrap_or_else(machine_name),
            queues: flags.queues,
            tags: flags.tags,
            policy: flags.policy,
            egress_ca: flags.egress_ca,
            access: flags.access.into(),
            keys: flags.encryption_keys.map_or_else(|| Ok(Keyring::default()), |keys| keys.parse()),
            telemetry: flags.telemetry.into(),
            log_format: flags.log_format,
            log: flags.log,
            ..Self::at(flags.data)
        };
        let limits = &mut config.limits;
        put(&mut limits.hot_for, flags.hot_for);
        put(&mut limits.hot_max, flags.hot_max);
        put(&mut limits.max_concurrency, flags.max_concurrency.map(NonZeroUsize::get));
        put(&mut limits.module_bytes_max, flags.module_bytes_max.map(NonZeroUsize::get));
        put(
            &mut limits.unreceived_signals_max,
            flags.unreceived_signals_max.map(NonZeroUsize::get),
        );
        put(&mut limits.committer_queue_max, flags.committer_queue_max.map(NonZeroUsize::get));
        put(&mut limits.door.connections_max, connections_max);
        put(&mut limits.drain_timeout, flags.drain_timeout);
        put(&mut limits.lease, flags.lease);
        let retention = &mut limits.retention;
        put(&mut retention.cleanup_interval, flags.cleanup_interval);
        put(&mut retention.executions, flags.retention_period);
        retention.by_state = flags.retention;
        put(&mut retention.dead_letters, flags.dead_letter_retention);
        put(&mut retention.logs, flags.log_retention);
        put(&mut retention.audit, flags.audit_retention);
        config
    }
}

/// What the machine calls itself; in a container that is the container's.
fn machine_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn put<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        flags: ServeFlags,
    }

    fn config(flags: &[&str]) -> Config {
        Line::try_parse_from(["serve"].iter().chain(flags)).unwrap().flags.into()
    }

    #[test]
    fn the_defaults_are_those_of_the_limits() {
        let config = config(&[]);

        assert_eq!(config.listen, SocketAddr::from(([127, 0, 0, 1], 7878)));
        assert_eq!(config.limits.hot_for, Duration::from_secs(10));
        assert_eq!(config.limits.max_concurrency, 10 * config.cores);
    }

    #[test]
    fn a_flag_changes_its_limit() {
        let config = config(&["--hot-for", "0s", "--hot-max", "1500", "--queue", "a,b"]);

        assert_eq!(config.limits.hot_for, Duration::ZERO);
        assert_eq!(config.limits.hot_max, 1_500);
        assert_eq!(config.queues.len(), 2);
    }

    #[test]
    fn a_number_out_of_its_bounds_is_refused_with_them() {
        let told = |flag: &str, value: &str| {
            Line::try_parse_from(["serve", flag, value]).unwrap_err().to_string()
        };

        assert!(told("--hot-max", "5000").contains("it must be 2000 at most"));
        assert!(told("--max-concurrency", "0").contains("it must be 1 or more"));
    }

    #[test]
    fn a_bad_duration_is_refused_with_its_position() {
        let refused = Line::try_parse_from(["serve", "--hot-for", "5x"]).unwrap_err();

        assert!(refused.to_string().contains("position 1"), "{refused}");
    }
}
