//! How long what has ended is kept.

use std::str::FromStr;
use std::time::Duration;

use super::{ExecutionState, parse_duration};

/// How long what has ended is kept, and how often somebody looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// How often each host looks for what is old.
    pub cleanup_interval: Duration,
    /// Executions, from their end on.
    pub executions: Period,
    /// The same for one state.
    pub by_state: Vec<StatePeriod>,
    /// Dead letters; they go with their execution as well.
    pub dead_letters: Period,
    /// Lines of logs; they go with their execution as well.
    pub logs: Period,
    /// Entries of the audit log.
    pub audit: Period,
}

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Until somebody removes it by hand.
    Forever,
    /// So long.
    For(Duration),
}

/// How long executions are kept that ended in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatePeriod {
    /// A terminal state.
    pub state: ExecutionState,
    /// How long.
    pub period: Period,
}

/// A week.
const WEEK: Duration = Duration::from_hours(7 * 24);
/// Ninety days.
const QUARTER: Duration = Duration::from_hours(90 * 24);

impl Default for Retention {
    fn default() -> Self {
        Self {
            cleanup_interval: Duration::from_hours(1),
            executions: Period::For(WEEK),
            by_state: Vec::new(),
            dead_letters: Period::For(WEEK),
            logs: Period::Forever,
            audit: Period::For(QUARTER),
        }
    }
}

impl Retention {
    /// How long executions are kept that ended in that state. Of several that were given for it, the last counts.
    pub fn of(&self, state: ExecutionState) -> Period {
        let given = self.by_state.iter().rev().find(|given| given.state == state);
        given.map_or(self.executions, |given| given.period)
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if matches!(text, "never" | "0") {
            return Ok(Self::Forever);
        }
        parse_duration(text).map(Self::For).map_err(|bad| {
            format!("{bad}; write a duration such as 7d, or never to remove nothing")
        })
    }
}

impl FromStr for StatePeriod {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (state, period) = text.split_once('=').ok_or_else(|| {
            format!("{text:?} is no state and period: write for example failed=30d")
        })?;
        let state: ExecutionState = state.parse().map_err(|bad| format!("{bad}"))?;
        if !state.is_terminal() {
            return Err(format!("{state} is no end: only what has ended is removed"));
        }
        Ok(Self { state, period: period.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_its_own_period_where_one_is_given() {
        let mut retention = Retention::default();
        retention.by_state.push("failed=30d".parse().unwrap());
        retention.by_state.push("cancelled=never".parse().unwrap());

        let days = |days: u64| Period::For(Duration::from_hours(24 * days));
        assert_eq!(retention.of(ExecutionState::Completed), days(7));
        assert_eq!(retention.of(ExecutionState::Failed), days(30));
        assert_eq!(retention.of(ExecutionState::Cancelled), Period::Forever);
    }

    #[test]
    fn what_is_no_period_is_refused_with_the_way_out() {
        let told = |text: &str| text.parse::<StatePeriod>().unwrap_err();

        assert!(told("failed").contains("failed=30d"));
        assert!(told("waiting=1d").contains("is no end"));
        assert!(told("failed=x").contains("never"));
        assert_eq!("0".parse::<Period>(), Ok(Period::Forever));
    }
}
