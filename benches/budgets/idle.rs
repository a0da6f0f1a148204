//! An idle host: what it asks of the database, and what it holds.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use crate::Bench;
use crate::database::Database;
use crate::house::House;
use crate::report::{Budget, Row};
use crate::served::Served;
use crate::stopwatch::{Samples, count, resident_bytes};

/// How long a host may take to become idle: its polls grow until the lease's renewal takes over.
const SETTLING: Duration = Duration::from_secs(15);
/// What the budget counts in.
const PERIOD_SECONDS: f64 = 5.0;
const MEBIBYTE: f64 = 1_048_576.0;

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let house = House::build(&bench.ground, database, "idle", &bench.ground.limits()).await?;
    let folder = bench.ground.plot(database, "idle-served")?;
    let served = Served::start(database, &folder).await?;
    let empty = resident_bytes(&served.process()?)?;
    served.deploy(&bench.ground.wasm).await?;
    served.run_to_result("chain", "100").await?;

    tokio::time::sleep(SETTLING).await;
    let before = house.store.asked();
    tokio::time::sleep(Duration::from_secs(bench.settings.idle_seconds.into())).await;
    let asked = difference(&before, &house.store.asked());
    let resident = resident_bytes(&served.process()?)?;
    served.stop().await?;
    house.close().await;

    let periods = f64::from(bench.settings.idle_seconds) / PERIOD_SECONDS;
    let each = asked.values().sum::<usize>();
    let verbs: Vec<_> = asked.iter().map(|(verb, times)| format!("{verb} {times}")).collect();
    let once = |value: f64| Samples::from_iter([value]);
    Ok(vec![
        Row::of("idle host, questions to the store per 5 s", &once(count(each) / periods), "calls")
            .on(database.name())
            // One that happens to lie on the edge of the time that is watched is not one more.
            .within(Budget::AtMost(1.0 + 1.0 / periods))
            .note(format!(
                "in {} s: {}",
                bench.settings.idle_seconds,
                if verbs.is_empty() { "none".to_owned() } else { verbs.join(", ") }
            )),
        Row::of("idle host, resident memory", &once(resident / MEBIBYTE), "MiB")
            .on(database.name())
            .within(Budget::AtMost(60.0))
            .note(format!(
                "a real `stepwell serve` after an upload and 100 steps; {:.1} MiB before them",
                empty / MEBIBYTE
            )),
    ])
}

fn difference(
    before: &BTreeMap<&'static str, usize>,
    after: &BTreeMap<&'static str, usize>,
) -> BTreeMap<&'static str, usize> {
    let more = after
        .iter()
        .map(|(verb, times)| (*verb, times - before.get(verb).copied().unwrap_or_default()));
    more.filter(|(_, times)| *times > 0).collect()
}
