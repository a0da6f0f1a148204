//! What it costs to count: the same chains with metrics collected and read, and without, in turns.

use anyhow::Result;
use stepwell::telemetry;

use crate::Bench;
use crate::chain;
use crate::database::Database;
use crate::house::House;
use crate::report::{Budget, Row};
use crate::stopwatch::{Samples, count};
use crate::switch::Switch;

/// Executions at once in one round, and the steps of each: about a second's work.
const CROWD: usize = 128;
const CROWD_STEPS: usize = 100;

/// How often everything is counted to see better what it costs.
const MUCH: u32 = 10;

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let limits = bench.ground.limits();
    let house = House::build(&bench.ground, database, "counting", &limits).await?;
    chain::run(&house, CROWD, CROWD_STEPS).await?;
    let (mut none, mut once, mut often) =
        (Samples::default(), Samples::default(), Samples::default());
    let turns = bench.settings.counting_turns;
    let ratios = compare(&house, turns, 1, (&mut none, &mut once)).await?;
    let ratios_of_much = compare(&house, turns, MUCH, (&mut none, &mut often)).await?;
    house.all_completed().await?;
    house.close().await;
    let base = none.median();
    let told = |ratios: &Samples| {
        format!(
            "the median of {} turns with, without, without, with, about a second each; half of the turns between {:.3} and {:.3}, all between {:.3} and {:.3}",
            ratios.len(),
            ratios.quantile(0.25),
            ratios.quantile(0.75),
            ratios.min(),
            ratios.max()
        )
    };
    let share = (ratios_of_much.median() - 1.0) / f64::from(MUCH);
    let rows = vec![
        Row::of("cost of counting, processor time per step", &once, "us")
            .at(base * ratios.median())
            .beside(base)
            .within(Budget::RatioAtMost(1.02))
            .note(told(&ratios)),
        Row::of("the same, from counting everything ten times", &often, "us")
            .at(base * (1.0 + share))
            .beside(base)
            .within(Budget::RatioAtMost(1.02))
            .note(format!(
                "a tenth of what ten times cost, which stands out from the noise: {}",
                told(&ratios_of_much)
            )),
    ];
    Ok(rows.into_iter().map(|row| row.on(database.name())).collect())
}

/// Counts everything so many times, and not at all, in turns; returns what each turn's ratio is.
async fn compare(
    house: &House,
    turns: u32,
    times: u32,
    (without, with): (&mut Samples, &mut Samples),
) -> Result<Samples> {
    let mut ratios = Samples::default();
    for _ in 0..turns {
        // What changes steadily, as a file that grows, is the same for both in this order.
        let first = per_step(house, times).await?;
        let between = [per_step(house, 0).await?, per_step(house, 0).await?];
        let around = [first, per_step(house, times).await?];
        ratios.push(around.iter().sum::<f64>() / between.iter().sum::<f64>());
        with.extend(around.into_iter().collect());
        without.extend(between.into_iter().collect());
    }
    Ok(ratios)
}

/// Microseconds of processor time a step, with everything counted and read so many times, as by a collector that is in a hurry.
async fn per_step(house: &House, times: u32) -> Result<f64> {
    let switch = Switch::to(times);
    let spent = house.plot.processor_micros()?;
    chain::run(house, CROWD, CROWD_STEPS).await?;
    for _ in 0..times {
        drop(telemetry::metrics()?.text());
    }
    let spent = house.plot.processor_micros()? - spent;
    drop(switch);
    Ok(spent / count(CROWD * CROWD_STEPS))
}
