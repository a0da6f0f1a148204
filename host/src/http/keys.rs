//! Keys: list, make and revoke.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::Door;
use super::access::Subject;
use super::body;
use super::error::Problem;
use super::path::{Asked, Named, page_default};
use crate::dispatch::{KeyOrder, KeyRow};
use crate::model::{KeyId, Name, Role, Timestamp};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    #[serde(default = "page_default")]
    limit: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(expecting = "a JSON object", deny_unknown_fields, default)]
struct Order {
    name: String,
    roles: Vec<Role>,
    workflows: Vec<Name>,
}

#[derive(Debug, Serialize)]
pub(super) struct Keys {
    keys: Vec<Shown>,
}

/// A key, without what makes it one.
#[derive(Debug, Serialize)]
struct Shown {
    id: KeyId,
    name: String,
    prefix: String,
    roles: Vec<Role>,
    workflows: Vec<Name>,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl From<KeyRow> for Shown {
    fn from(row: KeyRow) -> Self {
        let KeyRow { id, name, hash: _, scope, created_at, last_used_at, revoked_at } = row;
        let (prefix, roles, workflows) = (id.prefix(), scope.roles, scope.workflows);
        Self { id, name, prefix, roles, workflows, created_at, last_used_at, revoked_at }
    }
}

#[derive(Debug, Serialize)]
struct Created<'a> {
    /// The whole key, told here and never again.
    key: &'a str,
    #[serde(flatten)]
    shown: Shown,
}

/// Keys, newest first.
pub(super) async fn list(
    State(door): State<Door>,
    Asked(page): Asked<Page>,
) -> Result<Json<Keys>, Problem> {
    let rows = door.dispatch.keys(page.limit).await?;
    Ok(Json(Keys { keys: rows.into_iter().map(Shown::from).collect() }))
}

/// Makes a key.
pub(super) async fn create(State(door): State<Door>, body: Body) -> Result<Response, Problem> {
    let Order { name, roles, workflows } = body::order(body).await?;
    let (key, row) = door.dispatch.create_key(KeyOrder { name, roles, workflows }).await?;
    let subject = Subject(format!("keys/{}", row.id));
    let revealed = key.reveal();
    let created = Created { key: &revealed, shown: row.into() };
    let mut response = (StatusCode::CREATED, Json(created)).into_response();
    response.extensions_mut().insert(subject);
    Ok(response)
}

/// Revokes a key.
pub(super) async fn revoke(
    State(door): State<Door>,
    Named(id): Named<KeyId>,
) -> Result<StatusCode, Problem> {
    door.dispatch.revoke_key(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
