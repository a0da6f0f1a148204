//! From a row of the driver to our own.

use sqlx::postgres::{PgRow, PgValueRef, Postgres};
use sqlx::{Decode, Row as _, TypeInfo as _, ValueRef as _};

use crate::store::dialect::Fault;
use crate::store::row::{Cell, Row};

/// Takes every cell as what Postgres says it is.
pub(super) fn row(row: &PgRow) -> Result<Row, Fault> {
    (0..row.len())
        .map(|place| row.try_get_raw(place).map_err(Fault::unavailable).and_then(cell))
        .collect()
}

fn cell(value: PgValueRef<'_>) -> Result<Cell, Fault> {
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let kind = value.type_info().into_owned();
    let cell = match kind.name() {
        "TEXT" | "VARCHAR" | "NAME" => <String as Decode<Postgres>>::decode(value).map(Cell::Text),
        "BYTEA" => <Vec<u8> as Decode<Postgres>>::decode(value).map(Cell::Bytes),
        "INT2" => <i16 as Decode<Postgres>>::decode(value).map(|n| Cell::I64(n.into())),
        "INT4" => <i32 as Decode<Postgres>>::decode(value).map(|n| Cell::I64(n.into())),
        "INT8" => <i64 as Decode<Postgres>>::decode(value).map(Cell::I64),
        other => Err(format!("a column of type {other} is none of ours").into()),
    };
    cell.map_err(Fault::unavailable)
}
