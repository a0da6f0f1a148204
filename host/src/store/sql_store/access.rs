//! Keys and the audit log.

use std::time::Duration;

use async_trait::async_trait;

use super::SqlStore;
use crate::model::{HostId, KeyId, Timestamp};
use crate::store::Result;
use crate::store::access::{AccessStore, AuditRow, KeyRow, NewAudit, NewKey};
use crate::store::dialect::Dialect;
use crate::store::row::{Reading, Row};
use crate::store::statements::{self, Statement};
use crate::store::value::{Rows, Value, values};

/// How exactly the last use of a key is known.
const USED_WITHIN: Duration = Duration::from_mins(1);

#[async_trait]
impl<D: Dialect> AccessStore for SqlStore<D> {
    async fn add_key(&self, host: HostId, key: &NewKey) -> Result<Timestamp> {
        let scope = serde_json::to_string(&key.scope).expect("a scope can be written as JSON");
        let mut transaction = self.begin(host).await?;
        let now = transaction.now;
        let (id, hash) = (key.id.as_str(), key.hash.as_bytes());
        let values = values![id, key.name.as_str(), hash, scope, now];
        transaction.execute(statements::ADD_KEY, values).await?;
        transaction.commit().await?;
        Ok(now)
    }

    async fn key(&self, id: &KeyId) -> Result<Option<KeyRow>> {
        let rows = self.read(statements::READ_KEY, values![id.as_str()]).await?;
        rows.into_iter().next().map(key_row).transpose()
    }

    async fn keys(&self, limit: u32) -> Result<Vec<KeyRow>> {
        let rows = self.read(statements::LIST_KEYS, values![limit]).await?;
        rows.into_iter().map(key_row).collect()
    }

    async fn has_keys(&self) -> Result<bool> {
        Ok(!self.read(statements::FIND_KEYS, values![]).await?.is_empty())
    }

    async fn revoke_key(&self, host: HostId, id: &KeyId) -> Result<bool> {
        let mut transaction = self.begin(host).await?;
        let now = transaction.now;
        if transaction.execute(statements::REVOKE_KEY, values![id.as_str(), now]).await? == 0 {
            transaction.leave().await?;
            return Ok(false);
        }
        transaction.commit().await?;
        Ok(true)
    }

    async fn mark_used(&self, host: HostId, id: &KeyId, at: Timestamp) -> Result<()> {
        let values = values![id.as_str(), at, at - USED_WITHIN];
        self.change(host, statements::MARK_USED, values).await?;
        Ok(())
    }

    async fn remove_sessions(&self, host: HostId, before: Timestamp) -> Result<u64> {
        self.change(host, statements::REMOVE_SESSIONS, values![before]).await
    }

    async fn write_audit(&self, entries: &[NewAudit]) -> Result<()> {
        let rows: Rows = entries.iter().map(audit_values).collect();
        let transaction = self.begin_unfenced().await?;
        Ok(transaction.commit_with(vec![(statements::INSERT_AUDIT, rows)]).await?)
    }

    async fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditRow>> {
        let rows = self.read(statements::LIST_AUDIT, values![before, limit]).await?;
        rows.into_iter().map(audit_row).collect()
    }

    async fn remove_audit(&self, host: HostId, before: Timestamp, limit: u32) -> Result<u64> {
        self.change(host, statements::REMOVE_AUDIT, values![before, limit]).await
    }
}

impl<D: Dialect> SqlStore<D> {
    async fn change(
        &self,
        host: HostId,
        statement: &'static Statement,
        values: impl Into<Vec<Value>>,
    ) -> Result<u64> {
        let mut transaction = self.begin(host).await?;
        let changed = transaction.execute(statement, values).await?;
        if changed > 0 {
            transaction.commit().await?;
        } else {
            transaction.leave().await?;
        }
        Ok(changed)
    }
}

fn audit_values(entry: &NewAudit) -> [Value; 5] {
    let detail = serde_json::to_string(&entry.detail).expect("a detail can be written as JSON");
    let key = entry.key.as_ref().map(KeyId::as_str);
    values![entry.at, key, entry.action.as_str(), entry.subject.as_str(), detail]
}

fn key_row(row: Row) -> Result<KeyRow> {
    let mut row = Reading::of("keys", row);
    Ok(KeyRow {
        id: KeyId::from_row(row.text("id")?),
        name: row.text("name")?,
        hash: row.bytes("hash")?,
        scope: row.json("scopes")?,
        created_at: row.time("created_at")?,
        last_used_at: row.opt_time("last_used_at")?,
        revoked_at: row.opt_time("revoked_at")?,
    })
}

fn audit_row(row: Row) -> Result<AuditRow> {
    let mut row = Reading::of("audit", row);
    let id = row.i64("id")?;
    let entry = NewAudit {
        at: row.time("at")?,
        key: row.opt_text("key_id")?.map(KeyId::from_row),
        action: row.text("action")?,
        subject: row.text("subject")?,
        detail: row.json("detail")?,
    };
    Ok(AuditRow { id, entry })
}
