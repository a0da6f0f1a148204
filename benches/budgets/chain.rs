//! Steps: one after the other, and many executions at once.

use anyhow::{Result, ensure};

use crate::Bench;
use crate::bare::Bare;
use crate::database::Database;
use crate::house::House;
use crate::report::{Budget, Row};
use crate::stopwatch::{Samples, Stopwatch, count, micros};

/// Steps of one execution in one round.
const STEPS: usize = 500;
/// Executions at once, and the steps of each.
const CROWD: usize = 256;
const CROWD_STEPS: usize = 100;

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let limits = bench.ground.limits();
    let house = House::build(&bench.ground, database, "chain", &limits).await?;
    let mut bare = Bare::open(&house.plot).await?;
    let bytes = warm_up(&house).await?;
    let mut rows = one_execution(bench, &house, &mut bare, bytes).await?;
    rows.extend(many_executions(bench, &house, &mut bare, bytes).await?);
    house.all_completed().await?;
    house.close().await;
    Ok(rows.into_iter().map(|row| row.on(database.name())).collect())
}

/// Runs a chain that is not measured; says how many bytes a step leaves in the journal.
async fn warm_up(house: &House) -> Result<usize> {
    let id = house.start("chain", STEPS.to_string()).await?;
    let sum = house.result(id).await?;
    ensure!(sum.as_str() == (STEPS * (STEPS - 1) / 2).to_string(), "the chain has another sum");
    let bytes = house.plot.inspect().await?.journal_bytes(id).await?;
    Ok(usize::try_from(bytes)? / STEPS)
}

async fn one_execution(
    bench: &Bench,
    house: &House,
    bare: &mut Bare,
    bytes: usize,
) -> Result<Vec<Row>> {
    let (mut per_step, mut baseline, mut commits) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..bench.settings.rounds {
        baseline.extend(bare.commits(STEPS / 2, bytes).await?);
        let committed = commits_of(house);
        let watch = Stopwatch::start();
        run(house, 1, STEPS).await?;
        per_step.push(micros(watch.elapsed()) / count(STEPS));
        commits.push(count(commits_of(house) - committed) / count(STEPS));
        baseline.extend(bare.commits(STEPS / 2, bytes).await?);
    }
    Ok(vec![
        Row::of("chain of local steps, time per step", &per_step, "us")
            .beside(baseline.median())
            .within(Budget::RatioAtMost(1.3))
            .note(format!("{STEPS} steps a round; the baseline inserts {bytes} bytes, as a step does; its spread: {:.0} .. {:.0} us", baseline.min(), baseline.max())),
        Row::of("chain of local steps, commits per step", &commits, "commits")
            .within(Budget::AtMost(1.02))
            .note("the start and the end are counted too"),
    ])
}

async fn many_executions(
    bench: &Bench,
    house: &House,
    bare: &mut Bare,
    bytes: usize,
) -> Result<Vec<Row>> {
    let (mut per_second, mut processor, mut baseline, mut commits) =
        (Samples::default(), Samples::default(), Samples::default(), Samples::default());
    let steps = count(CROWD * CROWD_STEPS);
    let before = house.store.asked();
    for _ in 0..bench.settings.rounds {
        baseline.extend(bare.commits(200, bytes).await?);
        let (spent, committed) = (house.plot.processor_micros()?, commits_of(house));
        let watch = Stopwatch::start();
        run(house, CROWD, CROWD_STEPS).await?;
        per_second.push(steps / watch.seconds());
        processor.push((house.plot.processor_micros()? - spent) / steps);
        commits.push(steps / count(commits_of(house) - committed));
        baseline.extend(bare.commits(200, bytes).await?);
    }
    Ok(vec![
        Row::of(format!("steps per second, {CROWD} executions at once"), &per_second, "/s")
            .beside(1e6 / baseline.median())
            .within(Budget::AtLeast(12_000.0))
            .note("the baseline is bare commits per second"),
        Row::of(format!("processor time per step, {CROWD} at once"), &processor, "us")
            .beside(baseline.median())
            .within(Budget::Known)
            .note(house.plot.processor_note()),
        Row::of(format!("steps per commit, {CROWD} at once"), &commits, "steps")
            .within(Budget::Known)
            .note(format!("asked of the store in all: {}", house.store.asked_since(&before))),
    ])
}

fn commits_of(house: &House) -> usize {
    house.store.asked().get("commit").copied().unwrap_or_default()
}

/// Runs so many chains of so many steps and waits for the last.
pub(crate) async fn run(house: &House, executions: usize, steps: usize) -> Result<()> {
    let until = house.ended() + executions;
    let starts = (0..executions).map(|_| house.start("chain", steps.to_string()));
    futures::future::try_join_all(starts).await?;
    house.wait(|tally| tally.ended >= until).await
}
