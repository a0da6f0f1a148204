//! Parked executions: what they hold, and how quickly they wake.

use anyhow::Result;
use futures::future::try_join_all;
use stepwell::model::{ExecutionId, Limits, Name, Payload};

use crate::Bench;
use crate::bare::Bare;
use crate::database::Database;
use crate::house::House;
use crate::report::{Budget, Row};
use crate::stopwatch::{Samples, count, resident_bytes, time};

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
    let mut bare = Bare::open(database, &house.folder).await?;
    let inspector = database.inspect(&house.folder).await?;

    park(&house, BEFORE).await?;
    let (memory, rows) = (resident_bytes("self")?, inspector.bytes_beside_journals().await?);
    let parked = park(&house, PARKED).await?;
    let memory = (resident_bytes("self")? - memory) / count(PARKED);
    let (bytes, where_to) = grown(&rows, &inspector.bytes_beside_journals().await?);

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
    Ok(rows_of(&waking, memory, (bytes, where_to), baseline.median() / 1e3)
        .into_iter()
        .map(|row| row.on(database.name()))
        .collect())
}

fn rows_of(
    waking: &Samples,
    memory: f64,
    (bytes, where_to): (f64, String),
    bare_millis: f64,
) -> Vec<Row> {
    let once = |value: f64| Samples::from_iter([value]);
    vec![
        Row::of("parked execution, memory", &once(memory), "bytes")
            .within(Budget::AtMost(256.0))
            .note(format!(
                "growth of the resident set over {PARKED}, after {BEFORE} others; the budget is none, 256 bytes are what an allocator may keep"
            )),
        Row::of("parked execution, rows beside its journal", &once(bytes), "bytes")
            .within(Budget::AtMost(1_024.0))
            .note(format!("whole pages of tables and indexes, over {PARKED}: {where_to}")),
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

/// Bytes per execution, and which tables and indexes they are in.
fn grown(before: &[(String, i64)], after: &[(String, i64)]) -> (f64, String) {
    let mut sum = 0.0;
    let mut places = Vec::new();
    for (name, bytes) in after {
        let was = before.iter().find(|(other, _)| other == name).map_or(0, |(_, bytes)| *bytes);
        let each = count(usize::try_from(bytes - was).unwrap_or(0)) / count(PARKED);
        if each > 0.0 {
            places.push(format!("{name} {each:.0}"));
        }
        sum += each;
    }
    (sum, places.join(", "))
}
