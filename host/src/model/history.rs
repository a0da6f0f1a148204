//! What one host did in the last quarter of an hour, a few seconds at a time. Kept in memory, for people who look.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{ExecutionState, Stopwatch};

/// How many parts are kept.
const PARTS_MAX: usize = 180;
/// How long a part lasts.
const PART_SECONDS: u32 = 5;
/// Two for each power of two of microseconds: the longest stands for twelve days and all beyond.
const SPANS: usize = 80;

/// What happened in one part.
#[derive(Debug, Clone)]
pub struct Part {
    /// Executions that were begun.
    pub started: u64,
    /// Executions that completed.
    pub completed: u64,
    /// Executions that failed or timed out.
    pub failed: u64,
    /// Executions that were cancelled.
    pub cancelled: u64,
    /// Attempts of steps that brought a result.
    pub steps: u64,
    /// Attempts of steps that failed, tried again or not.
    pub step_failures: u64,
    spans: [u32; SPANS],
}

impl Default for Part {
    fn default() -> Self {
        Self {
            started: 0,
            completed: 0,
            failed: 0,
            cancelled: 0,
            steps: 0,
            step_failures: 0,
            spans: [0; SPANS],
        }
    }
}

impl Part {
    /// The span from an execution's acceptance to its end that so many of a hundred do not exceed, to half a power of two.
    pub fn span_of(&self, percent: u32) -> Option<Duration> {
        let total: u64 = self.spans.iter().copied().map(u64::from).sum();
        let wanted = (total * u64::from(percent)).div_ceil(100);
        let mut seen = 0;
        for (place, count) in self.spans.iter().enumerate() {
            seen += u64::from(*count);
            if total > 0 && seen >= wanted {
                return Some(upper_end(place));
            }
        }
        None
    }
}

fn place_of(span: Duration) -> usize {
    let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX).max(1);
    let power = micros.ilog2();
    let half = if power == 0 { 0 } else { (micros >> (power - 1)) & 1 };
    let place = u64::from(power) * 2 + half;
    usize::try_from(place).unwrap_or(SPANS).min(SPANS - 1)
}

fn upper_end(place: usize) -> Duration {
    let power = place / 2;
    let begin = 1_u64 << power;
    Duration::from_micros(if place.is_multiple_of(2) { (begin * 3).div_ceil(2) } else { begin * 2 })
}

/// The last parts, the one that is not over yet included.
#[derive(Debug)]
pub struct History {
    since: Stopwatch,
    parts: Mutex<Parts>,
}

#[derive(Debug, Default)]
struct Parts {
    /// How many there were before the last one.
    last: u64,
    kept: VecDeque<Part>,
}

impl Default for History {
    fn default() -> Self {
        Self { since: Stopwatch::start(), parts: Mutex::default() }
    }
}

impl History {
    /// How long a part lasts.
    pub const PART: Duration = Duration::from_secs(PART_SECONDS as u64);

    /// An execution was begun.
    pub fn began(&self) {
        self.write(|part| part.started += 1);
    }

    /// An execution has ended so long after it was accepted.
    pub fn ended(&self, state: ExecutionState, after: Duration) {
        self.write(|part| {
            match state {
                ExecutionState::Completed => part.completed += 1,
                ExecutionState::Failed | ExecutionState::TimedOut => part.failed += 1,
                ExecutionState::Cancelled => part.cancelled += 1,
                ExecutionState::Pending
                | ExecutionState::Running
                | ExecutionState::Waiting
                | ExecutionState::Cancelling
                | ExecutionState::Blocked => {}
            }
            let count = &mut part.spans[place_of(after)];
            *count = count.saturating_add(1);
        });
    }

    /// An attempt of a step brought a result.
    pub fn stepped(&self) {
        self.write(|part| part.steps += 1);
    }

    /// An attempt of a step failed.
    pub fn step_failed(&self) {
        self.write(|part| part.step_failures += 1);
    }

    /// The parts, oldest first, always as many.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.go_on_to(self.number());
        let missing = PARTS_MAX - parts.kept.len();
        let none = std::iter::repeat_with(Part::default).take(missing);
        none.chain(parts.kept.iter().cloned()).collect()
    }

    fn write(&self, change: impl FnOnce(&mut Part)) {
        let number = self.number();
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.go_on_to(number);
        if let Some(part) = parts.kept.back_mut() {
            change(part);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number of parts that have passed"
    )]
    fn number(&self) -> u64 {
        (self.since.seconds() / f64::from(PART_SECONDS)) as u64
    }
}

impl Parts {
    /// Adds what is missing up to that part, and forgets what is too old.
    fn go_on_to(&mut self, number: u64) {
        if self.kept.is_empty() {
            self.last = number;
            self.kept.push_back(Part::default());
        }
        let missing = number.saturating_sub(self.last).min(PARTS_MAX as u64);
        self.last = self.last.max(number);
        for _ in 0..missing {
            self.kept.push_back(Part::default());
        }
        while self.kept.len() > PARTS_MAX {
            self.kept.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_to_half_a_power_of_two() {
        for micros in [1_u64, 2, 3, 5, 100, 1_000, 12_345, 999_999_999] {
            let span = Duration::from_micros(micros);
            let told = upper_end(place_of(span));
            assert!(told > span && told <= span * 2, "{span:?} is told as {told:?}");
        }
    }

    #[test]
    fn what_ended_is_in_the_last_part_with_its_spans() {
        let history = History::default();
        for millis in 1..=100 {
            history.ended(ExecutionState::Completed, Duration::from_millis(millis));
        }
        history.ended(ExecutionState::TimedOut, Duration::from_secs(3_600));

        let parts = history.parts();

        assert_eq!(parts.len(), PARTS_MAX);
        let last = parts.iter().rev().find(|part| part.completed > 0).unwrap();
        assert_eq!((last.completed, last.failed), (100, 1));
        assert!(last.span_of(50).unwrap() >= Duration::from_millis(50));
        assert!(last.span_of(50).unwrap() <= Duration::from_millis(100));
        assert!(last.span_of(100).unwrap() > Duration::from_secs(3_600));
        assert_eq!(Part::default().span_of(50), None);
    }

    #[test]
    fn no_more_parts_are_kept_than_a_quarter_of_an_hour_has() {
        let mut parts = Parts::default();
        parts.go_on_to(3);
        parts.kept[0].steps = 7;

        parts.go_on_to(3 + PARTS_MAX as u64 - 1);
        assert_eq!((parts.kept.len(), parts.kept[0].steps), (PARTS_MAX, 7));
        parts.go_on_to(1_000_000);

        assert_eq!((parts.kept.len(), parts.kept[0].steps), (PARTS_MAX, 0));
    }
}
