//! Modules: upload, list, show, activate.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Door;
use super::body::{self, Bound};
use super::caller::Caller;
use super::error::Problem;
use super::path::{Asked, Named};
use crate::dispatch::{Granting, ModuleRef, ModuleRow};
use crate::model::{Manifest, ModuleDigest, Name, Standing, Timestamp};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Modules {
    modules: Vec<Summary>,
}

/// A module in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ModuleSummary)]
struct Summary {
    name: Name,
    digest: ModuleDigest,
    size_bytes: u64,
    active: bool,
    created_at: Timestamp,
    activated_at: Option<Timestamp>,
    workflows: Vec<Name>,
    steps: Vec<Name>,
}

/// A module by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Module {
    #[serde(flatten)]
    summary: Summary,
    /// See docs/manifest.md.
    #[schema(value_type = Object)]
    manifest: Manifest,
    /// Said of a module that was just deployed.
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<Standing>,
}

impl Summary {
    fn of(row: &ModuleRow) -> Self {
        Self {
            name: row.name.clone(),
            digest: row.digest,
            size_bytes: row.size,
            active: row.activated_at.is_some(),
            created_at: row.created_at,
            activated_at: row.activated_at,
            workflows: row.manifest.workflows.iter().map(|spec| spec.name.clone()).collect(),
            steps: row.manifest.steps.iter().map(|spec| spec.name.clone()).collect(),
        }
    }
}

impl Module {
    fn of(row: &ModuleRow) -> Json<Self> {
        let summary = Summary::of(row);
        Json(Self { summary, manifest: row.manifest.clone(), capabilities: None })
    }
}

/// What an upload does about what its module wants.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Deployment {
    #[serde(default)]
    #[param(inline)]
    grant: Wish,
    by: Option<Name>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema, Serialize)]
#[serde(rename_all = "lowercase")]
#[schema(as = Grant)]
enum Wish {
    #[default]
    Leave,
    Wanted,
    Strict,
}

impl From<Wish> for Granting {
    fn from(wish: Wish) -> Self {
        match wish {
            Wish::Leave => Self::Leave,
            Wish::Wanted => Self::Wanted,
            Wish::Strict => Self::Strict,
        }
    }
}

/// Uploads a component, and makes it the active one of its name.
#[utoipa::path(
    put, path = "/v1/modules/{module}", tag = "modules", operation_id = "deploy_module",
    params(("module" = String, Path, min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$"), Deployment),
    request_body(content = String, content_type = "application/wasm", description = "The component"),
    responses((status = 200, body = Module)),
)]
pub(super) async fn deploy(
    State(door): State<Door>,
    Named(name): Named<Name>,
    Asked(asked): Asked<Deployment>,
    caller: Caller,
    body: Body,
) -> Result<Json<Module>, Problem> {
    let max = door.dispatch.limits().module_bytes_max;
    let bound = Bound { what: "the module", max, limit: "module_bytes_max" };
    let wasm = body::read(body, bound).await?;
    let by = caller.signs(asked.by);
    let deployed = door.dispatch.deploy_granting(&name, &wasm, asked.grant.into(), &by).await?;
    let (row, standing) = deployed;
    let Json(module) = Module::of(&row);
    Ok(Json(Module { capabilities: Some(standing), ..module }))
}

/// All modules, newest first.
#[utoipa::path(
    get, path = "/v1/modules", tag = "modules", operation_id = "list_modules", responses((status = 200, body = Modules)),
)]
pub(super) async fn list(State(door): State<Door>) -> Result<Json<Modules>, Problem> {
    let rows = door.dispatch.modules().await?;
    Ok(Json(Modules { modules: rows.iter().map(Summary::of).collect() }))
}

/// The active module of a name, or the module of a digest. Its digest is the ETag: `If-None-Match` is answered by 304.
#[utoipa::path(
    get, path = "/v1/modules/{module}", tag = "modules", operation_id = "show_module",
    params(("module" = String, Path, format = "module-reference")), responses((status = 200, body = Module, headers(("etag" = String))), (status = 304)),
)]
pub(super) async fn show(
    State(door): State<Door>,
    Named(module): Named<ModuleRef>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = door.dispatch.module(&module).await?;
    // What is told of a digest changes only by its being made the active one.
    let tag = format!("\"{}-{}\"", row.digest, row.activated_at.map_or(0, Timestamp::as_micros));
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let known = known.filter_map(|tags| tags.to_str().ok()).flat_map(|tags| tags.split(','));
    let mut known = known.map(|known| known.trim().trim_start_matches("W/"));
    let is_known = known.any(|known| known == "*" || known == tag);
    let etag = [(header::ETAG, tag)];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, etag).into_response());
    }
    Ok((etag, Module::of(&row)).into_response())
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "a JSON object", deny_unknown_fields)]
struct Activation {
    #[schema(pattern = "^[0-9a-f]{8,64}$")]
    digest: String,
}

/// Makes a module that was uploaded before the active one of its name again.
#[utoipa::path(
    post, path = "/v1/modules/{module}/activate", tag = "modules", operation_id = "activate_module",
    params(("module" = String, Path, min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")), request_body = Activation, responses((status = 200, body = Module)),
)]
pub(super) async fn activate(
    State(door): State<Door>,
    Named(name): Named<Name>,
    body: Body,
) -> Result<Json<Module>, Problem> {
    let order: Activation = body::order(body).await?;
    let digest = door.dispatch.digest(&order.digest).await?;
    let row = door.dispatch.activate(&name, digest).await?;
    Ok(Module::of(&row))
}
