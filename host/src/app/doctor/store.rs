//! The database and the Redis.

use std::time::Duration;

use super::{bytes, chain, millis, whole};
use crate::app::database::file;
use crate::cli::Finding;
use crate::config::Config;
use crate::model::{Clock, RandomIds, SystemClock, Timestamp};
use crate::notify::{RedisFault, examine_redis};
use crate::store::{Examination, Migrating, NEWEST, OpenError, examine_file, examine_postgres};

/// Each commit of a host waits so long at least.
const SLOW_DATABASE_SECONDS: f64 = 0.02;
/// A hint that takes longer is hardly faster than a poll.
const SLOW_REDIS_SECONDS: f64 = 0.05;
/// Clocks that are further apart confuse people, who read times of both.
const CLOCKS_APART: Duration = Duration::from_secs(2);

/// The first Postgres that has all that is asked of it.
const POSTGRES_OLDEST: u32 = 15;
/// The first Redis that speaks RESP3.
const REDIS_OLDEST: u32 = 6;

/// What was seen of the database; none where there is none yet.
pub(super) type Database = Result<Option<Examination>, OpenError>;

/// Looks at the database that a host would work on.
pub(super) async fn look(config: &Config) -> Database {
    match &config.database {
        Some(url) => examine_postgres(url).await.map(Some),
        None => examine_file(&file(&config.data)).await,
    }
}

/// Whether there is a database that this host could work on, and how it is.
pub(super) fn database(config: &Config, seen: &Database) -> Vec<Finding> {
    match seen {
        Ok(None) => {
            let path = file(&config.data);
            let told = format!("none at {} yet: the host makes it when it starts", path.display());
            vec![Finding::ok("database", told)]
        }
        Ok(Some(seen)) => {
            let mut findings = vec![server(seen, config), schema(seen, config)];
            findings.extend(config.database.is_some().then(|| clock(seen.clock)));
            findings.extend(connections(seen, config));
            findings
        }
        Err(error) => {
            let advice = match error {
                OpenError::BadAddress { .. } => "give another --database (DATABASE_URL)",
                OpenError::Unavailable { .. } if config.database.is_some() => {
                    "start the Postgres, let this machine reach it, and give user and password of a role that may connect"
                }
                OpenError::Unavailable { .. } => {
                    "let this user read and write the folder of --data"
                }
                OpenError::Sealed { .. } => {
                    "give STEPWELL_ENCRYPTION_KEYS every key that this database was sealed with"
                }
                OpenError::Newer { .. } => "start a newer stepwell, or restore a backup",
                OpenError::Held { .. } | OpenError::Foreign { .. } | OpenError::Behind { .. } => {
                    "give another --data or --database"
                }
            };
            vec![Finding::fail("database", chain(anyhow::Chain::new(error)), advice)]
        }
    }
}

/// Whether a version is older than that. One that cannot be read is not.
fn is_older(version: &str, oldest: u32) -> bool {
    let digits = version.chars().take_while(char::is_ascii_digit).collect::<String>();
    digits.parse().is_ok_and(|major: u32| major < oldest)
}

fn server(seen: &Examination, config: &Config) -> Finding {
    let place = match &config.database {
        Some(_) => String::new(),
        None => format!(" at {}", file(&config.data).display()),
    };
    let (server, size, took) = (&seen.server, bytes(seen.bytes), millis(seen.answered_in));
    let told = format!("{server}{place}, {size}, answers in {took}");
    let postgres = server.strip_prefix("Postgres ");
    if postgres.is_some_and(|version| is_older(version, POSTGRES_OLDEST)) {
        let advice = format!(
            "upgrade it to Postgres {POSTGRES_OLDEST} or later, or give another --database"
        );
        return Finding::fail("database", told, advice);
    }
    if seen.answered_in < SLOW_DATABASE_SECONDS {
        return Finding::ok("database", told);
    }
    Finding::warn("database", told, "every commit waits for it: have it nearer, or less busy")
}

fn schema(seen: &Examination, config: &Config) -> Finding {
    let pending = seen.steps.iter().filter(|step| step.applied_at.is_none()).count();
    if pending == 0 {
        let found = seen.steps.last().map_or(0, |step| step.version);
        return Finding::ok("schema", format!("{found}, all migrations are applied"));
    }
    let told = format!("{pending} of {NEWEST} migrations are pending");
    match config.migrating {
        Migrating::Auto => Finding::warn(
            "schema",
            told,
            "the next host applies them, or `stepwell migrate` does it now",
        ),
        Migrating::Never => Finding::fail(
            "schema",
            told,
            "run `stepwell migrate` with a role that owns the tables: this host may not",
        ),
    }
}

fn clock(database: Timestamp) -> Finding {
    let here = SystemClock::new().now();
    let apart = if here > database { here.since(database) } else { database.since(here) };
    let told = format!("{} from the database's", millis(apart.as_secs_f64()));
    if apart < CLOCKS_APART {
        return Finding::ok("clock", told);
    }
    let advice = "the database's clock decides, so nothing breaks; set up NTP on both, or times in logs mislead";
    Finding::warn("clock", told, advice)
}

fn connections(seen: &Examination, config: &Config) -> Option<Finding> {
    let (open, most) = seen.connections?;
    // One for commits and one for the lease beside the pool.
    let wanted = u64::from(config.database_connections) + 2;
    let told = format!("{open} of {most} are open, a host opens {wanted} at most");
    if open + wanted < most {
        return Some(Finding::ok("connections", told));
    }
    let advice = "raise max_connections of the Postgres, or lower --database-connections";
    Some(Finding::warn("connections", told, advice))
}

/// Whether hints travel.
pub(super) async fn redis(config: &Config) -> Option<Finding> {
    let Some(url) = &config.redis else {
        let told = match &config.database {
            Some(_) => "none: hosts find each other's work by polling",
            None => "none, and none is needed by one host",
        };
        return Some(Finding::ok("redis", told));
    };
    Some(match examine_redis(url, &RandomIds).await {
        Ok(seen) => {
            let is_old =
                seen.version.as_deref().is_some_and(|version| is_older(version, REDIS_OLDEST));
            let version =
                seen.version.map_or(String::new(), |version| format!("Redis {version}, "));
            let told = format!("{version}a message comes back in {}", millis(seen.heard_in));
            if is_old {
                let advice =
                    format!("upgrade it to Redis {REDIS_OLDEST} or later, which hints need");
                Finding::warn("redis", told, advice)
            } else if seen.heard_in < SLOW_REDIS_SECONDS {
                Finding::ok("redis", told)
            } else {
                Finding::warn("redis", told, "have it nearer: hints save no time like this")
            }
        }
        Err(error @ RedisFault::Address(_)) => {
            Finding::fail("redis", whole(error), "give another --redis (REDIS_URL)")
        }
        Err(error @ (RedisFault::Refused(_) | RedisFault::Silent)) => Finding::warn(
            "redis",
            whole(error),
            "start it, version 6 or later, and allow user and channels (&stepwell:*); until then hosts poll, which costs latency and no work",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Judgement;

    #[test]
    fn versions_are_judged_by_their_first_number() {
        let old = ["14.9 (Debian 14.9-1)", "9.6", "14beta1"].map(|version| is_older(version, 15));
        let new =
            ["15.4", "15", "17devel", "100.1", "unknown"].map(|version| is_older(version, 15));

        assert_eq!((old, new), ([true; 3], [false; 5]));
    }

    #[test]
    fn a_postgres_that_is_too_old_is_told_with_what_to_do() {
        let seen = |server: &str| Examination {
            server: server.to_owned(),
            steps: Vec::new(),
            bytes: 1,
            clock: Timestamp::default(),
            answered_in: 0.001,
            connections: None,
            has_keys: false,
        };
        let mut config = Config::at("data");
        config.database = Some("postgres://a@b/c".to_owned());

        let old = server(&seen("Postgres 14.9"), &config);
        let new = server(&seen("Postgres 15.2"), &config);

        assert_eq!((old.judgement, new.judgement), (Judgement::Fail, Judgement::Ok));
        assert!(old.seen.contains("14.9") && old.advice.unwrap().contains("Postgres 15 or later"));
    }
}
