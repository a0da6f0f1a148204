//! Statements over many rows: a text for each of a few sizes, made once, so that the driver finds them prepared.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::store::statements::{MANY, Statement};

/// How many rows one statement takes: the largest first. Any number up to 64 takes two or three statements; more sizes would
/// cost memory, as each prepared one holds a kilobyte for a row.
const SIZES: [usize; 15] = [256, 128, 64, 48, 32, 24, 16, 8, 7, 6, 5, 4, 3, 2, 1];

/// The texts, by the name of the statement.
#[derive(Debug)]
pub(super) struct RowGroups {
    texts: HashMap<&'static str, [OnceLock<Arc<str>>; SIZES.len()]>,
}

impl RowGroups {
    pub(super) fn new() -> Self {
        let none = || [const { OnceLock::new() }; SIZES.len()];
        Self { texts: MANY.iter().map(|statement| (statement.name, none())).collect() }
    }

    /// The largest size that needs no more than `rows` rows, and its text. A statement over one row is as its file has it.
    pub(super) fn largest_within(&self, statement: &Statement, rows: usize) -> (usize, Arc<str>) {
        let Some(texts) = self.texts.get(statement.name) else {
            return (1, Arc::from(statement.sqlite));
        };
        let place = SIZES.iter().position(|size| *size <= rows).expect("the smallest size is one");
        let text = texts[place].get_or_init(|| repeated(statement.sqlite, SIZES[place]).into());
        (SIZES[place], Arc::clone(text))
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
        let sizes =
            [(1, 1), (2, 2), (8, 8), (63, 48), (64, 64), (127, 64), (128, 128), (1_000, 256)];

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
