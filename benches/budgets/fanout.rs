//! One execution that calls many steps at once: on one host, and on several that share a database.

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;

use crate::Bench;
use crate::bare::Bare;
use crate::database::Database;
use crate::house::House;
use crate::inspector::Inspector;
use crate::report::{Budget, Row};
use crate::served::Served;
use crate::stopwatch::{Samples, Stopwatch, count};

/// Hosts that share a database.
const HOSTS: usize = 3;
/// Steps that are called before anything is measured, and how often at most until every host has begun one.
const WARM: usize = 1_000;
const WARM_UPS_MAX: usize = 20;
/// What a step leaves in the journal, about.
const BYTES: usize = 200;

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let (mut rows, alone) = one_host(bench, database).await?;
    if database == Database::Postgres {
        rows.extend(many_hosts(bench, database, alone).await?);
    }
    Ok(rows.into_iter().map(|row| row.on(database.name())).collect())
}

/// The rows, and the steps per second.
async fn one_host(bench: &Bench, database: Database) -> Result<(Vec<Row>, f64)> {
    let fan = bench.settings.fan;
    let house = House::build(&bench.ground, database, "fanout", &bench.ground.limits()).await?;
    let mut bare = Bare::open(&house.plot).await?;
    run(&house, WARM).await?;
    let (mut per_second, mut processor, mut baseline) =
        (Samples::default(), Samples::default(), Samples::default());
    let before = house.store.asked();
    for _ in 0..bench.settings.rounds {
        baseline.extend(bare.commits(200, BYTES).await?);
        let spent = house.plot.processor_micros()?;
        let watch = Stopwatch::start();
        run(&house, fan).await?;
        per_second.push(count(fan) / watch.seconds());
        processor.push((house.plot.processor_micros()? - spent) / count(fan));
        baseline.extend(bare.commits(200, BYTES).await?);
    }
    let asked = house.store.asked_since(&before);
    house.all_completed().await?;
    let note = house.plot.processor_note();
    house.close().await;
    let rows = vec![
        Row::of(format!("steps per second, {fan} called at once"), &per_second, "/s")
            .beside(1e6 / baseline.median())
            .within(Budget::Known)
            .note(format!(
                "one execution: what finds no slot becomes a task; the baseline is bare commits per second; asked of the store in all: {asked}"
            )),
        Row::of(format!("processor time per step, {fan} called at once"), &processor, "us")
            .beside(baseline.median())
            .within(Budget::Known)
            .note(note),
    ];
    Ok((rows, per_second.median()))
}

async fn run(house: &House, fan: usize) -> Result<()> {
    let id = house.start("fan", fan.to_string()).await?;
    let sum = house.result(id).await?;
    ensure!(sum.as_str() == sum_of(fan).to_string(), "the fan has another sum");
    Ok(())
}

fn sum_of(fan: usize) -> usize {
    fan * fan.saturating_sub(1) / 2
}

async fn many_hosts(bench: &Bench, database: Database, alone: f64) -> Result<Vec<Row>> {
    let fan = bench.settings.fan;
    let plot = bench.ground.plot(database, "fanout-served").await?;
    let names = ["first", "second", "third"];
    let hosts = try_join_all(names.map(|name| Served::start_among(&plot, name))).await?;
    let cluster = Cluster { hosts, inspector: plot.inspect().await? };
    cluster.warm_up(bench).await?;
    let (mut per_second, mut shares) = (Samples::default(), Samples::default());
    let mut begun = vec![0; HOSTS];
    for round in 0..bench.settings.rounds {
        let ran = cluster.run(round % HOSTS, fan).await?;
        per_second.push(count(fan) / ran.seconds);
        shares.push(ran.least_by_even());
        begun = begun.iter().zip(&ran.attempts).map(|(sum, more)| sum + more).collect();
    }
    try_join_all(cluster.hosts.into_iter().map(Served::stop)).await?;
    Ok(vec![
        Row::of(format!("steps per second, {fan} called at once, {HOSTS} hosts"), &per_second, "/s")
            .beside(alone)
            .within(Budget::Known)
            .note("from the start to the end by the execution's row; real hosts on the same cores, which log each attempt; the baseline is one host"),
        Row::of(format!("least share of {HOSTS} hosts by an even one"), &shares, "shares")
            .within(Budget::Known)
            .note(format!("attempts that each has begun, by its log: {begun:?}")),
    ])
}

/// Hosts on one database.
struct Cluster {
    hosts: Vec<Served>,
    inspector: Inspector,
}

/// One fan that was run.
struct Ran {
    seconds: f64,
    /// By host.
    attempts: Vec<usize>,
}

impl Ran {
    fn least_by_even(&self) -> f64 {
        let least = self.attempts.iter().min().copied().unwrap_or_default();
        let all: usize = self.attempts.iter().sum();
        count(least * self.attempts.len()) / count(all)
    }
}

impl Cluster {
    /// Until every host has loaded the module.
    async fn warm_up(&self, bench: &Bench) -> Result<()> {
        let first = self.hosts.first().context("there are hosts")?;
        first.deploy(&bench.ground.wasm).await?;
        for time in 0..WARM_UPS_MAX {
            let ran = self.run(time % self.hosts.len(), WARM).await?;
            if ran.attempts.iter().all(|begun| *begun > 0) {
                return Ok(());
            }
        }
        anyhow::bail!("a host has begun nothing in {WARM_UPS_MAX} fans of {WARM} steps")
    }

    /// Starts one at that host.
    async fn run(&self, host: usize, fan: usize) -> Result<Ran> {
        let host = self.hosts.get(host).context("there is such a host")?;
        let id = host.start_execution("fan", &fan.to_string()).await?;
        let sum = host.result(&id).await?;
        ensure!(sum.as_u64() == Some(u64::try_from(sum_of(fan))?), "the fan has returned {sum}");
        let attempts = self.hosts.iter().map(|host| host.attempts_of(&id));
        Ok(Ran {
            attempts: attempts.collect::<Result<_>>()?,
            seconds: self.inspector.seconds_of(id.parse()?).await?,
        })
    }
}
