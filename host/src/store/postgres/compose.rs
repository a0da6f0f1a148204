//! Statements that go to the server as one: all but the last as parts of a `with`.
//!
//! The parts of one statement see the same moment of the database and not each other, so they must write to different
//! tables, and only the last may be asked for what it has found.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgArguments;

use super::{Asked, bind};
use crate::store::dialect::{Fault, Script};
use crate::store::statements::{Statement, Takes};
use crate::store::value::Rows;

/// A stretch of a script that goes together: statements, and the place of each in the script.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) statements: Script,
    places: Vec<usize>,
}

/// Cuts a script where two statements write to one table, after each that is asked for what it has found, and at whatever
/// is given its values one by one. Statements over no rows are left out.
pub(super) fn pieces(script: Script) -> Vec<Piece> {
    let (mut pieces, mut piece) = (Vec::new(), Piece::default());
    let all = script.into_iter().enumerate();
    for (place, (statement, rows)) in all.filter(|(_, (_, rows))| !rows.is_empty()) {
        if !piece.takes(statement) {
            pieces.push(std::mem::take(&mut piece));
        }
        piece.statements.push((statement, rows));
        piece.places.push(place);
    }
    pieces.push(piece);
    pieces.retain(|piece| !piece.statements.is_empty());
    pieces
}

impl Piece {
    /// Where the last of them, which alone says what it has found, stands in the script.
    pub(super) fn last_place(&self) -> usize {
        self.places.last().copied().unwrap_or_default()
    }

    fn takes(&self, next: &Statement) -> bool {
        let is_asked =
            |statement: &Statement| body(statement).any(|line| line.starts_with("returning"));
        let goes_on = |(statement, _): &(&'static Statement, Rows)| {
            statement.takes == Takes::Rows
                && !is_asked(statement)
                && table(statement).is_some_and(|mine| table(next) != Some(mine))
        };
        self.statements.is_empty()
            || (next.takes == Takes::Rows
                && table(next).is_some()
                && self.statements.iter().all(goes_on))
    }
}

fn body(statement: &Statement) -> impl Iterator<Item = &'static str> {
    statement.postgres.lines().filter(|line| !line.starts_with("--"))
}

/// The table that a statement writes to; none for one that reads.
fn table(statement: &Statement) -> Option<&'static str> {
    let first = body(statement).next()?;
    let written = ["insert into ", "delete from ", "update "];
    let rest = written.iter().find_map(|verb| first.strip_prefix(verb))?;
    rest.split_whitespace().next()
}

/// The texts that were put together, each once: the driver then finds them prepared.
#[derive(Debug, Default)]
pub(super) struct Composer {
    texts: Mutex<HashMap<Vec<&'static str>, Arc<str>>>,
}

impl Composer {
    /// One statement of all these, the last of which says what it has found.
    pub(super) fn compose(
        &self,
        parts: Script,
        last: (&'static Statement, Rows),
    ) -> Result<(Arc<str>, PgArguments), Fault> {
        let names = parts.iter().map(|(part, _)| part.name).chain([last.0.name]).collect();
        let mut arguments = PgArguments::default();
        let mut widths = Vec::with_capacity(parts.len() + 1);
        for (part, rows) in parts {
            widths.push((part, rows.width()));
            bind::columns(&mut arguments, rows)?;
        }
        widths.push((last.0, last.1.width()));
        match last.0.takes {
            Takes::Rows => bind::columns(&mut arguments, last.1)?,
            Takes::Values => bind::add_values(&mut arguments, last.1.into_values())?,
        }
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let text = texts.entry(names).or_insert_with(|| join(&widths).into());
        Ok((Arc::clone(text), arguments))
    }
}

/// A statement whose text was put together of the files of statements, and of nothing else.
pub(super) fn query(text: Arc<str>, arguments: PgArguments) -> Asked<'static> {
    sqlx::query_with(AssertSqlSafe(text), arguments)
}

/// The parts, each of which numbers its values from 1, as one statement that numbers all of them.
fn join(parts: &[(&'static Statement, usize)]) -> String {
    let mut text = String::new();
    let mut before = 0;
    for (place, (statement, width)) in parts.iter().enumerate() {
        let is_last = place + 1 == parts.len();
        match (place, is_last) {
            (_, true) => text.push('\n'),
            (0, false) => text.push_str("with part_0 as ("),
            (_, false) => write!(text, ", part_{place} as (").expect("memory takes it"),
        }
        for line in body(statement) {
            text.push_str(&renumbered(line, before));
            text.push('\n');
        }
        if !is_last {
            text.push(')');
        }
        before += width;
    }
    text
}

/// A line whose `$n` come after those of the parts before.
fn renumbered(line: &str, before: usize) -> String {
    let mut pieces = line.split('$');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
        let (number, rest) = piece.split_at(digits);
        let number: usize = number.parse().expect("a dollar sign stands before a number only");
        write!(text, "${}{rest}", number + before).expect("memory takes it");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::statements::{
        ADMIT, APPEND_JOURNAL, CLEAR_TASKS, FENCE_OR_FAIL, INSERT_LOGS, INSERT_TASKS, MANY,
    };
    use crate::store::value::values;

    fn rows() -> Rows {
        [values![1_i64]].into_iter().collect()
    }

    fn cut(script: Script) -> Vec<(usize, Vec<&'static str>)> {
        let names = |piece: &Piece| piece.statements.iter().map(|(one, _)| one.name).collect();
        pieces(script).iter().map(|piece| (piece.last_place(), names(piece))).collect()
    }

    #[test]
    fn statements_over_different_tables_go_together() {
        let script = vec![(APPEND_JOURNAL, rows()), (INSERT_TASKS, rows()), (INSERT_LOGS, rows())];

        assert_eq!(cut(script), [(2, vec!["append_journal", "insert_tasks", "insert_logs"])]);
    }

    #[test]
    fn two_over_one_table_and_what_is_asked_go_apart() {
        let script = vec![
            (ADMIT, rows()),
            (APPEND_JOURNAL, rows()),
            (INSERT_TASKS, rows()),
            (CLEAR_TASKS, rows()),
        ];

        let together = vec!["append_journal", "insert_tasks"];
        assert_eq!(cut(script), [(0, vec!["admit"]), (2, together), (3, vec!["clear_tasks"])]);
    }

    #[test]
    fn what_has_no_rows_is_left_out_and_keeps_its_place() {
        let script = vec![
            (ADMIT, Rows::default()),
            (APPEND_JOURNAL, rows()),
            (INSERT_TASKS, Rows::default()),
            (INSERT_LOGS, rows()),
        ];

        assert_eq!(cut(script), [(3, vec!["append_journal", "insert_logs"])]);
    }

    #[test]
    fn values_are_numbered_through() {
        let text = join(&[(APPEND_JOURNAL, 9), (INSERT_LOGS, 9), (FENCE_OR_FAIL, 1)]);

        assert!(text.starts_with("with part_0 as (insert into journal ("), "{text}");
        assert!(text.contains("$9::bigint[]") && text.contains("$18::text[]"), "{text}");
        assert!(text.contains("where id = $19 and"), "{text}");
    }

    #[test]
    fn every_statement_over_rows_says_its_table_in_its_first_line_or_only_reads() {
        for statement in MANY {
            let first = body(statement).next().unwrap_or_default();
            assert!(table(statement).is_some() || first == "select", "{}: {first}", statement.name);
        }
    }
}
