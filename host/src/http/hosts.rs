//! Hosts, and how much there is of what.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Door;
use super::error::Problem;
use super::path::{Asked, page_default};
use crate::dispatch::{Counts, HostRow};
use crate::model::{ExecutionState, HostId, Name, Timestamp};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    #[serde(default = "page_default")]
    #[param(minimum = 1, maximum = 1_000)]
    limit: u32,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Hosts {
    hosts: Vec<Host>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Host {
    id: HostId,
    name: String,
    alive: bool,
    lease_ends: Option<Timestamp>,
    version: String,
    started_at: Timestamp,
}

impl From<HostRow> for Host {
    fn from(row: HostRow) -> Self {
        let HostRow { id, name, alive, lease_ends, version, started_at } = row;
        Self { id, name, alive, lease_ends, version, started_at }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Stats {
    /// By state.
    #[schema(value_type = BTreeMap<String, u64>)]
    executions: BTreeMap<&'static str, u64>,
    tasks: Vec<Queue>,
    dead_letters: u64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueTasks)]
struct Queue {
    queue: Name,
    waiting: u64,
    running: u64,
}

impl From<Counts> for Stats {
    fn from(counts: Counts) -> Self {
        let mut executions: BTreeMap<_, _> =
            ExecutionState::ALL.into_iter().map(|state| (state.as_str(), 0)).collect();
        executions.extend(counts.executions.into_iter().map(|(state, n)| (state.as_str(), n)));
        let queue = |(queue, waiting, running)| Queue { queue, waiting, running };
        let tasks = counts.tasks.into_iter().map(queue).collect();
        Self { executions, tasks, dead_letters: counts.dead_letters }
    }
}

/// Host incarnations, those that live first, and of both the newest first.
#[utoipa::path(
    get, path = "/v1/hosts", tag = "hosts", operation_id = "list_hosts",
    params(Page), responses((status = 200, body = Hosts)),
)]
pub(super) async fn list(
    State(door): State<Door>,
    Asked(page): Asked<Page>,
) -> Result<Json<Hosts>, Problem> {
    let rows = door.dispatch.hosts(page.limit).await?;
    Ok(Json(Hosts { hosts: rows.into_iter().map(Host::from).collect() }))
}

/// How much there is of what.
#[utoipa::path(
    get, path = "/v1/stats", tag = "hosts", operation_id = "read_stats", responses((status = 200, body = Stats)),
)]
pub(super) async fn stats(State(door): State<Door>) -> Result<Json<Stats>, Problem> {
    Ok(Json(door.dispatch.counts().await?.into()))
}
