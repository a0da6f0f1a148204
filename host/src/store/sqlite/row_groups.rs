//! Statements over many rows: a text for each of a few sizes, made once, so that the driver finds them prepared.

use std::collections::HashMap;
use std::sync::Arc;

use crate::store::statements::{MANY, Statement};

/// How many rows one statement takes: the largest first. More would save little; two is what a step of a chain writes.
const SIZES: [usize; 5] = [64, 16, 4, 2, 1];

/// The texts, by the name of the statement.
#[derive(Debug)]
pub(super) struct RowGroups {
    texts: HashMap<&'static str, [Arc<str>; SIZES.len()]>,
}

impl RowGroups {
    /// Makes the texts of all statements over many rows.
    pub(super) fn new() -> Self {
        let texts = MANY.iter().map(|statement| {
            (statement.name, SIZES.map(|size| Arc::from(repeated(statement.sqlite, size))))
        });
        Self { texts: texts.collect() }
    }

    /// The largest size that needs no more than `rows` rows, and its text.
    pub(super) fn largest_within(&self, statement: &Statement, rows: usize) -> (usize, Arc<str>) {
        let texts = self.texts.get(statement.name).expect("a statement over many rows is in MANY");
        let place = SIZES.iter().position(|size| *size <= rows).expect("the smallest size is one");
        (SIZES[place], Arc::clone(&texts[place]))
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
    fn every_statement_over_many_rows_stays_within_the_variables_of_sqlite() {
        for statement in MANY {
            let (size, text) = RowGroups::new().largest_within(statement, 1_000);

            assert_eq!(size, 64);
            assert!(text.matches('?').count() <= 32_766, "{}", statement.name);
        }
    }
}
