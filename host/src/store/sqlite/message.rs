//! Statements that go to the driver's thread together: each message wakes that thread, and its answer wakes ours.

use std::sync::Arc;

use futures::TryStreamExt as _;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{AssertSqlSafe, Either, Executor as _};

use super::row_groups::RowGroups;
use super::{bind, cells, commit_fault, fault};
use crate::store::dialect::{Fault, Script};
use crate::store::row::Row;
use crate::store::statements::Statement;
use crate::store::value::{Rows, Value};

/// Statements over more rows than this go alone: each mixture of sizes is a text of its own, which has to be prepared once.
const TOGETHER_ROWS_MAX: usize = 2;

/// A message in the making, and what came of those before it.
pub(super) struct Messages<'a> {
    connection: &'a mut SqliteConnection,
    groups: &'a RowGroups,
    text: String,
    arguments: SqliteArguments,
    /// Which statement of the script each one of the message belongs to; none is of no script.
    places: Vec<Option<usize>>,
    /// Whether the message still takes statements over few rows.
    is_open: bool,
    found: Vec<Vec<Row>>,
}

impl<'a> Messages<'a> {
    pub(super) fn new(connection: &'a mut SqliteConnection, groups: &'a RowGroups) -> Self {
        Self {
            connection,
            groups,
            text: String::new(),
            arguments: SqliteArguments::default(),
            places: Vec::new(),
            is_open: true,
            found: Vec::new(),
        }
    }

    /// Adds a statement without values. It goes with whatever stands before it.
    pub(super) fn add(&mut self, text: &str) {
        self.append(None, text);
    }

    /// Adds statements that name their values by number, and are all given the same.
    pub(super) fn add_sharing(
        &mut self,
        statements: &[&'static Statement],
        values: Vec<Value>,
    ) -> Result<(), Fault> {
        for statement in statements {
            let place = self.found.len();
            self.found.push(Vec::new());
            self.append(Some(place), statement.sqlite);
        }
        bind(&mut self.arguments, values)
    }

    /// Sends a script but for its last message, which others may still go with.
    pub(super) async fn add_script(&mut self, script: Script) -> Result<(), Fault> {
        for (statement, rows) in script {
            let place = self.found.len();
            self.found.push(Vec::new());
            self.add_rows(place, statement, rows).await?;
        }
        Ok(())
    }

    async fn add_rows(
        &mut self,
        place: usize,
        statement: &'static Statement,
        rows: Rows,
    ) -> Result<(), Fault> {
        let (width, mut left) = (rows.width(), rows.len());
        let mut values = rows.into_values().into_iter();
        while left > 0 {
            let (size, text) = self.groups.largest_within(statement, left);
            self.make_room(size).await?;
            self.add_piece(place, &text, values.by_ref().take(size * width))?;
            left -= size;
        }
        Ok(())
    }

    async fn make_room(&mut self, size: usize) -> Result<(), Fault> {
        let is_small = size <= TOGETHER_ROWS_MAX;
        let goes_along = is_small && self.is_open;
        if !(self.places.is_empty() || goes_along) {
            self.send(fault).await?;
        }
        self.is_open = is_small;
        Ok(())
    }

    fn add_piece(
        &mut self,
        place: usize,
        text: &Arc<str>,
        values: impl Iterator<Item = Value>,
    ) -> Result<(), Fault> {
        self.append(Some(place), text);
        bind(&mut self.arguments, values)
    }

    fn append(&mut self, place: Option<usize>, text: &str) {
        if !self.text.is_empty() {
            self.text.push_str(";\n");
        }
        self.text.push_str(text);
        self.places.push(place);
    }

    /// Sends what is left; gives back what each statement of the scripts has found.
    pub(super) async fn end(mut self) -> Result<Vec<Vec<Row>>, Fault> {
        self.send(fault).await?;
        Ok(self.found)
    }

    /// Sends what is left, and with it the commit.
    pub(super) async fn commit(mut self) -> Result<(), Fault> {
        self.add("commit");
        self.send(commit_fault).await
    }

    async fn send(&mut self, fault: fn(sqlx::Error) -> Fault) -> Result<(), Fault> {
        if self.places.is_empty() {
            return Ok(());
        }
        let text = AssertSqlSafe(std::mem::take(&mut self.text));
        let query = sqlx::query_with(text, std::mem::take(&mut self.arguments));
        let places = std::mem::take(&mut self.places);
        self.is_open = true;
        let mut done = 0;
        let mut answers = self.connection.fetch_many(query);
        while let Some(answer) = answers.try_next().await.map_err(fault)? {
            match (answer, places.get(done).copied().flatten()) {
                (Either::Right(row), Some(place)) => self.found[place].push(cells::row(&row)?),
                (Either::Right(_), None) => {}
                (Either::Left(_done), _) => done += 1,
            }
        }
        // The driver's thread is gone where the answers end before the statements do.
        if done < places.len() {
            return Err(fault(sqlx::Error::WorkerCrashed));
        }
        Ok(())
    }
}
