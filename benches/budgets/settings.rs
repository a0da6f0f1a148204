//! What a run of the benchmark measures, by its environment.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use crate::database::Database;

/// How much is measured. The defaults are those of the budgets; a smaller count is printed in its row.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Rows whose room is named here and no other; empty means all. `STEPWELL_BENCH_ONLY=chain,claim`.
    only: Vec<String>,
    /// Databases that are measured. `STEPWELL_BENCH_DATABASE=postgres`.
    pub(crate) databases: Vec<Database>,
    /// How often each measurement alternates with its baseline. `STEPWELL_BENCH_ROUNDS`.
    pub(crate) rounds: usize,
    /// Parked and finished executions that a claim is measured among. `STEPWELL_BENCH_CROWD`.
    pub(crate) crowd: u32,
    /// Steps that one execution calls at once. `STEPWELL_BENCH_FAN`.
    pub(crate) fan: usize,
    /// Turns with metrics and without, not quite a second each. `STEPWELL_BENCH_COUNTING_TURNS`.
    pub(crate) counting_turns: u32,
    /// Seconds that an idle host is watched. `STEPWELL_BENCH_IDLE_SECONDS`.
    pub(crate) idle_seconds: u32,
}

impl Settings {
    pub(crate) fn read() -> Result<Self> {
        let only = read("STEPWELL_BENCH_ONLY").unwrap_or_default();
        Ok(Self {
            only: only.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            databases: read_databases()?,
            rounds: read_number("STEPWELL_BENCH_ROUNDS", 7)?,
            crowd: read_number("STEPWELL_BENCH_CROWD", 1_000_000)?,
            fan: read_number("STEPWELL_BENCH_FAN", 10_000)?,
            counting_turns: read_number("STEPWELL_BENCH_COUNTING_TURNS", 120)?,
            idle_seconds: read_number("STEPWELL_BENCH_IDLE_SECONDS", 20)?,
        })
    }

    /// Where results are written, where that is said.
    pub(crate) fn target() -> Option<PathBuf> {
        read("STEPWELL_BENCH_TARGET").map(PathBuf::from)
    }

    /// Whether errors are set to take a backtrace.
    pub(crate) fn takes_backtraces() -> bool {
        let is_on = |name| read(name).map(|value| value != "0");
        is_on("RUST_LIB_BACKTRACE").or_else(|| is_on("RUST_BACKTRACE")).unwrap_or_default()
    }

    /// Whether a database is the one that is measured first.
    pub(crate) fn begins_with(&self, database: Database) -> bool {
        self.databases.first() == Some(&database)
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == name)
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark has no config but its environment")]
fn read(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// All of them, or those that are named.
fn read_databases() -> Result<Vec<Database>> {
    let named = read("STEPWELL_BENCH_DATABASE").unwrap_or_default();
    let named: Vec<&str> = named.split(',').filter(|name| !name.is_empty()).collect();
    for name in &named {
        let is_known = Database::ALL.iter().any(|database| database.name() == *name);
        ensure!(is_known, "STEPWELL_BENCH_DATABASE: {name} is no database");
    }
    let is_wanted = |database: &Database| named.is_empty() || named.contains(&database.name());
    Ok(Database::ALL.into_iter().filter(is_wanted).collect())
}

fn read_number<N: std::str::FromStr>(name: &str, default: N) -> Result<N>
where
    N::Err: std::error::Error + Send + Sync + 'static,
{
    let Some(text) = read(name) else { return Ok(default) };
    text.parse().with_context(|| format!("{name}={text} is no number"))
}
