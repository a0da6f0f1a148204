//! What the modules of a name are granted: show, change.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::Door;
use super::body;
use super::caller::Caller;
use super::error::Problem;
use super::path::Named;
use crate::dispatch::GrantOrder;
use crate::model::{Name, Standing, WrittenCapabilities};

/// How a module stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Grants {
    name: Name,
    #[serde(flatten)]
    standing: Standing,
}

/// How the modules of a name stand.
#[utoipa::path(
    get, path = "/v1/modules/{module}/grants", tag = "modules", operation_id = "show_grants",
    params(("module" = String, Path, min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")), responses((status = 200, body = Grants)),
)]
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

/// How an order is written: of what is granted and that it is all, one.
#[derive(Debug, ToSchema)]
#[schema(as = GrantOrder)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is the description of a body")]
enum Written {
    These(These),
    Wanted(Wanted),
}

#[derive(Debug, ToSchema)]
#[schema(as = GrantThese)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is the description of a body")]
struct These {
    /// In place of what was granted before.
    granted: Granted,
    by: Option<Name>,
}

/// As docs/capabilities.md has it.
#[derive(Debug, ToSchema)]
#[schema(as = GrantedCapabilities)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is the description of a body")]
struct Granted {
    #[schema(required = false)]
    http: Vec<HttpText>,
    #[schema(required = false)]
    dir: Vec<DirText>,
    #[schema(required = false)]
    env: Vec<EnvText>,
    #[schema(required = false)]
    secret: Vec<SecretText>,
}

/// `[METHOD,METHOD ][http://]host[:port]`.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = "http-capability")]
#[expect(dead_code, reason = "it is the description of a text")]
struct HttpText(String);

/// `/guest/path:ro` or `:rw`.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = "dir-capability")]
#[expect(dead_code, reason = "it is the description of a text")]
struct DirText(String);

/// The name of a variable.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 128, pattern = "^[A-Za-z_][A-Za-z0-9_]*$")]
#[expect(dead_code, reason = "it is the description of a text")]
struct EnvText(String);

/// The name of a secret, which is not that of a variable too.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = "secret-name")]
#[expect(dead_code, reason = "it is the description of a text")]
struct SecretText(String);

#[derive(Debug, ToSchema)]
#[schema(as = GrantWanted)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is the description of a body")]
struct Wanted {
    /// Beside what was granted before: all that the module wants.
    #[schema(inline)]
    wanted: True,
    by: Option<Name>,
}

/// Only `true`.
#[derive(Debug)]
struct True;

impl PartialSchema for True {
    fn schema() -> RefOr<Schema> {
        let only = [serde_json::Value::Bool(true)];
        ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some(only)).build().into()
    }
}

impl ToSchema for True {}

/// Grants.
#[utoipa::path(
    put, path = "/v1/modules/{module}/grants", tag = "modules", operation_id = "put_grants",
    params(("module" = String, Path, min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")), request_body = Written, responses((status = 200, body = Grants)),
)]
pub(super) async fn put(
    State(door): State<Door>,
    Named(name): Named<Name>,
    caller: Caller,
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
    let standing = door.dispatch.grant(&name, order, &caller.signs(by)).await?;
    Ok(Json(Grants { name, standing }))
}
