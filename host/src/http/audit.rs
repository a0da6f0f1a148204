//! The audit log.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Door;
use super::error::Problem;
use super::path::{Asked, page_default};
use crate::dispatch::{AuditDetail, AuditRow, NewAudit};
use crate::model::{KeyId, Timestamp};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Read on behind this one.
    #[serde(default)]
    before: Option<i64>,
    #[serde(default = "page_default")]
    #[param(minimum = 1, maximum = 1_000)]
    limit: u32,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditLog)]
pub(super) struct Log {
    entries: Vec<Shown>,
    /// What to give as `before` for what follows; none where nothing does.
    next: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct Shown {
    id: i64,
    at: Timestamp,
    /// None where nobody had to show one.
    key: Option<KeyId>,
    /// What the key is called; `local` where nobody had to show one.
    by: String,
    /// The address it came from.
    from: String,
    /// What was done, such as `execution.cancel`.
    action: String,
    /// To what.
    subject: String,
    /// What was answered.
    status: u16,
}

impl From<AuditRow> for Shown {
    fn from(row: AuditRow) -> Self {
        let AuditRow { id, entry: NewAudit { at, key, action, subject, detail } } = row;
        let AuditDetail { by, from, status } = detail;
        Self { id, at, key, by, from, action, subject, status }
    }
}

/// Who changed what, newest first.
#[utoipa::path(
    get, path = "/v1/audit", tag = "audit", operation_id = "list_audit",
    params(Page),
    responses((status = 200, body = Log)),
)]
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
