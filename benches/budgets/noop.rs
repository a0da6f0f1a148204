//! Workflows that do nothing: what starting and finishing costs by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use tokio::task::JoinSet;

use crate::Bench;
use crate::bare::Bare;
use crate::database::Database;
use crate::house::{self, House};
use crate::report::{Budget, Row};
use crate::served::Served;
use crate::stopwatch::{Samples, Stopwatch, count, time};

/// Workflows of one round, and how many callers start them.
const WORKFLOWS: usize = 5_000;
const CALLERS: usize = 256;
/// Workflows of one round whose time is taken, one after the other.
const TIMED: usize = 100;
/// Workflows of one round over HTTP, and how many clients there are.
const OVER_HTTP: usize = 2_000;
const CLIENTS: usize = 64;
/// What a start or an end leaves in the journal and in the execution's row, about.
const BYTES: usize = 300;

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let limits = bench.ground.limits();
    let house = House::build(&bench.ground, database, "noop", &limits).await?;
    let mut bare = Bare::open(&house.plot).await?;
    latencies(&house, TIMED).await?;
    let mut rows = throughput(bench, &house, &mut bare).await?;
    rows.extend(latency(bench, &house, &mut bare).await?);
    house.all_completed().await?;
    house.close().await;
    rows.push(over_http(bench, database, &mut bare).await?);
    Ok(rows.into_iter().map(|row| row.on(database.name())).collect())
}

async fn throughput(bench: &Bench, house: &House, bare: &mut Bare) -> Result<Vec<Row>> {
    let (mut per_second, mut processor, mut baseline) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..bench.settings.rounds {
        baseline.extend(bare.commits(200, BYTES).await?);
        let until = house.ended() + WORKFLOWS;
        let spent = house.plot.processor_micros()?;
        let watch = Stopwatch::start();
        start_all(house).await?;
        house.wait(|tally| tally.ended >= until).await?;
        per_second.push(count(WORKFLOWS) / watch.seconds());
        processor.push((house.plot.processor_micros()? - spent) / count(WORKFLOWS));
        baseline.extend(bare.commits(200, BYTES).await?);
    }
    Ok(vec![
        Row::of("no-op workflows per second, in process", &per_second, "/s")
            .beside(1e6 / baseline.median())
            .within(Budget::AtLeast(5_000.0))
            .note(format!(
                "started and finished, {CALLERS} callers; the baseline is bare commits per second"
            )),
        Row::of("processor time per no-op workflow, in process", &processor, "us")
            .beside(baseline.median())
            .within(Budget::Known)
            .note(house.plot.processor_note()),
    ])
}

/// Each caller starts the next one when its last is durable.
async fn start_all(house: &House) -> Result<()> {
    let left = Arc::new(AtomicUsize::new(WORKFLOWS));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (left, dispatch) = (Arc::clone(&left), house.dispatch.clone());
        callers.spawn(async move {
            let take = |left: usize| left.checked_sub(1);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                house::start(&dispatch, "noop", "null".to_owned()).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.context("a caller ended early")??;
    }
    Ok(())
}

async fn latency(bench: &Bench, house: &House, bare: &mut Bare) -> Result<Vec<Row>> {
    let (mut latency, mut baseline) = (Samples::default(), Samples::default());
    for _ in 0..bench.settings.rounds {
        baseline.extend(bare.commits(TIMED, BYTES).await?);
        latency.extend(latencies(house, TIMED).await?);
        baseline.extend(bare.commits(TIMED, BYTES).await?);
    }
    let p99 = latency.quantile(0.99);
    Ok(vec![
        Row::of("no-op workflow, start to result, p50", &latency, "us")
            .beside(baseline.median())
            .within(Budget::AtMostBaselines(2.0, 1_000.0)),
        Row::of("no-op workflow, start to result, p99", &latency, "us")
            .at(p99)
            .beside(baseline.quantile(0.99))
            .within(Budget::Known)
            .note("the baseline is the p99 of a bare commit"),
    ])
}

/// Times of workflows on a host that does nothing else, from the call of `start` to the result.
pub(crate) async fn latencies(house: &House, workflows: usize) -> Result<Samples> {
    let mut samples = Samples::default();
    for _ in 0..workflows {
        let whole = async {
            let id = house.start("noop", "null".to_owned()).await?;
            house.result(id).await
        };
        samples.push_micros(time(whole).await?.0);
    }
    Ok(samples)
}

/// The clients are in this process, on the same cores as the host.
async fn over_http(bench: &Bench, database: Database, bare: &mut Bare) -> Result<Row> {
    let plot = bench.ground.plot(database, "noop-http").await?;
    let served = Served::start(&plot).await?;
    served.deploy(&bench.ground.wasm).await?;
    served.run_to_result("noop", "null").await?;
    let (mut per_second, mut baseline) = (Samples::default(), Samples::default());
    for _ in 0..bench.settings.rounds {
        baseline.extend(bare.commits(100, BYTES).await?);
        let watch = Stopwatch::start();
        try_join_all((0..CLIENTS).map(|_| async {
            for _ in 0..OVER_HTTP / CLIENTS {
                served.run_to_result("noop", "null").await?;
            }
            anyhow::Ok(())
        }))
        .await?;
        per_second.push(count(OVER_HTTP / CLIENTS * CLIENTS) / watch.seconds());
        baseline.extend(bare.commits(100, BYTES).await?);
    }
    served.stop().await?;
    Ok(Row::of("no-op workflows per second, over HTTP", &per_second, "/s")
        .beside(1e6 / baseline.median())
        .within(Budget::Known)
        .note(format!(
            "{CLIENTS} clients on the host's own cores, each start followed by its result: two requests a workflow"
        )))
}
