//! From our values to the driver's: one by one, or an array for each column.

use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;

use crate::store::dialect::Fault;
use crate::store::value::{Rows, Value};

/// Values that a statement names by number.
pub(super) fn values(values: Vec<Value>) -> Result<PgArguments, Fault> {
    let mut arguments = PgArguments::default();
    add_values(&mut arguments, values)?;
    Ok(arguments)
}

/// Adds values that a statement names by number.
pub(super) fn add_values(arguments: &mut PgArguments, values: Vec<Value>) -> Result<(), Fault> {
    for value in values {
        let added = match value {
            Value::I64(number) => arguments.add(number),
            Value::Text(text) | Value::SecretText(_, text) => arguments.add(text.map(without_nul)),
            Value::Bytes(bytes) | Value::SecretBytes(_, bytes) => arguments.add(bytes),
        };
        added.map_err(Fault::Refused)?;
    }
    Ok(())
}

/// Postgres keeps no NUL in a text. What guests say may hold one, and must not cost them their execution; names are refused at
/// the door.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// One column of the rows of a statement.
enum Column {
    I64(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Column {
    fn beginning_with(value: Value, rows: usize) -> Self {
        fn column<T>(first: T, rows: usize) -> Vec<T> {
            let mut column = Vec::with_capacity(rows);
            column.push(first);
            column
        }
        match value {
            Value::I64(number) => Self::I64(column(number, rows)),
            Value::Text(text) | Value::SecretText(_, text) => {
                Self::Text(column(text.map(without_nul), rows))
            }
            Value::Bytes(bytes) | Value::SecretBytes(_, bytes) => Self::Bytes(column(bytes, rows)),
        }
    }

    fn push(&mut self, value: Value) -> Result<(), Fault> {
        match (self, value) {
            (Self::I64(column), Value::I64(number)) => column.push(number),
            (Self::Text(column), Value::Text(text) | Value::SecretText(_, text)) => {
                column.push(text.map(without_nul));
            }
            (Self::Bytes(column), Value::Bytes(bytes) | Value::SecretBytes(_, bytes)) => {
                column.push(bytes);
            }
            (Self::I64(_) | Self::Text(_) | Self::Bytes(_), other) => {
                let source = format!("{other:?} is of another type than its column");
                return Err(Fault::Refused(source.into()));
            }
        }
        Ok(())
    }
}

/// Adds an array for each column.
pub(super) fn columns(arguments: &mut PgArguments, rows: Rows) -> Result<(), Fault> {
    let (width, count) = (rows.width(), rows.len());
    let mut values = rows.into_values().into_iter();
    let mut columns: Vec<_> =
        values.by_ref().take(width).map(|value| Column::beginning_with(value, count)).collect();
    for (place, value) in values.enumerate() {
        columns[place % width].push(value)?;
    }
    for column in columns {
        let added = match column {
            Column::I64(column) => arguments.add(column),
            Column::Text(column) => arguments.add(column),
            Column::Bytes(column) => arguments.add(column),
        };
        added.map_err(Fault::Refused)?;
    }
    Ok(())
}

/// Those of the values that a statement names: Postgres takes no more than it was told of.
pub(super) fn named_by(text: &str, values: &[Value]) -> Vec<Value> {
    let named = text.lines().filter(|line| !line.starts_with("--")).flat_map(places).max();
    values.iter().take(named.unwrap_or(0)).cloned().collect()
}

/// The numbers after the dollar signs of a text.
fn places(text: &str) -> impl Iterator<Item = usize> {
    text.split('$').skip(1).filter_map(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..digits].parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_given_as_many_values_as_it_names() {
        let values = [Value::I64(Some(1)), Value::I64(Some(2)), Value::I64(Some(3))];

        assert_eq!(named_by("-- $3 is no more\nselect $1 + $2", &values).len(), 2);
        assert_eq!(named_by("select 1", &values).len(), 0);
    }

    #[test]
    fn a_column_has_one_type() {
        let mut rows = Rows::default();
        rows.push([Value::I64(Some(1))]);
        rows.push([Value::Text(None)]);

        assert!(matches!(columns(&mut PgArguments::default(), rows), Err(Fault::Refused(_))));
    }
}
