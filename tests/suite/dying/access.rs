//! Keys and the audit log of a store that a fault strikes.

use async_trait::async_trait;
use stepwell::model::{HostId, KeyId, Timestamp};
use stepwell::store::{AccessStore, AuditRow, KeyRow, NewAudit, NewKey, Result};

use super::store::DyingStore;

#[async_trait]
impl AccessStore for DyingStore {
    async fn add_key(&self, host: HostId, key: &NewKey) -> Result<Timestamp> {
        self.fault.write(self.inner.add_key(host, key)).await
    }

    async fn key(&self, id: &KeyId) -> Result<Option<KeyRow>> {
        self.fault.read(self.inner.key(id)).await
    }

    async fn keys(&self, limit: u32) -> Result<Vec<KeyRow>> {
        self.fault.read(self.inner.keys(limit)).await
    }

    async fn has_keys(&self) -> Result<bool> {
        self.fault.read(self.inner.has_keys()).await
    }

    async fn revoke_key(&self, host: HostId, id: &KeyId) -> Result<bool> {
        self.fault.write(self.inner.revoke_key(host, id)).await
    }

    async fn mark_used(&self, host: HostId, id: &KeyId, at: Timestamp) -> Result<()> {
        self.fault.read(self.inner.mark_used(host, id, at)).await
    }

    async fn remove_sessions(&self, host: HostId, before: Timestamp) -> Result<u64> {
        self.fault.read(self.inner.remove_sessions(host, before)).await
    }

    async fn write_audit(&self, entries: &[NewAudit]) -> Result<()> {
        self.fault.read(self.inner.write_audit(entries)).await
    }

    async fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditRow>> {
        self.fault.read(self.inner.audit(before, limit)).await
    }

    async fn remove_audit(&self, host: HostId, before: Timestamp, limit: u32) -> Result<u64> {
        self.fault.read(self.inner.remove_audit(host, before, limit)).await
    }
}
