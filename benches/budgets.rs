//! The budgets of the design, measured: each as a multiple of a baseline that is measured in turns with it, on the same disk,
//! by the same driver, in the same run.
//!
//! Prints a table and writes `target/bench/results.json`. It is no test: what is over its budget is said, and nothing fails.
//! `docs/benchmarks.md` tells what each row means.

#[path = "budgets/bare.rs"]
mod bare;
#[path = "budgets/chain.rs"]
mod chain;
#[path = "budgets/claim.rs"]
mod claim;
#[path = "budgets/counted.rs"]
mod counted;
#[path = "budgets/counting.rs"]
mod counting;
#[path = "budgets/database.rs"]
mod database;
#[path = "budgets/death.rs"]
mod death;
#[path = "budgets/fanout.rs"]
mod fanout;
#[path = "budgets/house.rs"]
mod house;
#[path = "budgets/idle.rs"]
mod idle;
#[path = "budgets/inspector.rs"]
mod inspector;
#[path = "budgets/listing.rs"]
mod listing;
#[path = "budgets/machine.rs"]
mod machine;
#[path = "budgets/neighbour.rs"]
mod neighbour;
#[path = "budgets/noop.rs"]
mod noop;
#[path = "budgets/parked.rs"]
mod parked;
#[path = "budgets/pgbench.rs"]
mod pgbench;
#[path = "budgets/plan.rs"]
mod plan;
#[path = "budgets/plot.rs"]
mod plot;
#[path = "budgets/processes.rs"]
mod processes;
#[path = "budgets/replay.rs"]
mod replay;
#[path = "budgets/report.rs"]
mod report;
#[path = "budgets/served.rs"]
mod served;
#[path = "budgets/server.rs"]
mod server;
#[path = "budgets/settings.rs"]
mod settings;
#[path = "budgets/step.rs"]
mod step;
#[path = "budgets/stopwatch.rs"]
mod stopwatch;
#[path = "budgets/switch.rs"]
mod switch;
#[path = "budgets/takeover.rs"]
mod takeover;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use database::Database;
use house::Ground;
use machine::{Machine, Others};
use report::{Report, Row};
use server::Server;
use settings::Settings;
use stepwell::telemetry;
use stopwatch::Stopwatch;
use switch::Switched;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What every measurement is given.
#[derive(Debug, Clone)]
struct Bench {
    settings: Settings,
    ground: Ground,
    /// Where results are written.
    target: PathBuf,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("host/ has a parent")?;
    let target = Settings::target().unwrap_or_else(|| root.join("target/bench"));
    std::fs::create_dir_all(&target)?;
    // Below the repository, so that it is the disk of whoever asks, and no RAM disk.
    let folder = tempfile::tempdir_in(&target)?;
    let machine = Machine::read(&target);
    say(&machine.to_string());

    let settings = Settings::read()?;
    if Settings::takes_backtraces() {
        say(
            "note     RUST_BACKTRACE is set: each error takes a backtrace, which the sandbox pays for",
        );
    }
    // As in a host: summed up now and then.
    let stop = CancellationToken::new();
    let _ended_with_this = stop.clone().drop_guard();
    let mut counting = JoinSet::new();
    counting.spawn(telemetry::metrics_through(Switched)?.sum_up(stop));
    let others = Others::watch()?;
    let wants_server = settings.databases.contains(&Database::Postgres);
    let server = if wants_server { Some(Server::start(&target).await?) } else { None };
    let ground = Ground::lay(folder.path(), server, machine.cores())?;
    let bench = Bench { settings, ground, target: target.clone() };
    let mut report = Report::default();
    let broken = measure_all(&bench, &mut report).await;
    // Ends the server: from then on its time is this process's.
    drop(bench);

    report.print();
    say(&others.describe(machine.cores())?);
    report.write(&target.join("results.json"))?;
    say(&format!("{} rows are over their budget; target/bench/results.json", report.breaches()));
    if broken > 0 {
        say(&format!("{broken} measurements could not be made"));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs one measurement, where it is wanted, and adds what it says. One that cannot be made costs only its own rows.
macro_rules! measure {
    ($bench:ident, $report:ident, $broken:ident, $database:expr => $($name:ident,)*) => {$(
        if $bench.settings.wants(stringify!($name)) {
            let watch = Stopwatch::start();
            let rows: Result<Vec<Row>> = $name::measure($bench, $database).await;
            let rows = match $bench.ground.clear().await {
                Ok(()) => rows,
                Err(error) => rows.and(Err(error)),
            };
            let (name, database) = (stringify!($name), $database.name());
            say(&format!("{name}, {database} ({:.0} s)", watch.seconds()));
            match rows {
                Ok(rows) => $report.add(rows),
                Err(error) => {
                    say(&format!("  {name} could not be measured: {error:#}"));
                    $broken += 1;
                }
            }
        }
    )*};
}

/// How many could not be made.
async fn measure_all(bench: &Bench, report: &mut Report) -> u32 {
    let mut broken = 0;
    // A step needs no database but for its baseline.
    for database in bench.settings.databases.iter().take(1) {
        measure!(bench, report, broken, *database => step, counting,);
    }
    for &database in &bench.settings.databases {
        measure!(bench, report, broken, database =>
            bare, chain, noop, replay, parked, claim, listing, neighbour, fanout, idle,
        );
        // A host on SQLite is the only one, and has to come back; on Postgres others go on.
        match database {
            Database::Sqlite => measure!(bench, report, broken, database => death,),
            Database::Postgres => measure!(bench, report, broken, database => takeover,),
        }
    }
    broken
}

#[expect(clippy::print_stdout, reason = "this program's work is what it prints")]
fn say(line: &str) {
    println!("{line}");
}
