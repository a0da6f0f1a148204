//! What is bound to a statement.

use super::row::Cell;
use crate::model::{
    ExecutionId, HostId, InboxId, ModuleDigest, Name, Promise, ResultKey, Run, Seq, TaskId,
    Timestamp,
};

/// One value that a statement is given. Nulls are typed, because Postgres asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A whole number.
    I64(Option<i64>),
    /// A text.
    Text(Option<String>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
    /// A text that is sealed at rest, and the table and column it belongs to.
    SecretText(&'static str, Option<String>),
    /// Bytes that are sealed at rest, and the table and column they belong to.
    SecretBytes(&'static str, Option<Vec<u8>>),
}

/// Values for a statement that writes or reads many rows at once, row after row.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    width: usize,
    values: Vec<Value>,
}

impl Rows {
    /// Adds one row. All rows of one statement have the same width.
    pub(super) fn push<const N: usize>(&mut self, row: [Value; N]) {
        assert!(self.width == 0 || self.width == N, "the rows of a statement are equally wide");
        self.width = N;
        self.values.extend(row);
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many values each row has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// The same rows of other values.
    pub(super) fn map(mut self, change: impl FnMut(Value) -> Value) -> Self {
        self.values = self.values.into_iter().map(change).collect();
        self
    }

    /// The values, row after row.
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }
}

impl<const N: usize> FromIterator<[Value; N]> for Rows {
    fn from_iter<I: IntoIterator<Item = [Value; N]>>(rows: I) -> Self {
        let mut all = Self::default();
        rows.into_iter().for_each(|row| all.push(row));
        all
    }
}

/// Makes an array of [`Value`]s.
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::store::value::Value::from($value)),*] };
}
pub(super) use values;

macro_rules! value_of {
    ($variant:ident, $($type:ty => |$name:ident| $into:expr),+ $(,)?) => {
        $(
            impl From<$type> for Value {
                fn from($name: $type) -> Self {
                    Self::$variant(Some($into))
                }
            }

            impl From<Option<$type>> for Value {
                fn from(value: Option<$type>) -> Self {
                    Self::$variant(value.map(|$name| $into))
                }
            }
        )+
    };
}

impl Value {
    /// Bytes that are sealed at rest, for a place: `table.column`, as they are read again.
    pub(super) fn secret_bytes(place: &'static str, bytes: impl Into<Option<Vec<u8>>>) -> Self {
        Self::SecretBytes(place, bytes.into())
    }

    /// A text that is sealed at rest.
    pub(super) fn secret_text(place: &'static str, text: impl Into<Option<String>>) -> Self {
        Self::SecretText(place, text.into())
    }

    /// A cell of a row that was read, to be bound again as it is.
    pub(super) fn of_cell(cell: Option<&Cell>) -> Self {
        match cell {
            Some(Cell::I64(number)) => Self::I64(Some(*number)),
            Some(Cell::Text(text)) => Self::Text(Some(text.clone())),
            Some(Cell::Bytes(bytes)) => Self::Bytes(Some(bytes.clone())),
            // Nothing that is sealed names a row.
            Some(Cell::Null | Cell::Sealed(..)) | None => Self::Bytes(None),
        }
    }
}

value_of!(I64,
    i64 => |n| n,
    i32 => |n| i64::from(n),
    i16 => |n| i64::from(n),
    u32 => |n| i64::from(n),
    // Numbers of entries, bytes and microseconds: none of them comes near the end of an i64.
    u64 => |n| i64::try_from(n).unwrap_or(i64::MAX),
    usize => |n| i64::try_from(n).unwrap_or(i64::MAX),
    bool => |flag| i64::from(flag),
    Timestamp => |time| time.as_micros(),
    Run => |run| i64::from(run.0),
    Promise => |promise| i64::from(promise.0),
    Seq => |seq| i64::try_from(seq.0).unwrap_or(i64::MAX),
    InboxId => |id| id.0,
);
value_of!(Text,
    String => |text| text,
    &str => |text| text.to_owned(),
    &Name => |name| name.as_str().to_owned(),
);
value_of!(Bytes,
    Vec<u8> => |bytes| bytes,
    &[u8] => |bytes| bytes.to_vec(),
    [u8; 16] => |bytes| bytes.to_vec(),
    ExecutionId => |id| id.as_bytes().to_vec(),
    HostId => |id| id.as_bytes().to_vec(),
    TaskId => |id| id.as_bytes().to_vec(),
    ModuleDigest => |digest| digest.as_bytes().to_vec(),
    ResultKey => |key| key.as_bytes().to_vec(),
);
