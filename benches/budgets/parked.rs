//! Parked executions: what they hold, and how quickly they wake.

use anyhow::Result;
use futures::future::try_join_all;
use stepwell::model::{ExecutionId, Limits, Name, Payload};

use crate::Bench;
use crate::bare::Bare;
use crate::database::Database;
use crate::house::House;
use crate::processes::resident_bytes;
use crate::report::{Budget, Row};
use crate::stopwatch::{Samples, count, time};

/// Executions that are parked first, so that every pool and cache has its size: those of SQLite take 24 MiB of pages.
const BEFORE: usize = 20_000;
/// Executions that are parked then, and count: so many that what pools and caches add by chance is little for each.
const PARKED: usize = 20_000;
/// Of which so many are started at once.
const AT_ONCE: usize = 100;
/// How many are woken in one round.
const WOKEN: usize = 50;

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    // Parked as soon as they wait.
    let limits = Limits { hot_for: std::time::Duration::ZERO, ..bench.ground.limits() };
    let house = House::build(&bench.ground, database, "parked", &limits).await?;
    let mut bare = Bare::open(&house.plot).await?;
    let inspector = house.plot.inspect().await?;

    park(&house, BEFORE).await?;
    inspector.compact().await?;
    let (memory, before) = (resident_bytes("self")?, inspector.bytes_beside_journals().await?);
    let parked = park(&house, PARKED).await?;
    let memory = (resident_bytes("self")? - memory) / count(PARKED);
    let grown = Grown::between(&before, &inspector.bytes_beside_journals().await?);
    inspector.compact().await?;
    let compact = Grown::between(&before, &inspector.bytes_beside_journals().await?);

    let (mut waking, mut baseline) = (Samples::default(), Samples::default());
    for woken in parked.chunks(WOKEN).take(bench.settings.rounds) {
        baseline.extend(bare.commits(WOKEN, 300).await?);
        for id in woken {
            waking.push_millis(wake(&house, *id).await?);
        }
        baseline.extend(bare.commits(WOKEN, 300).await?);
    }
    house.all_completed().await?;
    house.close().await;
    let mut rows = vec![memory_row(memory), grown.row(&compact)];
    rows.extend(waking_rows(&waking, baseline.median() / 1e3));
    Ok(rows.into_iter().map(|row| row.on(database.name())).collect())
}

fn memory_row(memory: f64) -> Row {
    Row::of("parked execution, memory", &Samples::from_iter([memory]), "bytes")
        .within(Budget::AtMost(256.0))
        .note(format!(
            "growth of the resident set over {PARKED}, after {BEFORE} others; the budget is none, 256 bytes are what an allocator may keep"
        ))
}

fn waking_rows(waking: &Samples, bare_millis: f64) -> [Row; 2] {
    [
        Row::of("parked execution, cold wake, p50", waking, "ms")
            .beside(bare_millis)
            .within(Budget::AtMost(10.0))
            .note("from the signal to the result: delivered, claimed, read, replayed, ended"),
        Row::of("parked execution, cold wake, p99", waking, "ms")
            .at(waking.quantile(0.99))
            .beside(bare_millis)
            .within(Budget::Known),
    ]
}

/// Starts workflows that wait for a signal, until all of them are parked.
async fn park(house: &House, executions: usize) -> Result<Vec<ExecutionId>> {
    let mut ids = Vec::with_capacity(executions);
    let until = house.store.tally().borrow().parked + executions;
    while ids.len() < executions {
        let starts = (0..AT_ONCE).map(|_| house.start("waiting", "null".to_owned()));
        ids.extend(try_join_all(starts).await?);
    }
    house.wait(|tally| tally.parked >= until).await?;
    Ok(ids)
}

async fn wake(house: &House, id: ExecutionId) -> Result<std::time::Duration> {
    let until = house.ended() + 1;
    let woken = async {
        house.dispatch.signal(id, Name::new("message")?, Payload::null(), None).await?;
        house.wait(|tally| tally.ended >= until).await
    };
    Ok(time(woken).await?.0)
}

/// By how much the database grew for each execution.
struct Grown {
    bytes: f64,
    /// Which tables and indexes they are in.
    places: String,
}

impl Grown {
    fn between(before: &[(String, i64)], after: &[(String, i64)]) -> Self {
        let mut sum = 0.0;
        let mut places = Vec::new();
        for (name, bytes) in after {
            let was = before.iter().find(|(other, _)| other == name).map_or(0, |(_, was)| *was);
            let each = count(usize::try_from(bytes - was).unwrap_or(0)) / count(PARKED);
            if each > 0.0 {
                places.push(format!("{name} {each:.0}"));
            }
            sum += each;
        }
        Self { bytes: sum, places: places.join(", ") }
    }

    /// As it was found; and what is left where the versions of rows that nobody can see any more are taken out.
    fn row(&self, compact: &Self) -> Row {
        let Self { bytes, places } = self;
        Row::of("parked execution, rows beside its journal", &Samples::from_iter([*bytes]), "bytes")
            .within(Budget::AtMost(1_024.0))
            .note(format!(
                "whole pages of tables and indexes, over {PARKED}: {places}; {:.0} without the versions of rows that a vacuum takes out",
                compact.bytes
            ))
    }
}
