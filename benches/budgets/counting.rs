//! What it costs to count while chains go on: by the clock around each call, and by what everything takes when it is counted often.

use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::time::{ClockId, clock_gettime};
use stepwell::telemetry;
use tokio_util::sync::CancellationToken;

use crate::Bench;
use crate::chain;
use crate::database::Database;
use crate::house::House;
use crate::report::{Budget, Row};
use crate::stopwatch::{Samples, count, micros};
use crate::switch::{self, Switch};

/// Executions at once, and the steps of each.
const CROWD: usize = 128;
const CROWD_STEPS: usize = 100;

/// How long it stays switched. Much of what other processes and the disk do changes more slowly, and so is the same for both; and
/// much shorter it may not be: executions go in step, by the commit, and a window cuts a commit at each of its ends.
const WINDOW: Duration = Duration::from_millis(200);
/// So many windows count for a second, and then what is counted is read.
const READ_EVERY: u32 = 5;

/// How often everything is counted where the difference is looked at: what it costs once is less than the noise.
const MUCH: u32 = 10;

pub(crate) async fn measure(bench: &Bench, database: Database) -> Result<Vec<Row>> {
    let limits = bench.ground.limits();
    let house = House::build(&bench.ground, database, "counting", &limits).await?;
    chain::run(&house, CROWD, CROWD_STEPS).await?;
    let turns = bench.settings.counting_turns;
    let enough = CancellationToken::new();
    let working = async {
        while !enough.is_cancelled() {
            chain::run(&house, CROWD, CROWD_STEPS).await?;
        }
        anyhow::Ok(())
    };
    let looking = async {
        let much = Turns::take(turns, MUCH).await?;
        let timed = Timed::take(turns).await?;
        enough.cancel();
        anyhow::Ok((much, timed))
    };
    let ((much, timed), ()) = futures::future::try_join(looking, working).await?;
    house.all_completed().await?;
    house.close().await;
    let base = much.without.median();
    let rows = vec![
        Row::of("cost of counting, processor time per step", &much.without, "us")
            .at(base + timed.counting + timed.reading)
            .beside(base)
            .within(Budget::RatioAtMost(1.02))
            .note(timed.told()),
        Row::of("the same, from counting everything ten times", &much.with, "us")
            .at(base * (1.0 + (much.ratios.median() - 1.0) / f64::from(MUCH)) + timed.reading)
            .beside(base)
            .within(Budget::RatioAtMost(1.02))
            .note(much.told()),
    ];
    Ok(rows.into_iter().map(|row| row.on(database.name())).collect())
}

/// What counting takes by the clock, in microseconds a step.
struct Timed {
    /// To have everything counted,
    counting: f64,
    /// and to read it once a second.
    reading: f64,
    /// What is counted in a step, one by one.
    calls: f64,
}

impl Timed {
    /// Looks at each call for so many windows.
    async fn take(windows: u32) -> Result<Self> {
        let (mut reading, mut steps) = (0.0, 0.0);
        let switch = Switch::timed();
        switch::looked_at();
        for window in 1..=windows {
            let before = switch::steps();
            tokio::time::sleep(WINDOW).await;
            steps += count(switch::steps() - before);
            if window % READ_EVERY == 0 {
                let began = time_of(ClockId::ThreadCPUTime)?;
                drop(telemetry::metrics()?.text());
                reading += time_of(ClockId::ThreadCPUTime)? - began;
            }
        }
        let (calls, took) = switch::looked_at();
        drop(switch);
        ensure!(steps > 0.0, "no step ended");
        Ok(Self {
            counting: micros(took) / steps,
            reading: reading / steps,
            calls: count(calls) / steps,
        })
    }

    fn told(&self) -> String {
        format!(
            "by the clock: {:.1} calls a step of {:.0} ns, {:.2} us together, and {:.2} us for reading once a second",
            self.calls,
            self.counting / self.calls * 1e3,
            self.counting,
            self.reading
        )
    }
}

/// Microseconds a step, and for each turn what those with counting are to those without.
#[derive(Default)]
struct Turns {
    with: Samples,
    without: Samples,
    ratios: Samples,
}

impl Turns {
    /// Counts everything so many times, and not at all, in turns.
    async fn take(turns: u32, times: u32) -> Result<Self> {
        let mut taken = Self::default();
        for _ in 0..turns {
            // What changes steadily, as a file that grows, is the same for both in this order.
            let first = Window::of(times).await?;
            let between = Window::of(0).await?.and(&Window::of(0).await?).micros_a_step()?;
            let around = first.and(&Window::of(times).await?).micros_a_step()?;
            taken.ratios.push(around / between);
            taken.with.push(around);
            taken.without.push(between);
        }
        Ok(taken)
    }

    fn told(&self) -> String {
        let turns = &self.ratios;
        let (low, high) = (turns.quantile(0.25), turns.quantile(0.75));
        // Of the median, where turns are spread normally, of which a quarter lies beyond 0.67 standard deviations on each side.
        let error = 1.25 * (high - low) / 1.35 / count(turns.len()).sqrt();
        format!(
            "a tenth of it, and reading once a second: {:.3}, good to {error:.3}, the median of {} turns with, without, without, with, {} ms each; half of them between {low:.3} and {high:.3}",
            turns.median(),
            turns.len(),
            WINDOW.as_millis(),
        )
    }
}

/// What was spent while it was switched, and the steps that came to their end.
struct Window {
    micros: f64,
    steps: f64,
}

impl Window {
    /// With everything counted so many times.
    async fn of(times: u32) -> Result<Self> {
        let switch = Switch::to(times);
        let (spent, steps) = (time_of(ClockId::ProcessCPUTime)?, switch::steps());
        tokio::time::sleep(WINDOW).await;
        let spent = time_of(ClockId::ProcessCPUTime)? - spent;
        let steps = switch::steps() - steps;
        drop(switch);
        Ok(Self { micros: spent, steps: count(steps) })
    }

    fn and(&self, other: &Self) -> Self {
        Self { micros: self.micros + other.micros, steps: self.steps + other.steps }
    }

    fn micros_a_step(&self) -> Result<f64> {
        ensure!(self.steps > 0.0, "no step ended within {} ms", 2 * WINDOW.as_millis());
        Ok(self.micros / self.steps)
    }
}

/// The time that the processor has spent on this process or thread, as exactly as the system knows, in microseconds.
fn time_of(clock: ClockId) -> Result<f64> {
    Ok(micros(clock_gettime(clock).try_into()?))
}
