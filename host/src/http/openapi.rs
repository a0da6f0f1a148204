//! The description of the API (OpenAPI 3.1), made from the handlers.

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::Value;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref,
    RefOr, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use super::error::Problem;
use super::{Door, access, api, web};

/// What keys are called in the document.
const SCHEME: &str = "key";

/// What stands in the document beside its routes.
pub(super) fn frame() -> OpenApi {
    let license = LicenseBuilder::new().name("MIT OR Apache-2.0").build();
    let info = InfoBuilder::new()
        .title("Stepwell")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Durable workflows in WebAssembly sandboxes."))
        .license(Some(license));
    let bearer = SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "A key, once there is one; what its role must be stands in docs/access.md",
            ))
            .build(),
    );
    let components = ComponentsBuilder::new().security_scheme(SCHEME, bearer).build();
    OpenApiBuilder::new().info(info).components(Some(components)).build()
}

/// All routes, and the document that describes them at `/openapi.json`.
pub(super) fn routes() -> Router<Door> {
    let (router, mut document) = api().split_for_parts();
    refuse_alike(&mut document);
    let mut json = serde_json::to_value(document).expect("its keys are texts");
    complete(&mut json);
    let json = Bytes::from(json.to_string());
    let tell = move || async move {
        ([(header::CONTENT_TYPE, "application/json")], json.clone()).into_response()
    };
    router.merge(web::routes()).merge(access::routes()).route("/openapi.json", get(tell))
}

/// Whatever is refused is refused by a problem document.
fn refuse_alike(document: &mut OpenApi) {
    let problem = Ref::from_schema_name(Problem::name());
    let content = ContentBuilder::new().schema(Some(problem)).build();
    let refusal = ResponseBuilder::new()
        .description("Why not (RFC 9457)")
        .content("application/problem+json", content)
        .build();
    let components = document.components.get_or_insert_default();
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    let mut schemas = Vec::new();
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    components.responses.insert("Problem".to_owned(), RefOr::T(refusal));
    for (route, path) in &mut document.paths.paths {
        let operations = [
            ("GET", &mut path.get),
            ("PUT", &mut path.put),
            ("POST", &mut path.post),
            ("DELETE", &mut path.delete),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            refuse(operation);
            if access::needs_key(method, route) {
                let none: [&str; 0] = [];
                operation.security = Some(vec![SecurityRequirement::new(SCHEME, none)]);
            }
        }
    }
}

fn refuse(operation: &mut Operation) {
    let refusal = RefOr::Ref(Ref::from_response_name("Problem"));
    operation.responses.responses.insert("default".to_owned(), refusal);
}

/// What the macros leave out: a parameter that is not given is left out (in a header or a query `null` is a text like any
/// other), and each answer says in words what it is.
fn complete(document: &mut Value) {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    let operations = paths.filter_map(Value::as_object_mut).flat_map(|path| path.values_mut());
    for operation in operations {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        parameters
            .into_iter()
            .flatten()
            .for_each(|parameter| say_no_null(&mut parameter["schema"]));
        let answers = operation.get_mut("responses").and_then(Value::as_object_mut);
        answers.into_iter().flatten().for_each(|(status, answer)| say_what(status, answer));
    }
}

fn say_no_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|kind| kind != "null");
        schema["type"] = types.swap_remove(0);
    }
    let either = schema.get("oneOf").and_then(Value::as_array).and_then(|either| either.last());
    if let Some(given) = either.cloned() {
        *schema = given;
    }
}

fn say_what(status: &str, answer: &mut Value) {
    let Some(answer) = answer.as_object_mut().filter(|answer| !answer.contains_key("$ref")) else {
        return;
    };
    let code = status.parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
    let reason = code.and_then(|code| code.canonical_reason()).unwrap_or(status);
    answer.entry("description").or_insert_with(|| reason.into());
}
