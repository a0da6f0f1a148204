//! What a claim costs among many executions that have nothing to do.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use stepwell::journal::{Body, Ended, Entry, VERSION};
use stepwell::model::{
    Clock, ExecutionId, ExecutionState, HostId, Ids as _, ModuleDigest, Name, Payload, RandomIds,
    Routing, Run, Seq,
};
use stepwell::store::{
    Append, ClaimFilter, NewExecution, NewHost, RowChange, Store, Write, Written,
};

use crate::Bench;
use crate::bare::Bare;
use crate::database::Database;
use crate::plan;
use crate::plot::Plot;
use crate::report::{Budget, Row};
use crate::stopwatch::{Samples, Stopwatch, time};

/// The crowd that is little.
const FEW: u32 = 1_000;
/// Executions that are ready when a claim comes, and claims of one round.
const READY: usize = 16;
const CLAIMS: usize = 60;

/// A store with a crowd in it.
struct Place {
    plot: Plot,
    store: Arc<dyn Store>,
    host: HostId,
}

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let many = bench.settings.crowd;
    let watch = Stopwatch::start();
    let few_place = fill(bench, database, FEW).await?;
    let many_place = fill(bench, database, many).await?;
    let filled = watch.seconds();
    let mut bare = Bare::open(&many_place.plot).await?;

    let mut among_few = Measured::default();
    let mut among_many = Measured::default();
    let mut baseline = Samples::default();
    for _ in 0..bench.settings.rounds {
        baseline.extend(bare.commits(CLAIMS, 300).await?);
        for _ in 0..CLAIMS {
            among_few.extend(claim(bench, &few_place).await?);
            among_many.extend(claim(bench, &many_place).await?);
        }
    }
    let plans = explain(bench, [(&few_place, FEW), (&many_place, many)]).await?;
    let bare_commit = baseline.median();
    let rows = vec![
        Row::of(format!("claim of {READY} among {many}"), &among_many.claims, "us")
            .beside(among_few.claims.median())
            .within(Budget::RatioAtMost(1.2))
            .note(format!(
                "half parked, half finished, put there in {filled:.0} s; the baseline is the same among {FEW}; a bare commit takes {bare_commit:.0} us{plans}"
            )),
        Row::of(format!("claim of nothing among {many}"), &among_many.misses, "us")
            .beside(among_few.misses.median())
            .within(Budget::Known)
            .note(format!("the baseline is the same among {FEW}")),
        Row::of(format!("renewal of the lease among {many}"), &among_many.renewals, "us")
            .beside(among_few.renewals.median())
            .within(Budget::Known)
            .note(format!("the poll of an idle host; the baseline is the same among {FEW}")),
    ];
    Ok(rows.into_iter().map(|row| row.on(database.name())).collect())
}

#[derive(Debug, Default)]
struct Measured {
    claims: Samples,
    misses: Samples,
    renewals: Samples,
}

impl Measured {
    fn extend(&mut self, other: Self) {
        self.claims.extend(other.claims);
        self.misses.extend(other.misses);
        self.renewals.extend(other.renewals);
    }
}

async fn fill(bench: &Bench, database: Database, crowd: u32) -> Result<Place> {
    let plot = bench.ground.plot(database, &format!("claim-{crowd}")).await?;
    let store = plot.open(&bench.ground.limits()).await?;
    let host = register(&*store, &*bench.ground.clock).await?;
    plot.inspect().await?.crowd(crowd).await?;
    Ok(Place { plot, store, host })
}

async fn register(store: &dyn Store, clock: &dyn Clock) -> Result<HostId> {
    let row = NewHost {
        id: RandomIds.host(),
        name: "bench".to_owned(),
        lease: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        session: "bench".to_owned(),
        started_at: clock.now(),
        queues: Vec::new(),
        tags: Vec::new(),
    };
    clock.follow(store.register(&row).await?);
    Ok(row.id)
}

/// Makes some ready and writes down how the database finds them; says where that was written.
async fn explain(bench: &Bench, places: [(&Place, u32); 2]) -> Result<String> {
    let mut files = Vec::new();
    for (place, crowd) in places {
        let starts: Vec<Write> = (0..READY).map(|_| ready(bench)).collect::<Result<_>>()?;
        commit(place, &starts).await?;
        let inspector = place.plot.inspect().await?;
        if let Some(plan) = plan::of_claim(&inspector, place.host, &filter(bench), READY).await? {
            let name = format!("claim-{}-{crowd}.txt", place.plot.database().name());
            std::fs::write(bench.target.join(&name), plan).with_context(|| name.clone())?;
            files.push(name);
        }
        end_ready(bench, place).await?;
    }
    Ok(if files.is_empty() {
        String::new()
    } else {
        format!("; the plans are in {}", files.join(", "))
    })
}

async fn end_ready(bench: &Bench, place: &Place) -> Result<()> {
    let filter = filter(bench);
    let claimed = place.store.claim_executions(place.host, &filter, u32::try_from(READY)?).await?;
    let ids = claimed.iter().map(|snapshot| snapshot.execution.id);
    let ends: Vec<Write> = ids.map(|id| end(bench, id, place.host)).collect();
    commit(place, &ends).await
}

/// As a host's own.
fn filter(bench: &Bench) -> ClaimFilter {
    ClaimFilter {
        journal_version: VERSION.into(),
        suspect_after: Some(bench.ground.limits().suspect_after),
        ..ClaimFilter::default()
    }
}

/// Makes some ready, claims them, and ends them.
async fn claim(bench: &Bench, place: &Place) -> Result<Measured> {
    let Place { store, host, .. } = place;
    let filter = filter(bench);
    let mut measured = Measured::default();
    let limit = u32::try_from(READY)?;

    let starts: Vec<Write> = (0..READY).map(|_| ready(bench)).collect::<Result<_>>()?;
    commit(place, &starts).await?;
    let (took, claimed) =
        time(async { Ok(store.claim_executions(*host, &filter, limit).await?) }).await?;
    ensure!(claimed.len() == READY, "{} of {READY} were claimed", claimed.len());
    measured.claims.push_micros(took);

    let ids = claimed.iter().map(|snapshot| snapshot.execution.id);
    let ends: Vec<Write> = ids.map(|id| end(bench, id, *host)).collect();
    commit(place, &ends).await?;
    let (took, claimed) =
        time(async { Ok(store.claim_executions(*host, &filter, limit).await?) }).await?;
    ensure!(claimed.is_empty(), "{} were claimed where nothing is ready", claimed.len());
    measured.misses.push_micros(took);

    let (took, _renewal) = time(async { Ok(store.look_for_work(*host).await?) }).await?;
    measured.renewals.push_micros(took);
    Ok(measured)
}

fn ready(bench: &Bench) -> Result<Write> {
    let now = bench.ground.clock.now();
    Ok(Write::Start(Box::new(NewExecution {
        id: RandomIds.execution(),
        workflow: Name::new("noop")?,
        module: ModuleDigest::from_bytes([0; 32]),
        routing: Routing { queue: Name::default_queue(), tags: Vec::new(), priority: 0 },
        parent: None,
        input: Payload::null(),
        seed: [7; 32],
        created_at: now,
        start_at: now,
        expires_at: None,
        owner: None,
        traceparent: None,
    })))
}

fn end(bench: &Bench, id: ExecutionId, host: HostId) -> Write {
    let state = ExecutionState::Completed;
    let ended = Ended { state, outcome: Ok(Payload::null()), fuel: 0, unreceived: 0 };
    let mut append = Append::new(id, host, Run(0));
    append.entries.push(Entry {
        seq: Seq(2),
        run: Run(0),
        recorded_at: bench.ground.clock.now(),
        noted: 0,
        body: Body::Ended(ended),
    });
    append.row = RowChange::End { state, failure_kind: None };
    Write::Append(Box::new(append))
}

async fn commit(place: &Place, writes: &[Write]) -> Result<()> {
    let written =
        place.store.commit(place.host, writes).await.context("the crowd is in the way")?;
    match written.iter().find(|written| !matches!(written, Written::Done(_))) {
        None => Ok(()),
        Some(other) => bail!("a write was answered {other:?}"),
    }
}
