//! What a statement gives back, read cell by cell in the order of its columns.

use std::fmt::Write as _;

use serde::de::DeserializeOwned;

use super::error::{BoxError, StoreError};
use super::sealing::Keyring;
use crate::model::{
    ExecutionId, HostId, ModuleDigest, Name, Payload, ResultKey, TaskId, Timestamp,
};

/// One cell as the driver had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number.
    I64(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A text or bytes that may be sealed, with the keys that open them.
    Sealed(Box<Self>, Keyring),
}

/// One row as the driver had it.
pub(super) type Row = Vec<Cell>;

/// A row being read from left to right. What does not fit its column is `Corrupt`, with the table, the column and the row.
#[derive(Debug)]
pub(super) struct Reading {
    table: &'static str,
    key: Key,
    cells: std::vec::IntoIter<Cell>,
}

/// The first cell, kept to name the row in an error without paying for it on every read.
#[derive(Debug, Clone, Copy)]
enum Key {
    Bytes([u8; 16]),
    Number(i64),
    Unknown,
}

impl Key {
    fn of(row: &[Cell]) -> Self {
        match row.first() {
            Some(Cell::Bytes(bytes)) => {
                let start = bytes.first_chunk::<16>();
                start.map_or(Self::Unknown, |start| Self::Bytes(*start))
            }
            Some(Cell::I64(number)) => Self::Number(*number),
            Some(Cell::Text(_) | Cell::Null | Cell::Sealed(..)) | None => Self::Unknown,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Bytes(bytes) => bytes.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").expect("writing to memory does not fail");
                hex
            }),
            Self::Number(number) => number.to_string(),
            Self::Unknown => "a row".to_owned(),
        }
    }
}

impl Reading {
    /// Begins to read a row of that table.
    pub(super) fn of(table: &'static str, row: Row) -> Self {
        Self { table, key: Key::of(&row), cells: row.into_iter() }
    }

    /// The error that names this row and that column.
    pub(super) fn corrupt(&self, column: &'static str, source: impl Into<BoxError>) -> StoreError {
        StoreError::Corrupt {
            table: self.table,
            column,
            row: self.key.name(),
            source: source.into(),
        }
    }

    fn unexpected(&self, column: &'static str, cell: &Cell) -> StoreError {
        let found = match cell {
            Cell::Null => "nothing",
            Cell::I64(_) => "a number",
            Cell::Text(_) => "a text",
            Cell::Bytes(_) => "bytes",
            Cell::Sealed(..) => "something sealed",
        };
        self.corrupt(column, format!("{found} is not what belongs there"))
    }

    fn cell(&mut self) -> Cell {
        self.cells.next().unwrap_or(Cell::Null)
    }

    /// The next cell, opened if it is sealed.
    fn opened(&mut self, column: &'static str) -> Result<Cell, StoreError> {
        let (sealed, keys) = match self.cell() {
            Cell::Sealed(sealed, keys) => (sealed, keys),
            plain => return Ok(plain),
        };
        let place = format!("{}.{column}", self.table);
        let opened = match *sealed {
            Cell::Text(text) => keys.open_text(&place, text).map(Cell::Text),
            Cell::Bytes(bytes) => keys.open(&place, bytes).map(Cell::Bytes),
            plain @ (Cell::Null | Cell::I64(_) | Cell::Sealed(..)) => Ok(plain),
        };
        opened.map_err(|closed| self.corrupt(column, closed))
    }

    pub(super) fn opt_i64(&mut self, column: &'static str) -> Result<Option<i64>, StoreError> {
        match self.cell() {
            Cell::I64(number) => Ok(Some(number)),
            Cell::Null => Ok(None),
            other => Err(self.unexpected(column, &other)),
        }
    }

    pub(super) fn i64(&mut self, column: &'static str) -> Result<i64, StoreError> {
        self.opt_i64(column)?.ok_or_else(|| self.unexpected(column, &Cell::Null))
    }

    /// A number that fits a smaller type.
    pub(super) fn number<T>(&mut self, column: &'static str) -> Result<T, StoreError>
    where
        T: TryFrom<i64, Error: Into<BoxError>>,
    {
        let number = self.i64(column)?;
        T::try_from(number).map_err(|bad| self.corrupt(column, bad))
    }

    pub(super) fn opt_number<T>(&mut self, column: &'static str) -> Result<Option<T>, StoreError>
    where
        T: TryFrom<i64, Error: Into<BoxError>>,
    {
        let number = self.opt_i64(column)?;
        number.map(T::try_from).transpose().map_err(|bad| self.corrupt(column, bad))
    }

    pub(super) fn flag(&mut self, column: &'static str) -> Result<bool, StoreError> {
        Ok(self.i64(column)? != 0)
    }

    pub(super) fn time(&mut self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.i64(column).map(Timestamp::from_micros)
    }

    pub(super) fn opt_time(
        &mut self,
        column: &'static str,
    ) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_i64(column)?.map(Timestamp::from_micros))
    }

    pub(super) fn opt_text(&mut self, column: &'static str) -> Result<Option<String>, StoreError> {
        match self.opened(column)? {
            Cell::Text(text) => Ok(Some(text)),
            Cell::Null => Ok(None),
            other => Err(self.unexpected(column, &other)),
        }
    }

    pub(super) fn text(&mut self, column: &'static str) -> Result<String, StoreError> {
        self.opt_text(column)?.ok_or_else(|| self.unexpected(column, &Cell::Null))
    }

    pub(super) fn name(&mut self, column: &'static str) -> Result<Name, StoreError> {
        let text = self.text(column)?;
        Name::new(&text).map_err(|bad| self.corrupt(column, bad))
    }

    pub(super) fn opt_name(&mut self, column: &'static str) -> Result<Option<Name>, StoreError> {
        let text = self.opt_text(column)?;
        let name = text.as_deref().map(Name::new).transpose();
        name.map_err(|bad| self.corrupt(column, bad))
    }

    /// A word of a closed list.
    pub(super) fn word<T>(&mut self, column: &'static str) -> Result<T, StoreError>
    where
        T: std::str::FromStr<Err: Into<BoxError>>,
    {
        let text = self.text(column)?;
        text.parse().map_err(|bad| self.corrupt(column, bad))
    }

    /// A word of a closed list, or another text that is read strictly.
    pub(super) fn opt_word<T>(&mut self, column: &'static str) -> Result<Option<T>, StoreError>
    where
        T: std::str::FromStr<Err: Into<BoxError>>,
    {
        let text = self.opt_text(column)?;
        text.as_deref().map(str::parse).transpose().map_err(|bad| self.corrupt(column, bad))
    }

    pub(super) fn opt_json<T: DeserializeOwned>(
        &mut self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let text = self.opt_text(column)?;
        let value = text.as_deref().map(serde_json::from_str).transpose();
        value.map_err(|bad| self.corrupt(column, bad))
    }

    pub(super) fn json<T: DeserializeOwned>(
        &mut self,
        column: &'static str,
    ) -> Result<T, StoreError> {
        self.opt_json(column)?.ok_or_else(|| self.unexpected(column, &Cell::Null))
    }

    pub(super) fn payload(&mut self, column: &'static str) -> Result<Payload, StoreError> {
        self.text(column).map(Payload::from_checked)
    }

    pub(super) fn opt_bytes(
        &mut self,
        column: &'static str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        match self.opened(column)? {
            Cell::Bytes(bytes) => Ok(Some(bytes)),
            Cell::Null => Ok(None),
            other => Err(self.unexpected(column, &other)),
        }
    }

    pub(super) fn bytes(&mut self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        self.opt_bytes(column)?.ok_or_else(|| self.unexpected(column, &Cell::Null))
    }

    fn array<const N: usize>(
        &mut self,
        column: &'static str,
    ) -> Result<Option<[u8; N]>, StoreError> {
        let Some(bytes) = self.opt_bytes(column)? else { return Ok(None) };
        let array = <[u8; N]>::try_from(bytes);
        array.map(Some).map_err(|bytes| {
            self.corrupt(column, format!("it has {} bytes, {N} are expected", bytes.len()))
        })
    }

    pub(super) fn hash(&mut self, column: &'static str) -> Result<[u8; 16], StoreError> {
        self.array(column)?.ok_or_else(|| self.unexpected(column, &Cell::Null))
    }

    pub(super) fn digest(&mut self, column: &'static str) -> Result<ModuleDigest, StoreError> {
        let bytes = self.array(column)?;
        bytes.map(ModuleDigest::from_bytes).ok_or_else(|| self.unexpected(column, &Cell::Null))
    }

    pub(super) fn opt_result_key(
        &mut self,
        column: &'static str,
    ) -> Result<Option<ResultKey>, StoreError> {
        Ok(self.array(column)?.map(ResultKey::from_bytes))
    }

    pub(super) fn result_key(&mut self, column: &'static str) -> Result<ResultKey, StoreError> {
        self.opt_result_key(column)?.ok_or_else(|| self.unexpected(column, &Cell::Null))
    }

    pub(super) fn execution(&mut self, column: &'static str) -> Result<ExecutionId, StoreError> {
        self.hash(column).map(ExecutionId::from_bytes)
    }

    pub(super) fn opt_execution(
        &mut self,
        column: &'static str,
    ) -> Result<Option<ExecutionId>, StoreError> {
        Ok(self.array(column)?.map(ExecutionId::from_bytes))
    }

    pub(super) fn task(&mut self, column: &'static str) -> Result<TaskId, StoreError> {
        self.hash(column).map(TaskId::from_bytes)
    }

    pub(super) fn opt_task(&mut self, column: &'static str) -> Result<Option<TaskId>, StoreError> {
        Ok(self.array(column)?.map(TaskId::from_bytes))
    }

    pub(super) fn host(&mut self, column: &'static str) -> Result<HostId, StoreError> {
        self.hash(column).map(HostId::from_bytes)
    }

    pub(super) fn opt_host(&mut self, column: &'static str) -> Result<Option<HostId>, StoreError> {
        Ok(self.array(column)?.map(HostId::from_bytes))
    }
}
