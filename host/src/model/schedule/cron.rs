//! Cron expressions: read with the place of what is wrong, and matched against a calendar without any zone.

use std::fmt;

use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;

/// A cron expression of five fields, or of six where seconds come first.
#[derive(Clone)]
pub struct Cron {
    text: String,
    pattern: croner::Cron,
    is_fixed: bool,
}

/// A text that is no cron expression.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadCron {
    /// One field holds what it may not.
    #[error(
        "cron field {field} ({name}) is {given}, must be {allowed}, or a list, range or step of such ({why})"
    )]
    Field {
        /// Which, from 1.
        field: usize,
        /// What it is called.
        name: &'static str,
        /// What was given.
        given: String,
        /// What it may hold.
        allowed: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// There are too few or too many.
    #[error(
        "the cron expression has {given} fields, it must have 5 (minute hour day-of-month month day-of-week) or 6 (second before them)"
    )]
    Fields {
        /// How many there are.
        given: usize,
    },
    /// It begins with `@` and nobody knows it.
    #[error(
        "{0:?} is no cron expression: known are @yearly, @annually, @monthly, @weekly, @daily, @midnight and @hourly"
    )]
    Nickname(String),
    /// It is longer than any sensible one.
    #[error("the cron expression has {0} bytes, at most {max} are allowed (cron_bytes_max)", max = Cron::BYTES_MAX)]
    Long(usize),
    /// There is no such day.
    #[error("the cron expression {0:?} names no day that ever comes")]
    Never(String),
}

struct Field {
    name: &'static str,
    allowed: &'static str,
    /// Beyond digits and `* , - /`.
    letters: Letters,
}

/// Which letters a field may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Letters {
    None,
    Days,
    Months,
    Weekdays,
}

const FIELDS: [Field; 6] = [
    Field { name: "second", allowed: "0-59", letters: Letters::None },
    Field { name: "minute", allowed: "0-59", letters: Letters::None },
    Field { name: "hour", allowed: "0-23", letters: Letters::None },
    Field { name: "day of month", allowed: "1-31, L, LW or 15W", letters: Letters::Days },
    Field { name: "month", allowed: "1-12 or JAN-DEC", letters: Letters::Months },
    Field {
        name: "day of week",
        allowed: "0-7 or SUN-SAT, FRI#2 or FRI#L",
        letters: Letters::Weekdays,
    },
];

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// From where it is looked for a day that ever comes.
const LONG_AGO: DateTime = jiff::civil::datetime(2000, 1, 1, 0, 0, 0, 0);

impl Cron {
    /// The longest expression, in bytes.
    pub const BYTES_MAX: usize = 256;

    /// Reads an expression, or one of the names such as `@hourly`.
    pub fn read(text: &str) -> Result<Self, BadCron> {
        if text.len() > Self::BYTES_MAX {
            return Err(BadCron::Long(text.len()));
        }
        let spelled = spell_out(text.trim())?;
        let given: Vec<&str> = spelled.split_whitespace().collect();
        let fields = match given.len() {
            5 => &FIELDS[1..],
            6 => &FIELDS[..],
            given => return Err(BadCron::Fields { given }),
        };
        for (place, field) in fields.iter().enumerate() {
            check_field(&given, (place, field))?;
        }
        let pattern = parser().parse(&spelled).map_err(|error| BadCron::Field {
            field: 1,
            name: fields[0].name,
            given: spelled.clone(),
            allowed: fields[0].allowed,
            why: error.to_string(),
        })?;
        let times = &given[..given.len() - 3];
        let is_fixed = !times.iter().any(|field| field.contains(['*', '/']));
        let cron = Self { text: text.trim().to_owned(), pattern, is_fixed };
        match cron.next_from(LONG_AGO) {
            Some(_comes) => Ok(cron),
            None => Err(BadCron::Never(cron.text)),
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether its seconds, minutes and hours are named one by one: neither `*` nor a step is among them.
    pub fn is_fixed(&self) -> bool {
        self.is_fixed
    }

    /// The first time on the wall clock from this one on, itself included.
    pub(super) fn next_from(&self, wall: DateTime) -> Option<DateTime> {
        let whole = wall.with().subsec_nanosecond(0).build().ok()?;
        let from = if whole < wall {
            whole.checked_add(jiff::Span::new().seconds(1)).ok()?
        } else {
            whole
        };
        self.pattern.find_next_occurrence(&from, true).ok()
    }
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

fn parser() -> CronParser {
    CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build()
}

fn spell_out(text: &str) -> Result<String, BadCron> {
    if !text.starts_with('@') {
        return Ok(text.to_ascii_uppercase());
    }
    let fields = match text.to_ascii_lowercase().as_str() {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * SUN",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _unknown => return Err(BadCron::Nickname(text.to_owned())),
    };
    Ok(fields.to_owned())
}

/// Checks one field by itself, so that what is wrong is found in its place.
fn check_field(given: &[&str], (place, field): (usize, &Field)) -> Result<(), BadCron> {
    let bad = |why: String| BadCron::Field {
        field: place + 1,
        name: field.name,
        given: given[place].to_owned(),
        allowed: field.allowed,
        why,
    };
    if let Some(word) = words(given[place]).find(|word| !field.letters.allow(word)) {
        return Err(bad(format!("{word} is not known here")));
    }
    if given[place].split(',').any(str::is_empty) {
        return Err(bad("a part of the list is missing".to_owned()));
    }
    let mut alone = vec!["*"; given.len()];
    alone[place] = given[place];
    match parser().parse(&alone.join(" ")) {
        Ok(_pattern) => Ok(()),
        Err(error) => Err(bad(plain(&error.to_string()))),
    }
}

/// What the parser says, without the name of its own parts.
fn plain(said: &str) -> String {
    let said = said.rsplit_once("error: ").map_or(said, |(_part, what)| what);
    let mut said = said.trim_end_matches('.').to_owned();
    if let Some(first) = said.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    said
}

fn words(field: &str) -> impl Iterator<Item = &str> {
    field.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty())
}

impl Letters {
    fn allow(self, word: &str) -> bool {
        match self {
            Self::None => false,
            Self::Days => matches!(word, "L" | "W" | "LW"),
            Self::Months => MONTHS.contains(&word),
            Self::Weekdays => word == "L" || WEEKDAYS.contains(&word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(text: &str) -> String {
        Cron::read(text).unwrap_err().to_string()
    }

    fn next(text: &str, from: &str) -> String {
        Cron::read(text).unwrap().next_from(from.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, told_first) in [
            ("0 25 * * *", "cron field 2 (hour) is 25, must be 0-23"),
            ("60 * * * *", "cron field 1 (minute) is 60, must be 0-59"),
            ("0 0 0 32 * *", "cron field 4 (day of month) is 32, must be 1-31"),
            ("0 0 * 13 *", "cron field 4 (month) is 13, must be 1-12 or JAN-DEC"),
            ("0 0 * MON *", "cron field 4 (month) is MON, must be 1-12 or JAN-DEC"),
            ("0 0 * * 8", "cron field 5 (day of week) is 8, must be 0-7 or SUN-SAT"),
            ("x 0 * * *", "cron field 1 (minute) is X, must be 0-59"),
            ("*/0 * * * *", "cron field 1 (minute) is */0, must be 0-59"),
            ("5-1 * * * *", "cron field 1 (minute) is 5-1, must be 0-59"),
            ("1, * * * *", "cron field 1 (minute) is 1,, must be 0-59"),
        ] {
            assert!(told(text).starts_with(told_first), "{text}: {}", told(text));
        }
        assert!(told("* * * *").contains("has 4 fields"));
        assert!(told("* * * * * * *").contains("has 7 fields"));
        assert!(told("").contains("has 0 fields"));
        assert!(told("@often").contains("@hourly"));
        assert!(told("0 0 30 2 *").contains("no day that ever comes"));
        assert!(told(&"1,".repeat(200)).contains("cron_bytes_max"));
    }

    #[test]
    fn names_and_nicknames_are_read() {
        let from = "2026-01-01T00:00:01";

        assert_eq!(next("0 9 * jun mon-fri", from), "2026-06-01T09:00:00");
        assert_eq!(next("@hourly", from), "2026-01-01T01:00:00");
        assert_eq!(next("@Midnight", from), "2026-01-02T00:00:00");
        assert_eq!(next("@weekly", from), "2026-01-04T00:00:00");
        assert_eq!(next("@yearly", from), "2027-01-01T00:00:00");
        assert_eq!(next("*/20 * * * * *", from), "2026-01-01T00:00:20");
        assert_eq!(next("0 0 * * 7", from), "2026-01-04T00:00:00");
    }

    #[test]
    fn last_days_and_leap_days_come() {
        assert_eq!(next("0 0 L * *", "2028-02-01T00:00:00"), "2028-02-29T00:00:00");
        assert_eq!(next("0 0 29 2 *", "2026-01-01T00:00:00"), "2028-02-29T00:00:00");
        assert_eq!(next("0 0 29 2 *", "2096-03-01T00:00:00"), "2104-02-29T00:00:00");
        assert_eq!(next("0 0 * * FRI#L", "2026-01-01T00:00:00"), "2026-01-30T00:00:00");
        assert_eq!(next("0 0 * * FRI#2", "2026-01-01T00:00:00"), "2026-01-09T00:00:00");
        assert_eq!(next("0 0 15W * *", "2026-02-01T00:00:00"), "2026-02-16T00:00:00");
        assert_eq!(next("0 0 31 * *", "2026-04-01T00:00:00"), "2026-05-31T00:00:00");
    }

    #[test]
    fn a_day_of_the_month_and_one_of_the_week_are_each_enough() {
        assert_eq!(next("0 0 13 * FRI", "2026-01-01T00:00:01"), "2026-01-02T00:00:00");
        assert_eq!(next("0 0 13 * +FRI", "2026-01-01T00:00:01"), "2026-02-13T00:00:00");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[0-9*/,\\-LW#?A-Z@ ]{0,40}") {
            let read = Cron::read(&text);
            prop_assert!(read.is_ok() || !read.unwrap_err().to_string().is_empty());
        }
    }
}
