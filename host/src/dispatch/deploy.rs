//! Uploading modules, and choosing the active one of a name.

use super::{Dispatch, DispatchError, Granting, ModuleRow, Result, bounds, schema};
use crate::model::{ModuleDigest, Name, Reach, Standing};

impl Dispatch {
    /// Admits a component and makes it the one that new executions of its name are pinned to. The same bytes again change
    /// nothing but that. What is not granted of what it wants fails in the steps that use it.
    pub async fn deploy(&self, name: &Name, wasm: &[u8]) -> Result<ModuleRow> {
        let by = Name::new("nobody").expect("this is a name");
        Ok(self.deploy_granting(name, wasm, Granting::Leave, &by).await?.0)
    }

    /// The same, with an order what to do about what it wants, and how it stands then.
    pub async fn deploy_granting(
        &self,
        name: &Name,
        wasm: &[u8],
        granting: Granting,
        by: &Name,
    ) -> Result<(ModuleRow, Standing)> {
        bounds::module_name(name)?;
        let max = self.parts.limits.module_bytes_max;
        if wasm.len() > max {
            return Err(bounds::too_large("the module", wasm.len(), max, "module_bytes_max"));
        }
        let (_digest, manifest) = self.parts.sandbox.admit(wasm).await?;
        schema::check_manifest(&manifest)?;
        let wants = Reach::read_kept(&manifest.capabilities);
        let standing = self.weigh(name, &wants, granting, by).await?;
        let row = self.store().deploy(self.host(), name, &manifest, wasm).await?;
        self.deployments.forget();
        tracing::info!(module = %name, digest = %row.digest, "Module {name} is deployed as {}", row.digest.short());
        Ok((row, standing))
    }

    /// Makes a module that was uploaded under this name the active one again.
    pub async fn activate(&self, name: &Name, digest: ModuleDigest) -> Result<ModuleRow> {
        let unknown = || DispatchError::UnknownModule(format!("{name} with digest {digest}"));
        if !self.store().activate(self.host(), name, digest).await? {
            return Err(unknown());
        }
        self.deployments.forget();
        self.store().module(digest).await?.ok_or_else(unknown)
    }
}
