//! How many may begin in a time, and the meter that says when the next one may.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::Timestamp;

/// A text that is no rate.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is no rate; write how many a second, minute, hour or day, at most 100,000 a second, as in \"10/s\" or \"100/m\""
)]
pub struct BadRate(String);

/// So many starts in a second, a minute, an hour or a day, evenly spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    per: &'static (char, u64),
}

/// Letters of the units, and their seconds.
const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
/// The shortest time between two starts: a clock that counts microseconds tells no shorter ones well.
const INTERVAL_MIN: Duration = Duration::from_micros(10);
/// What was not used for so long may be made up for at once: any second stays near the rate.
const BURST_WORTH: Duration = Duration::from_millis(200);

impl Rate {
    /// The time from one start to the next.
    pub fn interval(self) -> Duration {
        Duration::from_secs(self.per.1) / self.count
    }

    /// How many may begin at once after a pause: 200 ms' worth, at least one.
    pub fn burst(self) -> i64 {
        let worth = BURST_WORTH.as_nanos() / self.interval().as_nanos().max(1);
        i64::try_from(worth).unwrap_or(i64::MAX).max(1)
    }
}

impl FromStr for Rate {
    type Err = BadRate;

    fn from_str(text: &str) -> Result<Self, BadRate> {
        let bad = || BadRate(text.to_owned());
        let (count, unit) = text.split_once('/').ok_or_else(bad)?;
        let per = UNITS.iter().find(|(letter, _)| unit.chars().eq([*letter])).ok_or_else(bad)?;
        let is_plain = count.bytes().all(|byte| byte.is_ascii_digit());
        let count = count.parse().map_err(|_too_large| bad())?;
        let rate = Self { count, per };
        (is_plain && count > 0 && rate.interval() >= INTERVAL_MIN).then_some(rate).ok_or_else(bad)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, self.per.0)
    }
}

/// What a rate leaves at a moment: the generic cell rate algorithm, in whole microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meter {
    /// The time from one token to the next.
    pub interval: i64,
    /// Tokens that may gather.
    pub burst: i64,
    /// When the next start would be due if all came evenly.
    pub tat: i64,
}

impl Meter {
    /// How many may begin at that moment.
    pub fn tokens(&self, now: Timestamp) -> i64 {
        let now = now.as_micros();
        let gathered = now.saturating_add(self.burst.saturating_mul(self.interval));
        (gathered.saturating_sub(self.tat.max(now)) / self.interval.max(1)).max(0)
    }

    /// Takes a token for each of these starts.
    pub fn spend(&mut self, starts: i64, now: Timestamp) {
        let from = self.tat.max(now.as_micros());
        self.tat = from.saturating_add(starts.saturating_mul(self.interval));
    }

    /// When there will be so many tokens; none for more than may ever gather.
    pub fn due(&self, tokens: i64) -> Option<Timestamp> {
        let missing = tokens.saturating_sub(self.burst);
        let due = self.tat.saturating_add(missing.saturating_mul(self.interval));
        (missing <= 0).then_some(Timestamp::from_micros(due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(text: &str) -> Meter {
        let rate: Rate = text.parse().unwrap();
        let interval = i64::try_from(rate.interval().as_micros()).unwrap();
        Meter { interval, burst: rate.burst(), tat: 0 }
    }

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn a_rate_is_a_number_and_a_unit() {
        for text in ["1/s", "50/s", "100000/s", "100/m", "10/h", "3/d"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        for text in ["", "10", "/s", "0/s", "-1/s", "+1/s", "10/w", "10/sec", "1.5/s", "100001/s"] {
            let refused = text.parse::<Rate>().unwrap_err().to_string();
            assert!(refused.contains("10/s"), "{text}");
        }
    }

    #[test]
    fn what_gathers_is_worth_200_ms_and_at_least_one() {
        assert_eq!(("50/s".parse::<Rate>().unwrap().burst(), meter("10/h").burst), (10, 1));
    }

    /// Whoever takes whatever there is, whenever he looks, begins as many as the rate says, and a burst at first.
    #[test]
    fn over_any_time_as_many_begin_as_the_rate_says() {
        for (text, every, expected) in
            [("50/s", 7_000, 1_000), ("50/s", 150_000, 1_000), ("600/m", 1, 200)]
        {
            let (mut meter, mut begun, mut now) = (meter(text), 0, 1_000_000);
            let burst = meter.burst;
            while now < 21_000_000 {
                let tokens = meter.tokens(at(now));
                meter.spend(tokens, at(now));
                begun += tokens;
                now += every;
            }
            assert!((expected - burst..=expected + burst).contains(&begun), "{text}: {begun}");
        }
    }

    #[test]
    fn no_pause_is_made_up_for_beyond_the_burst() {
        let mut meter = meter("50/s");
        meter.spend(10, at(1_000_000));

        assert_eq!(meter.tokens(at(1_000_000)), 0);
        assert_eq!(meter.tokens(at(1_020_000)), 1);
        assert_eq!(meter.tokens(at(90_000_000)), 10);
    }

    #[test]
    fn a_token_is_there_when_it_is_due_and_not_before() {
        let mut meter = meter("10/h");
        meter.spend(1, at(5));

        let due = meter.due(1).unwrap();

        assert_eq!(due, at(360_000_005));
        assert_eq!((meter.tokens(due), meter.tokens(at(due.as_micros() - 1))), (1, 0));
        assert_eq!(meter.due(2), None);
    }
}
