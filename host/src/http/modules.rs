//! Modules: upload, list, show, activate.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::Door;
use super::body::{self, Bound};
use super::error::Problem;
use super::grants;
use super::path::{Asked, Named};
use crate::dispatch::{Granting, ModuleRef, ModuleRow};
use crate::model::{Manifest, ModuleDigest, Name, Standing, Timestamp};

#[derive(Debug, Serialize)]
pub(super) struct Modules {
    modules: Vec<Summary>,
}

/// A module in a list.
#[derive(Debug, Serialize)]
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
#[derive(Debug, Serialize)]
pub(super) struct Module {
    #[serde(flatten)]
    summary: Summary,
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
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deployment {
    #[serde(default)]
    grant: Wish,
    by: Option<Name>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
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
pub(super) async fn deploy(
    State(door): State<Door>,
    Named(name): Named<Name>,
    Asked(asked): Asked<Deployment>,
    body: Body,
) -> Result<Json<Module>, Problem> {
    let max = door.dispatch.limits().module_bytes_max;
    let bound = Bound { what: "the module", max, limit: "module_bytes_max" };
    let wasm = body::read(body, bound).await?;
    let by = asked.by.unwrap_or_else(grants::nobody);
    let deployed = door.dispatch.deploy_granting(&name, &wasm, asked.grant.into(), &by).await?;
    let (row, standing) = deployed;
    let Json(module) = Module::of(&row);
    Ok(Json(Module { capabilities: Some(standing), ..module }))
}

/// All modules, newest first.
pub(super) async fn list(State(door): State<Door>) -> Result<Json<Modules>, Problem> {
    let rows = door.dispatch.modules().await?;
    Ok(Json(Modules { modules: rows.iter().map(Summary::of).collect() }))
}

/// The active module of a name, or the module of a digest.
pub(super) async fn show(
    State(door): State<Door>,
    Named(module): Named<ModuleRef>,
) -> Result<Json<Module>, Problem> {
    Ok(Module::of(&*door.dispatch.module(&module).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(expecting = "a JSON object", deny_unknown_fields)]
struct Activation {
    digest: String,
}

/// Makes a module that was uploaded before the active one of its name again.
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
