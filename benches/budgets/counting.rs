//! What it costs to count: this program with metrics collected, and without, in turns.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use tokio::process::Command;

use crate::Bench;
use crate::database::Database;
use crate::report::{Budget, Row};
use crate::stopwatch::Samples;

/// The row of `chain` that is compared: of processor time, which other processes disturb less than time.
const COMPARED: &str = "processor time per step";

/// What `STEPWELL_BENCH_UNCOUNTED` is for each.
const COUNTED: &str = "0";
const UNCOUNTED: &str = "1";

#[derive(Debug, Deserialize)]
struct Measured {
    row: String,
    value: f64,
}

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let (mut counted, mut uncounted, mut ratios) =
        (Samples::default(), Samples::default(), Samples::default());
    for round in 0..bench.settings.counting_pairs {
        // Whichever is first has the warmer or the cooler machine, so they take turns.
        let (with, without) = if round % 2 == 0 {
            let with = run(bench, database, COUNTED).await?;
            (with, run(bench, database, UNCOUNTED).await?)
        } else {
            let without = run(bench, database, UNCOUNTED).await?;
            (run(bench, database, COUNTED).await?, without)
        };
        counted.push(with);
        uncounted.push(without);
        ratios.push(with / without);
    }
    // What disturbs a run adds to it, so the least of many tells the most.
    let row = Row::of("cost of counting, processor time per step", &counted, "us")
        .at(counted.min())
        .beside(uncounted.min())
        .within(Budget::RatioAtMost(1.02))
        .note(format!(
            "the least of {} processes each, in turns, those that count scraped each second; median of the pairs {:.3}, {:.3} to {:.3}",
            ratios.len(),
            ratios.median(),
            ratios.min(),
            ratios.max()
        ));
    Ok(vec![row.on(database.name())])
}

/// Runs this program for its one row; says what it was.
async fn run(bench: &Bench, database: Database, uncounted: &str) -> Result<f64> {
    let target = bench.target.join("counting");
    let program = std::env::current_exe().context("this program cannot find itself")?;
    let output = Command::new(program)
        .env("STEPWELL_BENCH_TARGET", &target)
        .env("STEPWELL_BENCH_ONLY", "chain")
        .env("STEPWELL_BENCH_ROUNDS", "3")
        .env("STEPWELL_BENCH_DATABASE", database.name())
        .env("STEPWELL_BENCH_UNCOUNTED", uncounted)
        .kill_on_drop(true)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "a run ended badly: {said}");
    read(&target.join("results.json"))
}

fn read(results: &Path) -> Result<f64> {
    let text = std::fs::read_to_string(results).with_context(|| results.display().to_string())?;
    let rows: Vec<Measured> = serde_json::from_str(&text)?;
    let row = rows.into_iter().find(|row| row.row.contains(COMPARED));
    Ok(row.context("it has measured no steps")?.value)
}
