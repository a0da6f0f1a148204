//! The fresh store of a step: instantiate, call, drop.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use stepwell::model::{Ending, ExecutionId, Name, Payload, Promise, Run, StepCall, StepReport};
use stepwell::sandbox::Module;
use tokio_util::sync::CancellationToken;

use crate::Bench;
use crate::bare::Bare;
use crate::database::Database;
use crate::processes::processor_micros;
use crate::report::{Budget, Row};
use crate::stopwatch::{Samples, Stopwatch, count, micros, time};

/// Attempts of one round, one after the other.
const ALONE: usize = 2_000;
/// Attempts of one round with others, and how many at once.
const TOGETHER: usize = 20_000;
const AT_ONCE: usize = 32;

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let sandbox = &bench.ground.sandbox;
    let (digest, _manifest) = sandbox.admit(&bench.ground.wasm).await?;
    let module = sandbox.load(digest, &bench.ground.wasm).await?;
    for _ in 0..ALONE {
        attempt(bench, &module).await?;
    }
    let mut bare = Bare::open(&bench.ground.plot(database, "step").await?).await?;
    let mut baseline = Samples::default();
    let (mut inside, mut outside) = (Samples::default(), Samples::default());
    let (mut processor, mut wall) = (Samples::default(), Samples::default());
    for _ in 0..bench.settings.rounds {
        baseline.extend(bare.commits(100, 200).await?);
        for _ in 0..ALONE {
            let (took, report) = time(attempt(bench, &module)).await?;
            outside.push_micros(took);
            inside.push_micros(Duration::from_micros(report.usage.duration_micros));
        }
        let spent = processor_micros()?;
        let watch = Stopwatch::start();
        try_join_all((0..AT_ONCE).map(|_| many(bench, &module))).await?;
        wall.push(micros(watch.elapsed()) / count(TOGETHER));
        processor.push((processor_micros()? - spent) / count(TOGETHER));
    }
    let rows = rows(&inside, &outside, &processor, &wall).into_iter();
    // The bare commit is one on whatever is measured first.
    Ok(rows.map(|row| row.beside(baseline.median())).collect())
}

fn rows(inside: &Samples, outside: &Samples, processor: &Samples, wall: &Samples) -> Vec<Row> {
    vec![
        Row::of("fresh store for a step, processor time", processor, "us")
            .within(Budget::AtMost(20.0))
            .note(format!(
                "instantiate, call, drop, on the guests' threads, as local steps run; {AT_ONCE} at once, so that no thread sleeps between them"
            )),
        Row::of("fresh store for a step, as the attempt records it", inside, "us")
            .within(Budget::AtMost(20.0))
            .note("instantiate and call by the wall clock, on the guest's thread; not the drop"),
        Row::of("fresh store for a step, as its caller sees it", outside, "us")
            .within(Budget::Known)
            .note("one at a time, with both hops between threads that sleep"),
        Row::of("fresh store for a step, wall clock per attempt", wall, "us")
            .within(Budget::Known)
            .note(format!("{AT_ONCE} at once on all cores")),
    ]
}

/// Attempts one after the other on the guests' threads, where an activation runs its local steps.
async fn many(bench: &Bench, module: &Module) -> Result<()> {
    let (bench, module) = (bench.clone(), module.clone());
    let threads = bench.ground.sandbox.guest_threads().clone();
    let attempts = threads.spawn(async move {
        for _ in 0..TOGETHER / AT_ONCE {
            attempt(&bench, &module).await?;
        }
        Ok(())
    });
    attempts.await?
}

async fn attempt(bench: &Bench, module: &Module) -> Result<StepReport> {
    let call = StepCall {
        execution: ExecutionId::from_bytes([7; 16]),
        run: Run(0),
        workflow: Name::new("chain")?,
        promise: Promise(0),
        step: Name::new("echo")?,
        input: Payload::from_checked("42"),
        attempt: 1,
        timeout: Duration::from_secs(30),
        deadline: bench.ground.clock.now() + Duration::from_secs(30),
        last_heartbeat: None,
        trace: stepwell::model::Trace::of(ExecutionId::from_bytes([7; 16]), None),
    };
    let report = bench.ground.sandbox.run_step(module, call, CancellationToken::new()).await;
    let is_echo = matches!(&report.ending, Ending::Returned(Ok(said)) if said.as_str() == "42");
    ensure!(is_echo, "the step has ended with {:?}", report.ending);
    Ok(report)
}
