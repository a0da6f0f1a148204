//! Payloads are sealed on their way into the database and opened on their way out, where there are keys. What is sealed is said
//! where values are bound ([`Value::secret_bytes`], [`Value::secret_text`]); what was sealed shows it by how it begins, so
//! rows of before are read as they are. Names, states, times, kinds of failures and hashes stay plain: statements look at them.

mod keys;

pub use keys::{BadKeys, Keyring};

use super::PoolUse;
use super::dialect::{Dialect, Fault, Line, Script};
use super::error::{OpenError, StoreError};
use super::row::{Cell, Reading, Row};
use super::statements::{self, Statement};
use super::value::{Rows, Value, values};

/// The place of what shows that a key is the right one.
const PROOF: &str = "sealing_keys.proof";

/// A database whose secrets are sealed.
#[derive(Debug)]
pub(super) struct Sealing<D> {
    inner: D,
    keys: Keyring,
}

impl<D> Sealing<D> {
    pub(super) fn of(inner: D, keys: &Keyring) -> Self {
        Self { inner, keys: keys.clone() }
    }

    pub(super) fn into_inner(self) -> D {
        self.inner
    }

    fn sealed(&self, values: Vec<Value>) -> Vec<Value> {
        values.into_iter().map(|value| self.seal(value)).collect()
    }

    fn seal(&self, value: Value) -> Value {
        match value {
            Value::SecretBytes(place, bytes) => {
                Value::Bytes(bytes.map(|bytes| self.keys.seal(place, bytes)))
            }
            Value::SecretText(place, text) => {
                Value::Text(text.map(|text| self.keys.seal_text(place, text)))
            }
            plain @ (Value::I64(_) | Value::Text(_) | Value::Bytes(_)) => plain,
        }
    }

    fn script(&self, script: Script) -> Script {
        let sealed = |rows: Rows| rows.map(|value| self.seal(value));
        script.into_iter().map(|(statement, rows)| (statement, sealed(rows))).collect()
    }

    /// What is sealed is opened by whoever reads it, who knows its place.
    fn marked(&self, mut rows: Vec<Row>) -> Vec<Row> {
        for cell in rows.iter_mut().flatten().filter(|cell| is_marked(cell)) {
            let sealed = std::mem::replace(cell, Cell::Null);
            *cell = Cell::Sealed(Box::new(sealed), self.keys.clone());
        }
        rows
    }

    fn all_marked(&self, found: Vec<Vec<Row>>) -> Vec<Vec<Row>> {
        found.into_iter().map(|rows| self.marked(rows)).collect()
    }
}

/// As the dialect has them.
impl<D: Dialect> Sealing<D> {
    pub(super) fn pool(&self) -> PoolUse {
        self.inner.pool()
    }

    pub(super) async fn begin(&self) -> Result<D::Transaction, Fault> {
        self.inner.begin().await
    }

    pub(super) async fn begin_with(
        &self,
        line: Line,
        script: Script,
    ) -> Result<(D::Transaction, Vec<Vec<Row>>), Fault> {
        let (transaction, found) = self.inner.begin_with(line, self.script(script)).await?;
        Ok((transaction, self.all_marked(found)))
    }

    pub(super) async fn write(&self, script: Script) -> Result<(), Fault> {
        self.inner.write(self.script(script)).await
    }

    pub(super) async fn change(
        &self,
        line: Line,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Fault> {
        Ok(self.marked(self.inner.change(line, statement, self.sealed(values)).await?))
    }

    pub(super) async fn look(&self) -> Result<D::Transaction, Fault> {
        self.inner.look().await
    }

    pub(super) async fn execute(
        &self,
        transaction: &mut D::Transaction,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<u64, Fault> {
        self.inner.execute(transaction, statement, self.sealed(values)).await
    }

    pub(super) async fn fetch(
        &self,
        transaction: &mut D::Transaction,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Fault> {
        let values = self.sealed(values);
        Ok(self.marked(self.inner.fetch(transaction, statement, values).await?))
    }

    pub(super) async fn run(
        &self,
        transaction: &mut D::Transaction,
        script: Script,
    ) -> Result<Vec<Vec<Row>>, Fault> {
        Ok(self.all_marked(self.inner.run(transaction, self.script(script)).await?))
    }

    pub(super) async fn read(
        &self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Fault> {
        Ok(self.marked(self.inner.read(statement, self.sealed(values)).await?))
    }

    pub(super) async fn read_moment(
        &self,
        statements: &[&'static Statement],
        values: Vec<Value>,
    ) -> Result<Vec<Vec<Row>>, Fault> {
        Ok(self.all_marked(self.inner.read_moment(statements, self.sealed(values)).await?))
    }

    pub(super) async fn commit(
        &self,
        transaction: D::Transaction,
        script: Script,
    ) -> Result<(), Fault> {
        self.inner.commit(transaction, self.script(script)).await
    }

    pub(super) async fn leave(&self, transaction: D::Transaction) -> Result<(), Fault> {
        self.inner.leave(transaction).await
    }

    pub(super) async fn keep(&self) -> Result<(), Fault> {
        self.inner.keep().await
    }

    /// Refuses a database that holds what these keys do not open, and notes the key that seals from here on.
    pub(super) async fn agree(&self) -> Result<(), OpenError> {
        let unavailable = |error: StoreError| OpenError::Unavailable {
            place: "its keys".to_owned(),
            source: error.into(),
        };
        let mut known = Vec::new();
        let found = self.read(statements::READ_SEALING_KEYS, Vec::new()).await;
        for row in found.map_err(|fault| unavailable(fault.into()))? {
            let mut row = Reading::of("sealing_keys", row);
            let id = row.text("id").map_err(unavailable)?;
            row.bytes("proof").map_err(|_closed| OpenError::Sealed { key: id.clone() })?;
            known.push(id);
        }
        let is_new = |id: &&str| !known.iter().any(|known| known == id);
        let Some(first) = self.keys.ids().next().filter(is_new) else { return Ok(()) };
        self.note_key(first).await.map_err(|fault| unavailable(fault.into()))
    }

    async fn note_key(&self, id: &str) -> Result<(), Fault> {
        let row = values![id, Value::secret_bytes(PROOF, id.as_bytes().to_vec())];
        let transaction = self.begin().await?;
        self.commit(transaction, vec![(statements::KEEP_SEALING_KEY, Rows::from_iter([row]))]).await
    }
}

fn is_marked(cell: &Cell) -> bool {
    match cell {
        Cell::Bytes(bytes) => keys::marks_bytes(bytes),
        Cell::Text(text) => keys::marks_text(text),
        Cell::Null | Cell::I64(_) | Cell::Sealed(..) => false,
    }
}
