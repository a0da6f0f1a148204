//! What was granted to the modules of a name.

use super::SqlStore;
use crate::model::{Capabilities, Grant, HostId, Name};
use crate::store::Result;
use crate::store::dialect::Dialect;
use crate::store::row::{Reading, Row};
use crate::store::statements;
use crate::store::value::values;

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn write_grant(
        &self,
        host: HostId,
        module: &Name,
        granted: &Capabilities,
        by: &str,
    ) -> Result<Grant> {
        let json = serde_json::to_string(granted).expect("capabilities can be written as JSON");
        let mut transaction = self.begin(host).await?;
        let at = transaction.now;
        transaction.execute(statements::PUT_GRANT, values![module, json, by, at]).await?;
        transaction.commit().await?;
        Ok(Grant { granted: granted.clone(), by: by.to_owned(), at })
    }

    pub(super) async fn read_grant(&self, module: &Name) -> Result<Option<Grant>> {
        let rows = self.read(statements::READ_GRANT, values![module]).await?;
        rows.into_iter().next().map(grant).transpose()
    }
}

fn grant(row: Row) -> Result<Grant> {
    let mut row = Reading::of("grants", row);
    Ok(Grant {
        granted: row.json("granted")?,
        by: row.text("granted_by")?,
        at: row.time("granted_at")?,
    })
}
