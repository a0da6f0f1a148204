//! Statements over many rows: a text for each number of rows, made once, so that the driver finds them prepared.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::store::statements::{MANY, Statement};

/// Up to here each number of rows has its own text; beyond, only its multiples have.
const FINE_MAX: usize = 64;
/// The most rows of one statement are so many times that: more would save little.
const COARSE_MAX: usize = 4;

/// The texts, by the name of the statement.
#[derive(Debug)]
pub(super) struct RowGroups {
    texts: HashMap<&'static str, [OnceLock<Arc<str>>; FINE_MAX + COARSE_MAX]>,
}

impl RowGroups {
    pub(super) fn new() -> Self {
        let none = || [const { OnceLock::new() }; FINE_MAX + COARSE_MAX];
        Self { texts: MANY.iter().map(|statement| (statement.name, none())).collect() }
    }

    /// The largest size that needs no more than `rows` rows, and its text. A statement over one row is as its file has it.
    pub(super) fn largest_within(&self, statement: &Statement, rows: usize) -> (usize, Arc<str>) {
        let Some(texts) = self.texts.get(statement.name) else {
            return (1, Arc::from(statement.sqlite));
        };
        let (size, place) = match rows / FINE_MAX {
            0 => (rows, rows),
            times => {
                let times = times.min(COARSE_MAX);
                (times * FINE_MAX, FINE_MAX - 1 + times)
            }
        };
        let text = texts[place].get_or_init(|| repeated(statement.sqlite, size).into());
        (size, Arc::clone(text))
    }
}

/// Repeats the one group of placeholders of a statement.
fn repeated(text: &str, size: usize) -> String {
    let start = text.find("(?").expect("a statement over many rows has a group of placeholders");
    let length = text[start..].find(')').expect("a group of placeholders ends") + 1;
    let (before, rest) = text.split_at(start);
    let (group, after) = rest.split_at(length);
    format!("{before}{}{after}", vec![group; size].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_of_placeholders_is_repeated_and_nothing_else() {
        let text = "insert into t (a, b)\nvalues (?, ?)\nreturning a";

        assert_eq!(repeated(text, 2), "insert into t (a, b)\nvalues (?, ?), (?, ?)\nreturning a");
    }

    #[test]
    fn any_number_of_rows_is_taken_in_few_statements() {
        let groups = RowGroups::new();
        let sizes = [(1, 1), (2, 2), (63, 63), (64, 64), (127, 64), (128, 128), (1_000, 256)];

        for (rows, taken) in sizes {
            let (size, text) = groups.largest_within(MANY[0], rows);

            assert_eq!((size, text.matches("(?").count()), (taken, taken));
        }
    }

    #[test]
    fn every_statement_over_many_rows_stays_within_the_variables_of_sqlite() {
        for statement in MANY {
            let (_size, text) = RowGroups::new().largest_within(statement, 1_000);

            assert!(text.matches('?').count() <= 32_766, "{}", statement.name);
        }
    }
}
