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
#[path = "budgets/database.rs"]
mod database;
#[path = "budgets/death.rs"]
mod death;
#[path = "budgets/house.rs"]
mod house;
#[path = "budgets/idle.rs"]
mod idle;
#[path = "budgets/machine.rs"]
mod machine;
#[path = "budgets/neighbour.rs"]
mod neighbour;
#[path = "budgets/noop.rs"]
mod noop;
#[path = "budgets/parked.rs"]
mod parked;
#[path = "budgets/replay.rs"]
mod replay;
#[path = "budgets/report.rs"]
mod report;
#[path = "budgets/served.rs"]
mod served;
#[path = "budgets/settings.rs"]
mod settings;
#[path = "budgets/step.rs"]
mod step;
#[path = "budgets/stopwatch.rs"]
mod stopwatch;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use database::Database;
use house::Ground;
use machine::{Machine, Others};
use report::{Report, Row};
use settings::Settings;
use stopwatch::Stopwatch;

/// What every measurement is given.
#[derive(Debug, Clone)]
struct Bench {
    settings: Settings,
    ground: Ground,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("host/ has a parent")?;
    let target = root.join("target/bench");
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
    let others = Others::watch()?;
    let ground = Ground::lay(folder.path(), machine.cores())?;
    let bench = Bench { settings, ground };
    let mut report = Report::default();
    let broken = measure_all(&bench, &mut report).await;

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
    ($bench:ident, $report:ident, $broken:ident: $($name:ident($($argument:expr),*),)*) => {$(
        if $bench.settings.wants(stringify!($name)) {
            let watch = Stopwatch::start();
            let rows: Result<Vec<Row>> = $name::measure($($argument),*).await;
            say(&format!("{} ({:.0} s)", stringify!($name), watch.seconds()));
            match rows {
                Ok(rows) => $report.add(rows),
                Err(error) => {
                    say(&format!("  {} could not be measured: {error:#}", stringify!($name)));
                    $broken += 1;
                }
            }
        }
    )*};
}

/// How many could not be made.
async fn measure_all(bench: &Bench, report: &mut Report) -> u32 {
    let mut broken = 0;
    measure!(bench, report, broken: step(bench),);
    for database in Database::ALL {
        measure!(bench, report, broken:
            chain(bench, database),
            noop(bench, database),
            replay(bench, database),
            parked(bench, database),
            claim(bench, database),
            neighbour(bench, database),
            idle(bench, database),
            death(bench, database),
        );
    }
    broken
}

#[expect(clippy::print_stdout, reason = "this program's work is what it prints")]
fn say(line: &str) {
    println!("{line}");
}
