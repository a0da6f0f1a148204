//! Keys: list, make and revoke.

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Door;
use super::access::Subject;
use super::body;
use super::error::Problem;
use super::path::{Asked, Named, page_default};
use crate::dispatch::{KeyOrder, KeyRow};
use crate::model::{KeyId, Name, Role, Timestamp};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    #[serde(default = "page_default")]
    #[param(minimum = 1, maximum = 1_000)]
    limit: u32,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "a JSON object", deny_unknown_fields, default)]
#[schema(as = KeyOrder)]
pub(super) struct Order {
    /// What people call it.
    #[schema(
        required,
        min_length = 1,
        max_length = 128,
        pattern = r"^[^\x00-\x20\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\x9f])?$"
    )]
    name: String,
    /// What it may do.
    #[schema(required, min_items = 1)]
    roles: Vec<Role>,
    /// The only workflows that it starts, where its one role is `start`; none means any.
    #[schema(max_items = 100)]
    workflows: Vec<Name>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Keys {
    keys: Vec<Shown>,
}

/// A key, without what makes it one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
struct Shown {
    id: KeyId,
    name: String,
    /// What the whole key begins with.
    prefix: String,
    roles: Vec<Role>,
    workflows: Vec<Name>,
    created_at: Timestamp,
    /// By the minute.
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

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreatedKey)]
struct Created<'a> {
    /// The whole key, told here and never again.
    key: &'a str,
    #[serde(flatten)]
    shown: Shown,
}

/// Keys, newest first.
#[utoipa::path(
    get, path = "/v1/keys", tag = "keys", operation_id = "list_keys",
    params(Page),
    responses((status = 200, body = Keys)),
)]
pub(super) async fn list(
    State(door): State<Door>,
    Asked(page): Asked<Page>,
) -> Result<Json<Keys>, Problem> {
    let rows = door.dispatch.keys(page.limit).await?;
    Ok(Json(Keys { keys: rows.into_iter().map(Shown::from).collect() }))
}

/// Makes a key. It is told in this answer and never again.
#[utoipa::path(
    post, path = "/v1/keys", tag = "keys", operation_id = "create_key",
    request_body = Order,
    responses((status = 201, body = Created)),
)]
pub(super) async fn create(State(door): State<Door>, body: Body) -> Result<Response, Problem> {
    let Order { name, roles, workflows } = body::order(body).await?;
    let (key, row) = door.dispatch.create_key(KeyOrder { name, roles, workflows }).await?;
    let subject = Subject(format!("keys/{}", row.id));
    let revealed = key.reveal();
    let created = Created { key: &revealed, shown: row.into() };
    Ok((StatusCode::CREATED, Extension(subject), Json(created)).into_response())
}

/// Revokes a key. Another host may take it for 5 s more.
#[utoipa::path(
    delete, path = "/v1/keys/{id}", tag = "keys", operation_id = "revoke_key",
    params(("id" = KeyId, Path)),
    responses((status = 204)),
)]
pub(super) async fn revoke(
    State(door): State<Door>,
    Named(id): Named<KeyId>,
) -> Result<StatusCode, Problem> {
    door.dispatch.revoke_key(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
