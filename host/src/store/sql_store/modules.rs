//! Modules and which of them new executions are pinned to.

use super::SqlStore;
use crate::model::{HostId, Manifest, ModuleDigest, Name};
use crate::store::Result;
use crate::store::dialect::Dialect;
use crate::store::error::StoreError;
use crate::store::row::{Reading, Row};
use crate::store::statements;
use crate::store::value::values;
use crate::store::view::ModuleRow;

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn deploy_module(
        &self,
        host: HostId,
        name: &Name,
        manifest: &Manifest,
        wasm: &[u8],
    ) -> Result<ModuleRow> {
        let digest = ModuleDigest::of(wasm);
        let manifest = serde_json::to_string(manifest).expect("a manifest can be written as JSON");
        let mut transaction = self.begin(host).await?;
        let now = transaction.now;
        let row = values![digest, name, wasm.len(), manifest, now, wasm];
        transaction.execute(statements::KEEP_MODULE, row).await?;
        transaction.execute(statements::ACTIVATE, values![name, digest, now]).await?;
        let rows = transaction.fetch(statements::READ_NAMED_MODULE, values![digest, name]).await?;
        transaction.commit().await?;
        let row = rows.into_iter().next().ok_or_else(|| vanished(digest))?;
        module_row(row)
    }

    pub(super) async fn activate_module(
        &self,
        host: HostId,
        name: &Name,
        digest: ModuleDigest,
    ) -> Result<bool> {
        let mut transaction = self.begin(host).await?;
        let known = transaction.fetch(statements::READ_NAMED_MODULE, values![digest, name]).await?;
        if known.is_empty() {
            transaction.leave().await?;
            return Ok(false);
        }
        let row = values![name, digest, transaction.now];
        transaction.execute(statements::ACTIVATE, row).await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(super) async fn read_wasm(&self, digest: ModuleDigest) -> Result<Option<Vec<u8>>> {
        let rows = self.read(statements::READ_WASM, values![digest]).await?;
        let row = rows.into_iter().next();
        row.map(|row| Reading::of("modules", row).bytes("wasm")).transpose()
    }

    pub(super) async fn read_module(&self, digest: ModuleDigest) -> Result<Option<ModuleRow>> {
        let rows = self.read(statements::READ_MODULE, values![digest]).await?;
        rows.into_iter().next().map(module_row).transpose()
    }

    pub(super) async fn list_modules(&self, limit: u32) -> Result<Vec<ModuleRow>> {
        Ok(readable(self.read(statements::LIST_MODULES, values![limit]).await?))
    }

    pub(super) async fn list_deployments(&self, limit: u32) -> Result<Vec<ModuleRow>> {
        Ok(readable(self.read(statements::LIST_DEPLOYMENTS, values![limit]).await?))
    }
}

/// A module that cannot be read is left out: it must not keep the others from being seen and started. Deployed again, it can be read.
fn readable(rows: Vec<Row>) -> Vec<ModuleRow> {
    let read = |row| {
        let read = module_row(row).inspect_err(|error| {
            let cause: &dyn std::error::Error = error;
            tracing::error!(
                error = cause,
                "A module cannot be read and starts nothing; deploy it again"
            );
        });
        read.ok()
    };
    rows.into_iter().filter_map(read).collect()
}

fn vanished(digest: ModuleDigest) -> StoreError {
    let source = "the module was written and is not there".into();
    StoreError::Corrupt { table: "modules", column: "digest", row: digest.to_string(), source }
}

fn module_row(row: Row) -> Result<ModuleRow> {
    let mut row = Reading::of("modules", row);
    Ok(ModuleRow {
        digest: row.digest("digest")?,
        name: row.name("name")?,
        size: row.number("size")?,
        manifest: row.json("manifest")?,
        created_at: row.time("created_at")?,
        activated_at: row.opt_time("activated_at")?,
    })
}
