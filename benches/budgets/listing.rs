//! What a page of a list costs among many executions, by each filter that there is.

use std::sync::Arc;

use anyhow::{Result, ensure};
use stepwell::model::{ExecutionId, ExecutionState, ModuleDigest, Name, Timestamp};
use stepwell::store::{ExecutionFilter, Store};

use crate::Bench;
use crate::database::Database;
use crate::report::{Budget, Row};
use crate::stopwatch::{Samples, Stopwatch, time};

/// The crowd that is little.
const FEW: u32 = 1_000;
/// Rows of a page, and pages of one filter in one round.
const PAGE: u32 = 100;
const PAGES: usize = 5;

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let many = bench.settings.crowd;
    let watch = Stopwatch::start();
    let few_store = fill(bench, database, FEW).await?;
    let many_store = fill(bench, database, many).await?;
    let filled = watch.seconds();

    let mut slowest = (0.0, "none", Samples::default(), Samples::default());
    let mut told = Vec::new();
    for (name, filter) in filters(many)? {
        let (mut among_few, mut among_many) = (Samples::default(), Samples::default());
        for _ in 0..bench.settings.rounds {
            among_few.extend(pages(&*few_store, &filter).await?);
            among_many.extend(pages(&*many_store, &filter).await?);
        }
        let median = among_many.median();
        told.push(format!("{name} {median:.2}"));
        if median > slowest.0 {
            slowest = (median, name, among_few, among_many);
        }
    }
    let (_, name, among_few, among_many) = slowest;
    let row = Row::of(
        format!("a page of {PAGE} among {many}, by the slowest filter"),
        &among_many,
        "ms",
    )
    .beside(among_few.median())
    .within(Budget::AtMost(200.0))
    .note(format!(
        "by {name}; the baseline is the same among {FEW}; medians: {}; put there in {filled:.0} s",
        told.join(", ")
    ));
    Ok(vec![row.on(database.name())])
}

async fn fill(bench: &Bench, database: Database, crowd: u32) -> Result<Arc<dyn Store>> {
    let plot = bench.ground.plot(database, &format!("listing-{crowd}")).await?;
    let store = plot.open(&bench.ground.limits()).await?;
    plot.inspect().await?.mixed_crowd(crowd).await?;
    Ok(store)
}

/// The filters that people have, each by itself, and pairs of which one is rare. What they ask for is what
/// `Inspector::mixed_crowd` makes.
fn filters(crowd: u32) -> Result<Vec<(&'static str, ExecutionFilter)>> {
    let none = ExecutionFilter { limit: PAGE, ..ExecutionFilter::default() };
    let workflow = Some(Name::new("workflow-3")?);
    let failed = Some(ExecutionState::Failed);
    let middle = Some(Timestamp::from_micros(i64::from(crowd / 2)));
    let parent = Some(ExecutionId::from_bytes(*b"0000000000000004"));
    Ok(vec![
        ("none", none.clone()),
        ("state", ExecutionFilter { state: Some(ExecutionState::Completed), ..none.clone() }),
        ("rare state", ExecutionFilter { state: failed, ..none.clone() }),
        ("workflow", ExecutionFilter { workflow: workflow.clone(), ..none.clone() }),
        ("queue", ExecutionFilter { queue: Some(Name::new("queue-2")?), ..none.clone() }),
        (
            "module",
            ExecutionFilter { module: Some(ModuleDigest::from_bytes([0; 32])), ..none.clone() },
        ),
        ("tag", ExecutionFilter { tag: Some(Name::new("tag-1")?), ..none.clone() }),
        (
            "kind of failure",
            ExecutionFilter { failure_kind: Some("kind-5".to_owned()), ..none.clone() },
        ),
        ("parent", ExecutionFilter { parent, ..none.clone() }),
        ("time", ExecutionFilter { until: middle, ..none.clone() }),
        ("workflow and rare state", ExecutionFilter { workflow, state: failed, ..none.clone() }),
        (
            "workflow that is not there",
            ExecutionFilter { workflow: Some(Name::new("nothing")?), ..none },
        ),
    ])
}

/// The first pages, each behind the last row of the one before.
async fn pages(store: &dyn Store, filter: &ExecutionFilter) -> Result<Samples> {
    let (mut samples, mut filter) = (Samples::default(), filter.clone());
    for _ in 0..PAGES {
        let (took, rows) = time(async { Ok(store.executions(&filter).await?) }).await?;
        samples.push_millis(took);
        ensure!(rows.len() <= PAGE as usize, "a page of {} rows", rows.len());
        let Some(last) = rows.last() else { break };
        filter.after = Some((last.created_at, last.id));
    }
    Ok(samples)
}
