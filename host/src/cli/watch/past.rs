//! What was counted over the last minutes: rates, and how long things took lately. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use super::exposition::{Counts, Histogram, Readings};

/// How far back rates are drawn.
pub(super) const DRAWN: Duration = Duration::from_secs(180);
/// Over how long latencies and the rates in figures are summed up.
pub(super) const SUMMED: Duration = Duration::from_secs(60);

/// Which counter is meant.
pub(super) type Which = fn(&Counts) -> f64;
/// Which histogram is meant.
pub(super) type Measured = fn(&Readings) -> &Histogram;

/// What one process counted, oldest first.
#[derive(Debug, Default)]
pub(super) struct Past {
    samples: VecDeque<(Duration, Readings)>,
}

impl Past {
    /// Takes in what was read at `now`. Another process counts from its own beginning.
    pub(super) fn take(&mut self, now: Duration, readings: Readings) {
        let is_same = |last: &Readings| {
            (last.process_started - readings.process_started).abs() < 1.0
                && last.counts.starts <= readings.counts.starts
                && last.counts.ends <= readings.counts.ends
        };
        if self.samples.back().is_some_and(|(_, last)| !is_same(last)) {
            self.samples.clear();
        }
        // One that is older than what is drawn is kept, because the first cell reaches to it.
        while self.samples.get(1).is_some_and(|(at, _)| now.saturating_sub(*at) > DRAWN) {
            self.samples.pop_front();
        }
        self.samples.push_back((now, readings));
    }

    /// What was read last.
    pub(super) fn last(&self) -> Option<&Readings> {
        self.samples.back().map(|(_, readings)| readings)
    }

    /// How many a second there were lately.
    pub(super) fn rate(&self, which: Which) -> Option<f64> {
        let (from, earlier) = self.lately()?;
        let (until, last) = self.samples.back()?;
        let span = until.saturating_sub(*from).as_secs_f64();
        (span > 0.0).then(|| (which(&last.counts) - which(&earlier.counts)) / span)
    }

    /// How long things took lately.
    pub(super) fn took(&self, measured: Measured) -> Histogram {
        match (self.lately(), self.last()) {
            (Some((_, earlier)), Some(last)) => measured(last).since(measured(earlier)),
            _ => Histogram::default(),
        }
    }

    /// The newest sample that is as old as what is summed up, or the first.
    fn lately(&self) -> Option<&(Duration, Readings)> {
        let (now, _) = self.samples.back()?;
        let is_old = |(at, _): &&(Duration, Readings)| now.saturating_sub(*at) >= SUMMED;
        self.samples.iter().rev().find(is_old).or(self.samples.front())
    }

    /// The rate in each of so many cells of equal length, the newest last. Cells begin at multiples of their length, so that a
    /// bar that was drawn once stays as it was.
    pub(super) fn rates(&self, which: Which, cells: usize) -> Vec<f64> {
        let count = u32::try_from(cells.max(1)).unwrap_or(u32::MAX);
        let cell = (DRAWN / count).max(Duration::from_millis(100));
        let Some((now, _)) = self.samples.back() else { return vec![0.0; cells] };
        let whole = now.as_nanos() / cell.as_nanos();
        let newest = cell * u32::try_from(whole).unwrap_or(u32::MAX);
        let edge = |cells_ago: u32| newest.saturating_sub(cell * cells_ago);
        let between = |ago: u32| {
            let (from, until) = (edge(ago), edge(ago - 1));
            (self.at(until, which) - self.at(from, which)).max(0.0) / cell.as_secs_f64()
        };
        (1..=count).rev().map(between).collect()
    }

    /// What a counter showed at a time, as if it grew evenly between two readings.
    fn at(&self, time: Duration, which: Which) -> f64 {
        let behind = self.samples.partition_point(|(at, _)| *at <= time);
        let value = |place: usize| self.samples.get(place).map(|(at, it)| (*at, which(&it.counts)));
        match (behind.checked_sub(1).and_then(value), value(behind)) {
            (Some((from, low)), Some((until, high))) => {
                let share = time.saturating_sub(from).as_secs_f64()
                    / until.saturating_sub(from).as_secs_f64();
                low + (high - low) * share
            }
            (Some((_, only)), None) | (None, Some((_, only))) => only,
            (None, None) => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(starts: f64, process_started: f64) -> Readings {
        let counts = Counts { starts, ..Counts::default() };
        Readings { process_started, counts, ..Readings::default() }
    }

    fn second(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    /// Five a second for 30 seconds, then none.
    fn past() -> Past {
        let mut past = Past::default();
        for at in 0_u32..60 {
            let count = f64::from(at.min(30) * 5);
            past.take(second(600 + u64::from(at)), starts(count, 1.0));
        }
        past
    }

    #[test]
    fn a_rate_is_what_came_by_the_time_it_took() {
        let rate = past().rate(|counts| counts.starts).unwrap();

        assert!((rate - 150.0 / 59.0).abs() < 1e-9, "{rate}");
        assert_eq!(Past::default().rate(|counts| counts.starts), None);
    }

    #[test]
    fn each_cell_has_the_rate_of_its_time() {
        let cells = past().rates(|counts| counts.starts, 18);

        // Ten seconds each; the newest ends at 650 s.
        assert_eq!(cells.len(), 18);
        let near = |cell: f64, expected: f64| (cell - expected).abs() < 1e-9;
        assert!(cells[..13].iter().all(|cell| near(*cell, 0.0)), "{cells:?}");
        assert!(cells[13..16].iter().all(|cell| near(*cell, 5.0)), "{cells:?}");
        assert!(cells[16..].iter().all(|cell| near(*cell, 0.0)), "{cells:?}");
    }

    #[test]
    fn a_host_that_was_started_again_counts_from_the_beginning() {
        let mut past = past();

        past.take(second(700), starts(2.0, 2.0));

        assert_eq!(past.rate(|counts| counts.starts), None);
        past.take(second(702), starts(6.0, 2.0));
        assert_eq!(past.rate(|counts| counts.starts), Some(2.0));
    }

    #[test]
    fn what_is_older_than_what_is_drawn_is_forgotten() {
        let mut past = past();

        for at in 660..1_000 {
            past.take(second(at), starts(150.0, 1.0));
        }

        assert!(past.samples.len() < 190, "{}", past.samples.len());
    }
}
