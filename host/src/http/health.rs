//! Whether the host lives, and whether it works.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Door;
use super::error::Problem;

/// Greets whoever opens the address in a browser.
pub(super) async fn welcome() -> &'static str {
    concat!("Stepwell ", env!("CARGO_PKG_VERSION"), ". The API begins at /v1; see docs/api.md.\n")
}

/// The process lives: it answers.
pub(super) async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The host carries orders out.
pub(super) async fn ready(State(door): State<Door>) -> Result<Json<Value>, Problem> {
    if door.is_ready() { Ok(Json(json!({ "status": "ready" }))) } else { Err(Problem::not_ready()) }
}
