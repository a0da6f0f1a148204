//! What the modules of a name are granted: show, change.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::Door;
use super::body;
use super::error::Problem;
use super::path::Named;
use crate::dispatch::GrantOrder;
use crate::model::{Name, Standing, WrittenCapabilities};

/// How a module stands.
#[derive(Debug, Serialize)]
pub(super) struct Grants {
    name: Name,
    #[serde(flatten)]
    standing: Standing,
}

/// How the modules of a name stand.
pub(super) async fn show(
    State(door): State<Door>,
    Named(name): Named<Name>,
) -> Result<Json<Grants>, Problem> {
    let standing = door.dispatch.standing(&name).await?;
    Ok(Json(Grants { name, standing }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(expecting = "a JSON object", deny_unknown_fields)]
struct Order {
    /// In place of what was granted before.
    granted: Option<WrittenCapabilities>,
    /// Beside what was granted before.
    #[serde(default)]
    wanted: bool,
    by: Option<Name>,
}

/// Who grants where nobody says.
pub(super) fn nobody() -> Name {
    Name::new("nobody said").expect("this is a name")
}

/// Grants.
pub(super) async fn put(
    State(door): State<Door>,
    Named(name): Named<Name>,
    body: Body,
) -> Result<Json<Grants>, Problem> {
    let Order { granted, wanted, by } = body::order(body).await?;
    let order = match (granted, wanted) {
        (Some(granted), false) => GrantOrder::These(granted.into()),
        (None, true) => GrantOrder::Wanted,
        (Some(_), true) | (None, false) => {
            return Err(Problem::invalid(
                "say either what is granted, {\"granted\":{...}}, or that it is all that the module wants, \
                 {\"wanted\":true}",
            ));
        }
    };
    let standing = door.dispatch.grant(&name, order, &by.unwrap_or_else(nobody)).await?;
    Ok(Json(Grants { name, standing }))
}
