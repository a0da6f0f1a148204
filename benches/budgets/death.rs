//! A host that is killed with -9 and started again.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use futures::future::try_join_all;

use crate::Bench;
use crate::database::Database;
use crate::inspector::Inspector;
use crate::plot::Plot;
use crate::report::{Budget, Row};
use crate::served::Served;
use crate::stopwatch::{Samples, Stopwatch, count};

/// Executions that run when the host is killed, and their steps.
const EXECUTIONS: usize = 100;
const STEPS: u64 = 200;
/// Rounds: each is a host's life.
const DEATHS: usize = 3;
/// How often the journal is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);
const PATIENCE_SECONDS: f64 = 60.0;

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let (mut progress, mut answering, mut lost) =
        (Samples::default(), Samples::default(), Samples::default());
    for death in 0..DEATHS {
        let plot = bench.ground.plot(database, &format!("death-{death}")).await?;
        let ids = until_killed(bench, &plot).await?;
        let inspector = plot.inspect().await?;
        let before = inspector.journal_entries().await?;
        let watch = Stopwatch::start();
        let (served, seconds) =
            tokio::join!(Served::start(&plot), grows(&inspector, before, watch));
        let served = served?;
        answering.push(served.answered_after().as_secs_f64());
        progress.push(seconds?);
        lost.push(count(wrong(&served, &ids).await?));
        served.stop().await?;
    }
    Ok(vec![
        Row::of("host killed with -9, restart to first new entry", &progress, "s")
            .on(database.name())
            .within(Budget::Known)
            .note(format!(
                "{DEATHS} deaths under {EXECUTIONS} executions of {STEPS} steps; the restarted host answers after {:.2} s",
                answering.median()
            )),
        Row::of("host killed with -9, results wrong or missing", &lost, "results")
            .on(database.name())
            .at(lost.max())
            .within(Budget::AtMost(0.0)),
    ])
}

/// Starts a host and its work, and kills it half-way.
async fn until_killed(bench: &Bench, plot: &Plot) -> Result<Vec<String>> {
    let served = Served::start(plot).await?;
    served.deploy(&bench.ground.wasm).await?;
    let input = STEPS.to_string();
    let starts = (0..EXECUTIONS).map(|_| served.start_execution("chain", &input));
    let ids = try_join_all(starts).await?;
    // A quarter of all entries: two a step.
    let quarter = i64::try_from(EXECUTIONS)? * i64::try_from(STEPS)? / 2;
    grows(&plot.inspect().await?, quarter, Stopwatch::start()).await?;
    served.kill().await?;
    Ok(ids)
}

/// Seconds until the journals hold more than that.
async fn grows(inspector: &Inspector, than: i64, watch: Stopwatch) -> Result<f64> {
    while inspector.journal_entries().await? <= than {
        if watch.seconds() > PATIENCE_SECONDS {
            bail!("the journals do not grow");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(watch.seconds())
}

/// How many executions have not come to the one right result.
async fn wrong(served: &Served, ids: &[String]) -> Result<usize> {
    let right = STEPS * (STEPS - 1) / 2;
    let results = try_join_all(ids.iter().map(|id| served.result(id))).await?;
    ensure!(results.len() == EXECUTIONS, "{} of {EXECUTIONS} were started", results.len());
    Ok(results.into_iter().filter(|result| result.as_u64() != Some(right)).count())
}
