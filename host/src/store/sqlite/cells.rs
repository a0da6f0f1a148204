//! From a row of the driver to our own.

use sqlx::sqlite::{SqliteRow, SqliteValueRef};
use sqlx::{Decode, Row as _, Sqlite, TypeInfo as _, ValueRef as _};

use crate::store::dialect::Fault;
use crate::store::row::{Cell, Row};

/// Takes every cell as what SQLite says it is.
pub(super) fn row(row: &SqliteRow) -> Result<Row, Fault> {
    (0..row.len())
        .map(|place| row.try_get_raw(place).map_err(Fault::unavailable).and_then(cell))
        .collect()
}

fn cell(value: SqliteValueRef<'_>) -> Result<Cell, Fault> {
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let kind = value.type_info().into_owned();
    let cell = match kind.name() {
        "TEXT" => <String as Decode<Sqlite>>::decode(value).map(Cell::Text),
        "BLOB" => <Vec<u8> as Decode<Sqlite>>::decode(value).map(Cell::Bytes),
        _ => <i64 as Decode<Sqlite>>::decode(value).map(Cell::I64),
    };
    cell.map_err(Fault::unavailable)
}
