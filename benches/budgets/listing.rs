//! What a page of a list costs among many executions: by each filter that there is, by each two of them, and over HTTP.

use std::sync::Arc;

use anyhow::{Result, ensure};
use stepwell::model::{ExecutionId, ExecutionState, ModuleDigest, Name, Timestamp};
use stepwell::store::{ExecutionFilter, Store};

use crate::Bench;
use crate::database::Database;
use crate::plot::Plot;
use crate::report::{Budget, Row};
use crate::served::Served;
use crate::stopwatch::{Samples, Stopwatch, time};

/// The crowd that is little.
const FEW: u32 = 1_000;
/// Rows of a page, and pages of one filter in one round.
const PAGE: u32 = 100;
const PAGES: usize = 5;
/// When the first of the crowd was accepted: what `Inspector::mixed_crowd` says.
const FIRST_AT: i64 = 4_000_000_000_000_000;
/// Of two filters, so many are told of, the slowest first.
const TOLD: usize = 6;
/// What is asked over HTTP: what finds a full page at once, and what reads through as much as a page may.
const QUERIES: [&str; 6] = [
    "",
    "state=waiting",
    "workflow=workflow-2",
    "workflow=workflow-2&state=waiting",
    "tag=even&state=waiting",
    "queue=queue-3&workflow=workflow-2",
];

/// What a filter took among many, and among few.
struct Measured {
    name: String,
    among_many: Samples,
    among_few: Samples,
}

/// The stores that are asked.
struct Crowds {
    few: Arc<dyn Store>,
    many: Arc<dyn Store>,
}

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let many = bench.settings.crowd;
    let watch = Stopwatch::start();
    let (few_plot, many_plot) =
        (fill(bench, database, FEW).await?, fill(bench, database, many).await?);
    let filled = watch.seconds();
    let limits = bench.ground.limits();
    let crowds =
        Crowds { few: few_plot.open(&limits).await?, many: many_plot.open(&limits).await? };

    let single = filters(many)?;
    let by_one = slowest(bench, &crowds, &single).await?;
    let by_two = slowest(bench, &crowds, &pairs(&single)).await?;
    drop(crowds);
    let mut rows = vec![
        row(format!("a page of {PAGE} among {many}, by the slowest filter"), &by_one, by_one.len())
            .note(format!("{}; put there in {filled:.0} s", told(&by_one, by_one.len()))),
        row(format!("a page of {PAGE} among {many}, by the slowest two filters"), &by_two, TOLD),
    ];
    rows.extend(over_http(bench, &many_plot, many).await?);
    Ok(rows.into_iter().map(|row| row.on(database.name())).collect())
}

fn row(name: String, measured: &[Measured], how_many: usize) -> Row {
    let (many, few) = measured.first().map_or_else(Default::default, |slowest| {
        (slowest.among_many.clone(), slowest.among_few.median())
    });
    Row::of(name, &many, "ms")
        .beside(few)
        .within(Budget::AtMost(200.0))
        .note(told(measured, how_many))
}

fn told(measured: &[Measured], how_many: usize) -> String {
    let each = measured.iter().take(how_many);
    let each = each.map(|one| format!("{} {:.2}", one.name, one.among_many.median()));
    let each: Vec<_> = each.collect();
    let of = measured.len();
    format!("the baseline is the same among {FEW}; medians of {of}: {}", each.join(", "))
}

async fn fill(bench: &Bench, database: Database, crowd: u32) -> Result<Plot> {
    let plot = bench.ground.plot(database, &format!("listing-{crowd}")).await?;
    drop(plot.open(&bench.ground.limits()).await?);
    plot.inspect().await?.mixed_crowd(crowd).await?;
    Ok(plot)
}

/// What each of them takes, the slowest first.
async fn slowest(
    bench: &Bench,
    crowds: &Crowds,
    filters: &[(String, ExecutionFilter)],
) -> Result<Vec<Measured>> {
    let mut measured = Vec::with_capacity(filters.len());
    for (name, filter) in filters {
        let (mut among_few, mut among_many) = (Samples::default(), Samples::default());
        for _ in 0..bench.settings.rounds {
            among_few.extend(pages(&*crowds.few, filter).await?);
            among_many.extend(pages(&*crowds.many, filter).await?);
        }
        measured.push(Measured { name: name.clone(), among_many, among_few });
    }
    measured.sort_by(|one, other| other.among_many.median().total_cmp(&one.among_many.median()));
    Ok(measured)
}

/// The filters that people have, each by itself. What they ask for is what `Inspector::mixed_crowd` makes.
fn filters(crowd: u32) -> Result<Vec<(String, ExecutionFilter)>> {
    let none = || ExecutionFilter { limit: PAGE, ..ExecutionFilter::default() };
    let state = |state| ExecutionFilter { state: Some(state), ..none() };
    let odd = ModuleDigest::from_bytes(*b"00000000000000000000000000000001");
    let middle = Timestamp::from_micros(FIRST_AT + i64::from(crowd / 2));
    let named = [
        ("none", none()),
        ("waiting", state(ExecutionState::Waiting)),
        ("completed", state(ExecutionState::Completed)),
        ("pending", state(ExecutionState::Pending)),
        ("workflow", ExecutionFilter { workflow: Some(Name::new("workflow-2")?), ..none() }),
        ("workflow not there", ExecutionFilter { workflow: Some(Name::new("nothing")?), ..none() }),
        ("queue", ExecutionFilter { queue: Some(Name::new("queue-3")?), ..none() }),
        ("module", ExecutionFilter { module: Some(odd), ..none() }),
        ("tag", ExecutionFilter { tag: Some(Name::new("even")?), ..none() }),
        ("rare tag", ExecutionFilter { tag: Some(Name::new("tag-1")?), ..none() }),
        ("failure", ExecutionFilter { failure_kind: Some("kind-5".to_owned()), ..none() }),
        (
            "parent",
            ExecutionFilter {
                parent: Some(ExecutionId::from_bytes(*b"0000000000000004")),
                ..none()
            },
        ),
        ("time", ExecutionFilter { until: Some(middle), ..none() }),
    ];
    Ok(named.map(|(name, filter)| (name.to_owned(), filter)).into())
}

/// Each two of them that do not ask for two of the same.
fn pairs(single: &[(String, ExecutionFilter)]) -> Vec<(String, ExecutionFilter)> {
    let mut pairs = Vec::new();
    for (place, (one, first)) in single.iter().enumerate().skip(1) {
        for (other, second) in &single[place + 1..] {
            pairs.extend(both(first, second).map(|filter| (format!("{one} + {other}"), filter)));
        }
    }
    pairs
}

fn both(one: &ExecutionFilter, other: &ExecutionFilter) -> Option<ExecutionFilter> {
    let is_twice = (one.state.is_some() && other.state.is_some())
        || (one.workflow.is_some() && other.workflow.is_some())
        || (one.tag.is_some() && other.tag.is_some());
    (!is_twice).then(|| ExecutionFilter {
        state: one.state.or(other.state),
        workflow: one.workflow.clone().or(other.workflow.clone()),
        queue: one.queue.clone().or(other.queue.clone()),
        parent: one.parent.or(other.parent),
        module: one.module.or(other.module),
        failure_kind: one.failure_kind.clone().or(other.failure_kind.clone()),
        tag: one.tag.clone().or(other.tag.clone()),
        until: one.until.or(other.until),
        ..one.clone()
    })
}

/// The first pages, each where the one before has ended.
async fn pages(store: &dyn Store, filter: &ExecutionFilter) -> Result<Samples> {
    let (mut samples, mut filter) = (Samples::default(), filter.clone());
    for _ in 0..PAGES {
        let (took, page) = time(async { Ok(store.executions(&filter).await?) }).await?;
        samples.push_millis(took);
        ensure!(page.rows.len() <= PAGE as usize, "a page of {} rows", page.rows.len());
        filter.after = page.next;
        if page.next.is_none() {
            break;
        }
    }
    Ok(samples)
}

/// The same for a client and for a browser, of a host that serves this crowd.
async fn over_http(bench: &Bench, plot: &Plot, crowd: u32) -> Result<Vec<Row>> {
    let served = Served::start(plot).await?;
    let mut rows = Vec::new();
    for (what, path) in [
        ("GET /v1/executions", format!("/v1/executions?limit={PAGE}&")),
        ("GET /executions, the page", "/executions?".to_owned()),
    ] {
        let mut measured = Vec::new();
        for query in QUERIES {
            let mut samples = Samples::default();
            for _ in 0..bench.settings.rounds {
                let (took, ()) = time(served.get(&format!("{path}{query}"))).await?;
                samples.push_millis(took);
            }
            measured.push((query, samples));
        }
        measured.sort_by(|(_, one), (_, other)| other.median().total_cmp(&one.median()));
        let each = measured.iter().map(|(query, took)| format!("\"{query}\" {:.2}", took.median()));
        let note = format!("over HTTP, medians: {}", each.collect::<Vec<_>>().join(", "));
        let slowest = measured.into_iter().next().map_or_else(Samples::default, |(_, took)| took);
        rows.push(
            Row::of(format!("{what} among {crowd}, by the slowest query"), &slowest, "ms")
                .within(Budget::AtMost(200.0))
                .note(note),
        );
    }
    served.stop().await?;
    Ok(rows)
}
