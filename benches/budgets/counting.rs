//! What it costs to count: the same chains with metrics collected and read, and without, in turns.

use anyhow::Result;
use stepwell::telemetry;

use crate::Bench;
use crate::chain;
use crate::database::Database;
use crate::house::House;
use crate::report::{Budget, Row};
use crate::stopwatch::{Samples, count};
use crate::switch::SwitchedOff;

/// Executions at once in one round, and the steps of each: about a second's work.
const CROWD: usize = 128;
const CROWD_STEPS: usize = 100;

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let limits = bench.ground.limits();
    let house = House::build(&bench.ground, database, "counting", &limits).await?;
    counted(&house).await?;
    uncounted(&house).await?;
    let (mut with, mut without, mut ratios) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..bench.settings.counting_turns {
        // What changes steadily, as a file that grows, is the same for both in this order.
        let first = counted(&house).await?;
        let between = [uncounted(&house).await?, uncounted(&house).await?];
        let around = [first, counted(&house).await?];
        ratios.push(around.iter().sum::<f64>() / between.iter().sum::<f64>());
        with.extend(around.into_iter().collect());
        without.extend(between.into_iter().collect());
    }
    house.all_completed().await?;
    house.close().await;
    // The middle of the turns: what disturbs one of them weighs no more than any other.
    let row = Row::of("cost of counting, processor time per step", &with, "us")
        .at(without.median() * ratios.median())
        .beside(without.median())
        .within(Budget::RatioAtMost(1.02))
        .note(format!(
            "the median of {} turns with, without, without, with, about a second each, those that count read once; half of the turns between {:.3} and {:.3}, all between {:.3} and {:.3}",
            ratios.len(),
            ratios.quantile(0.25),
            ratios.quantile(0.75),
            ratios.min(),
            ratios.max()
        ));
    Ok(vec![row.on(database.name())])
}

/// Microseconds of processor time a step, with everything counted and read once, as by a collector that is in a hurry.
async fn counted(house: &House) -> Result<f64> {
    let spent = house.plot.processor_micros()?;
    chain::run(house, CROWD, CROWD_STEPS).await?;
    drop(telemetry::metrics()?.text());
    Ok((house.plot.processor_micros()? - spent) / count(CROWD * CROWD_STEPS))
}

/// The same with nothing counted and nothing read.
async fn uncounted(house: &House) -> Result<f64> {
    let off = SwitchedOff::new();
    let spent = house.plot.processor_micros()?;
    chain::run(house, CROWD, CROWD_STEPS).await?;
    let spent = house.plot.processor_micros()? - spent;
    drop(off);
    Ok(spent / count(CROWD * CROWD_STEPS))
}
