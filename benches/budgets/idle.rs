//! An idle host: what it asks of the database, and what it holds.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use crate::Bench;
use crate::database::Database;
use crate::house::House;
use crate::plot::Soil;
use crate::processes::resident_bytes;
use crate::report::{Budget, Row};
use crate::served::Served;
use crate::server::Autovacuum;
use crate::stopwatch::{Samples, count};

/// How long a host may take to become idle: its polls grow until the lease's renewal takes over.
const SETTLING: Duration = Duration::from_secs(15);
/// What the budget counts in.
const PERIOD_SECONDS: f64 = 5.0;
const MEBIBYTE: f64 = 1_048_576.0;

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let house = House::build(&bench.ground, database, "idle", &bench.ground.limits()).await?;
    let plot = bench.ground.plot(database, "idle-served").await?;
    let served = Served::start(&plot).await?;
    let empty = resident_bytes(&served.process()?)?;
    served.deploy(&bench.ground.wasm).await?;
    served.run_to_result("chain", "100").await?;

    let watched = watch(bench, &house).await?;
    let resident = resident_bytes(&served.process()?)?;
    served.stop().await?;
    house.close().await;

    let mut rows = watched.rows(bench.settings.idle_seconds);
    rows.push(
        Row::of("idle host, resident memory", &once(resident / MEBIBYTE), "MiB")
            .within(Budget::AtMost(60.0))
            .note(format!(
                "a real `stepwell serve` after an upload and 100 steps; {:.1} MiB before them",
                empty / MEBIBYTE
            )),
    );
    Ok(rows.into_iter().map(|row| row.on(database.name())).collect())
}

fn once(value: f64) -> Samples {
    Samples::from_iter([value])
}

/// What an idle host did.
struct Watched {
    asked: BTreeMap<&'static str, usize>,
    /// As the server counts them; none where there is no server.
    transactions: Option<i64>,
}

/// Waits until the house is idle, and then watches it.
async fn watch(bench: &Bench, house: &House) -> Result<Watched> {
    let Soil::Server(server, name) = house.plot.soil() else {
        return observe(bench, house, async || Ok(None)).await;
    };
    server.set_autovacuum(Autovacuum::Off).await?;
    let watched = observe(bench, house, async || server.transactions(name).await.map(Some)).await;
    server.set_autovacuum(Autovacuum::On).await?;
    watched
}

async fn observe(
    bench: &Bench,
    house: &House,
    transactions: impl AsyncFn() -> Result<Option<i64>>,
) -> Result<Watched> {
    tokio::time::sleep(SETTLING).await;
    let (asked, ended) = (house.store.asked(), transactions().await?);
    tokio::time::sleep(Duration::from_secs(bench.settings.idle_seconds.into())).await;
    let transactions = transactions().await?;
    Ok(Watched {
        asked: difference(&asked, &house.store.asked()),
        transactions: transactions.zip(ended).map(|(after, before)| after - before),
    })
}

impl Watched {
    fn rows(&self, seconds: u32) -> Vec<Row> {
        let periods = f64::from(seconds) / PERIOD_SECONDS;
        // One that happens to lie on the edge of the time that is watched is not one more.
        let budget = Budget::AtMost(1.0 + 1.0 / periods);
        let questions = count(self.asked.values().sum());
        let verbs: Vec<_> =
            self.asked.iter().map(|(verb, times)| format!("{verb} {times}")).collect();
        let verbs = if verbs.is_empty() { "none".to_owned() } else { verbs.join(", ") };
        let mut rows = vec![
            Row::of(
                "idle host, questions to the store per 5 s",
                &once(questions / periods),
                "calls",
            )
            .within(budget)
            .note(format!("in {seconds} s: {verbs}")),
        ];
        if let Some(ended) = self.transactions {
            let ended = count(usize::try_from(ended).unwrap_or(0));
            rows.push(
                Row::of("idle host, transactions per 5 s", &once(ended / periods), "transactions")
                    .within(budget)
                    .note(format!(
                        "in {seconds} s: {ended}, by pg_stat_database, asked from another database, autovacuum off; a connection that has rested is asked first whether it answers, which is a round trip and no transaction"
                    )),
            );
        }
        rows
    }
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
