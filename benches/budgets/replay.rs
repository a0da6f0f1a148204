//! Replay: from memory, and of a parked workflow with a long past.

use anyhow::{Context as _, Result, bail, ensure};
use stepwell::journal::{Body, Entry, Event, Replay};
use stepwell::model::{ExecutionId, HostId, Ids as _, Name, Payload, RandomIds, Routing, Run, Seq};
use stepwell::sandbox::{Module, Turn};
use stepwell::store::{Append, NewExecution, RowChange, Store as _, Write, Written};

use crate::Bench;
use crate::bare::Bare;
use crate::database::Database;
use crate::house::House;
use crate::report::{Budget, Row};
use crate::stopwatch::{Samples, Stopwatch, count, millis, time};

/// Steps in the past of the workflow.
const STEPS: usize = 10_000;
/// Entries of a journal that one read takes.
const PAGE: u32 = 1_000;

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let limits = bench.ground.limits();
    let house = House::build(&bench.ground, database, "replay", &limits).await?;
    let mut bare = Bare::open(&house.plot).await?;
    let past = live_through(&house).await?;
    let module = bench.ground.sandbox.load(house.module.digest, &bench.ground.wasm).await?;

    let (mut per_second, mut reading, mut waking, mut baseline) =
        (Samples::default(), Samples::default(), Samples::default(), Samples::default());
    for _ in 0..bench.settings.rounds {
        baseline.extend(bare.commits(100, 200).await?);
        let id = copy(&house, &past).await?;
        let (took, snapshot) = time(async {
            house.store.snapshot(house.host, id).await?.context("the copy has no owner")
        })
        .await?;
        reading.push_millis(took);
        per_second.push(replay(bench, &module, id, snapshot.entries).await?);
        waking.push(wake(&house, id).await?);
        baseline.extend(bare.commits(100, 200).await?);
    }
    house.all_completed().await?;
    house.close().await;
    let bare_millis = baseline.median() / 1e3;
    let mut rows = Vec::new();
    // No database takes part in it.
    if bench.settings.begins_with(database) {
        rows.push(
            Row::of("replay from memory, with its guest", &per_second, "entries/s")
                .beside(1e6 / baseline.median())
                .within(Budget::AtLeast(300_000.0))
                .note(format!("{} entries, instantiating included", past.len() + 1)),
        );
    }
    rows.extend(store_rows(&reading, &waking, bare_millis).map(|row| row.on(database.name())));
    Ok(rows)
}

fn store_rows(reading: &Samples, waking: &Samples, bare_millis: f64) -> impl Iterator<Item = Row> {
    let rows = [
        Row::of("reading the journal of 10,000 steps", reading, "ms")
            .beside(bare_millis)
            .within(Budget::Known),
        Row::of("cold wake after 10,000 steps", waking, "ms")
            .beside(bare_millis)
            .within(Budget::AtMost(100.0))
            .note("from the signal to the result: delivered, claimed, read, replayed, one more step, ended"),
    ];
    rows.into_iter()
}

/// Runs the workflow for real and takes its journal, as far as the last step but one.
async fn live_through(house: &House) -> Result<Vec<Entry>> {
    let id = house.start("chain", (STEPS + 1).to_string()).await?;
    house.result(id).await?;
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let after = entries.last().map_or(Seq(0), |last| last.seq);
        let page = house.store.journal(id, after, PAGE).await?;
        entries.extend(page.entries);
        if !page.more {
            break;
        }
    }
    let mut settled = 0;
    let past = entries.into_iter().skip(1).take_while(|entry| {
        let is_before = settled < STEPS;
        settled += usize::from(matches!(entry.body, Body::Event(Event::Settled { .. })));
        is_before
    });
    Ok(past.collect())
}

/// Gives another execution the same past. It is this host's, and nobody has activated it.
async fn copy(house: &House, past: &[Entry]) -> Result<ExecutionId> {
    let at = past.last().map(|last| last.recorded_at).context("the past is empty")?;
    let id = RandomIds.execution();
    let start = NewExecution {
        id,
        workflow: Name::new("chain")?,
        module: house.module.digest,
        routing: Routing { queue: Name::default_queue(), tags: Vec::new(), priority: 0 },
        parent: None,
        input: Payload::from_checked((STEPS + 1).to_string()),
        seed: [7; 32],
        created_at: past[0].recorded_at,
        start_at: past[0].recorded_at,
        expires_at: None,
        owner: Some(house.host),
        traceparent: None,
    };
    ensure!(at >= start.created_at, "the past runs backwards");
    commit(house, Write::Start(Box::new(start))).await?;
    let mut append = append(id, house.host);
    append.entries = past.to_vec();
    commit(house, Write::Append(Box::new(append))).await?;
    Ok(id)
}

fn append(id: ExecutionId, host: HostId) -> Append {
    Append::new(id, host, Run(0))
}

async fn commit(house: &House, write: Write) -> Result<()> {
    match house.store.commit(house.host, &[write]).await?.pop() {
        Some(Written::Done(_)) => Ok(()),
        other => bail!("a write was answered {other:?}"),
    }
}

/// Entries per second, from the entries in memory to the guest that waits for something new.
async fn replay(
    bench: &Bench,
    module: &Module,
    id: ExecutionId,
    entries: Vec<Entry>,
) -> Result<f64> {
    let length = entries.len();
    let watch = Stopwatch::start();
    let replay = Replay::new(id, Run(0), entries, &bench.ground.limits())?;
    let mut guest = bench.ground.sandbox.run_workflow(module, replay);
    match guest.turn().await {
        Turn::Waits(replay) => {
            let per_second = count(length) / watch.seconds();
            ensure!(replay.is_live(), "the guest waits before the end of its past");
            Ok(per_second)
        }
        turn => bail!("the guest should wait, and is {turn:?}"),
    }
}

/// Parks it and sends it something; from the signal to the result, in milliseconds.
async fn wake(house: &House, id: ExecutionId) -> Result<f64> {
    let mut park = append(id, house.host);
    park.row = RowChange::Park { seen: 0, next_timer: None };
    commit(house, Write::Append(Box::new(park))).await?;
    let until = house.ended() + 1;
    let watch = Stopwatch::start();
    house.dispatch.signal(id, Name::new("wake")?, Payload::null(), None).await?;
    house.wait(|tally| tally.ended >= until).await?;
    Ok(millis(watch.elapsed()))
}
