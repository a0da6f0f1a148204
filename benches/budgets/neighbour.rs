//! A noisy neighbour: what others notice of steps that compute without an end.

use anyhow::{Result, ensure};
use stepwell::dispatch::Force;
use stepwell::model::Limits;
use stepwell::store::Store as _;

use crate::Bench;
use crate::database::Database;
use crate::house::House;
use crate::noop::latencies;
use crate::report::{Budget, Row};
use crate::stopwatch::{Samples, Stopwatch};

/// Workflows whose time is taken in one round, alone and beside the noise.
const TIMED: usize = 200;
/// More fuel than a step can use up before its time-out.
const FUEL: u64 = 1 << 50;
/// How long it takes until they all run, at most.
const SETTLING_SECONDS: f64 = 0.5;

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let limits = Limits { step_fuel: FUEL, ..bench.ground.limits() };
    let house = House::build(&bench.ground, database, "neighbour", &limits).await?;
    latencies(&house, TIMED).await?;
    let (mut alone, mut beside) = (Samples::default(), Samples::default());
    for _ in 0..bench.settings.rounds {
        alone.extend(latencies(&house, TIMED).await?);
        beside.extend(beside_loops(bench, &house).await?);
    }
    house.close().await;
    Ok(vec![
        Row::of("no-op p99 beside one looping step per core", &beside, "us")
            .on(database.name())
            .at(beside.quantile(0.99))
            .beside(alone.quantile(0.99))
            .within(Budget::RatioAtMost(3.0))
            .note(format!(
                "the baseline is its p99 alone; p50 {:.0} us beside, {:.0} us alone",
                beside.median(),
                alone.median()
            )),
    ])
}

async fn beside_loops(bench: &Bench, house: &House) -> Result<Samples> {
    let mut loops = Vec::new();
    for _ in 0..bench.ground.cores {
        loops.push(house.start("noise", "null".to_owned()).await?);
    }
    let watch = Stopwatch::start();
    while watch.seconds() < SETTLING_SECONDS {
        latencies(house, 1).await?;
    }
    let samples = latencies(house, TIMED).await?;
    for id in loops {
        let view = house.store.execution(id).await?;
        let still_runs = view.is_some_and(|view| !view.row.state.is_terminal());
        ensure!(still_runs, "a loop ended while it was measured beside");
        house.dispatch.cancel(id, "measured".to_owned(), Force::Yes).await?;
        house.wait_for_end(id).await?;
    }
    Ok(samples)
}
