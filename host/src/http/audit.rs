//! The audit log.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::Door;
use super::error::Problem;
use super::path::{Asked, page_default};
use crate::dispatch::{AuditDetail, AuditRow, NewAudit};
use crate::model::{KeyId, Timestamp};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Read on behind this one.
    #[serde(default)]
    before: Option<i64>,
    #[serde(default = "page_default")]
    limit: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct Log {
    entries: Vec<Shown>,
    /// What to give as `before` for what follows; none where nothing does.
    next: Option<i64>,
}

#[derive(Debug, Serialize)]
struct Shown {
    id: i64,
    at: Timestamp,
    key: Option<KeyId>,
    #[serde(flatten)]
    detail: AuditDetail,
    action: String,
    subject: String,
}

impl From<AuditRow> for Shown {
    fn from(row: AuditRow) -> Self {
        let AuditRow { id, entry: NewAudit { at, key, action, subject, detail } } = row;
        Self { id, at, key, detail, action, subject }
    }
}

/// Who changed what, newest first.
pub(super) async fn list(
    State(door): State<Door>,
    Asked(page): Asked<Page>,
) -> Result<Json<Log>, Problem> {
    // What was noted here is seen here.
    door.dispatch.write_noted().await?;
    let rows = door.dispatch.audit_log(page.before, page.limit).await?;
    let is_full = rows.len() >= page.limit as usize;
    let next = rows.last().filter(|_| is_full).map(|row| row.id);
    Ok(Json(Log { entries: rows.into_iter().map(Shown::from).collect(), next }))
}
