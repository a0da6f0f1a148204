//! What was granted to the modules of a name.

use std::time::Duration;

use super::SqlStore;
use crate::model::{Capabilities, Grant, HostId, ModuleDigest, Name, Timestamp};
use crate::store::Result;
use crate::store::dialect::Dialect;
use crate::store::row::{Reading, Row};
use crate::store::statements;
use crate::store::value::values;

/// Names of one module whose grants are read.
const NAMES_MAX: u32 = 64;
/// The least by which two moments differ.
const TICK: Duration = Duration::from_micros(1);

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn write_grant(
        &self,
        host: HostId,
        module: &Name,
        granted: &Capabilities,
        (by, seen_at): (&str, Option<Timestamp>),
    ) -> Result<Option<Grant>> {
        let json = serde_json::to_string(granted).expect("capabilities can be written as JSON");
        let mut transaction = self.begin(host).await?;
        // Later than the one before, so that each can be told from it.
        let at = seen_at.map_or(transaction.now, |seen| transaction.now.max(seen + TICK));
        let values = values![module, json, by, at, seen_at];
        if transaction.execute(statements::PUT_GRANT, values).await? == 0 {
            transaction.leave().await?;
            return Ok(None);
        }
        transaction.commit().await?;
        Ok(Some(Grant { granted: granted.clone(), by: by.to_owned(), at }))
    }

    pub(super) async fn read_grant(&self, module: &Name) -> Result<Option<Grant>> {
        let rows = self.read(statements::READ_GRANT, values![module]).await?;
        let granted = rows.into_iter().next().map(|row| grant(&mut Reading::of("grants", row)));
        Ok(granted.transpose()?.flatten())
    }

    pub(super) async fn read_grants_of(
        &self,
        module: ModuleDigest,
    ) -> Result<Vec<(Name, Option<Grant>)>> {
        let rows = self.read(statements::GRANTS_OF, values![module, NAMES_MAX]).await?;
        rows.into_iter().map(named_grant).collect()
    }
}

fn named_grant(row: Row) -> Result<(Name, Option<Grant>)> {
    let mut row = Reading::of("grants", row);
    Ok((row.name("module")?, grant(&mut row)?))
}

fn grant(row: &mut Reading) -> Result<Option<Grant>> {
    let Some(granted) = row.opt_json("granted")? else { return Ok(None) };
    Ok(Some(Grant { granted, by: row.text("granted_by")?, at: row.time("granted_at")? }))
}
