//! Keys and the audit log: what is kept of who may do what, and of who did.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::Result;
use crate::model::{HostId, KeyHash, KeyId, KeyScope, Timestamp};

/// The verbs of keys and of the audit log; a part of [`super::Store`].
#[async_trait]
pub trait AccessStore: Send + Sync {
    /// Adds a key. Says when that was.
    async fn add_key(&self, host: HostId, key: &NewKey) -> Result<Timestamp>;
    /// One key, also a revoked one.
    async fn key(&self, id: &KeyId) -> Result<Option<KeyRow>>;
    /// Keys, newest first, at most `limit`; those of sessions are left out.
    async fn keys(&self, limit: u32) -> Result<Vec<KeyRow>>;
    /// Whether there is a key, or was one.
    async fn has_keys(&self) -> Result<bool>;
    /// Revokes a key; again: nothing happens. False: there is none.
    async fn revoke_key(&self, host: HostId, id: &KeyId) -> Result<bool>;
    /// Remembers that a key was used then, by the minute.
    async fn mark_used(&self, host: HostId, id: &KeyId, at: Timestamp) -> Result<()>;
    /// Removes sessions that were opened before then. Returns how many there were.
    async fn remove_sessions(&self, host: HostId, before: Timestamp) -> Result<u64>;
    /// Adds entries to the audit log, in one statement. It asks for no host: what was done is true, whatever has become of
    /// the host where it was.
    async fn write_audit(&self, entries: &[NewAudit]) -> Result<()>;
    /// A page of the audit log, newest first.
    async fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditRow>>;
    /// Removes at most `limit` entries that were made before then. Returns how many there were.
    async fn remove_audit(&self, host: HostId, before: Timestamp, limit: u32) -> Result<u64>;
}

/// A key that is not there yet.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Where it is found.
    pub id: KeyId,
    /// What people call it.
    pub name: String,
    /// What is kept of its secret.
    pub hash: KeyHash,
    /// What it may do.
    pub scope: KeyScope,
}

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Where it is found.
    pub id: KeyId,
    /// What people call it.
    pub name: String,
    /// What is kept of its secret.
    pub hash: Vec<u8>,
    /// What it may do.
    pub scope: KeyScope,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, by the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Something that was done and is to be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAudit {
    /// When.
    pub at: Timestamp,
    /// By which key; none where nobody had to show one.
    pub key: Option<KeyId>,
    /// What was done, such as `execution.cancel`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// How, from where, and what came of it.
    pub detail: AuditDetail,
}

/// What else there is to say of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditDetail {
    /// What the key is called, or `local` where none was needed.
    pub by: String,
    /// The address it came from.
    pub from: String,
    /// The status that was answered.
    pub status: u16,
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Counts up.
    pub id: i64,
    /// What was done.
    pub entry: NewAudit,
}
