//! How a schedule is written, as a JSON Schema.

use utoipa::openapi::{AllOfBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::ScheduleSpec;
use super::spec::Written;

impl PartialSchema for ScheduleSpec {
    /// As it is written, with either of the two ways to say when.
    fn schema() -> RefOr<Schema> {
        let either = serde_json::json!({ "oneOf": [
            {
                "type": "object", "required": ["cron"],
                "properties": { "cron": { "type": "string" }, "every": { "type": "null" } }
            },
            {
                "type": "object", "required": ["every"],
                "properties": {
                    "every": { "type": "string" },
                    "cron": { "type": "null" },
                    "time_zone": { "type": "null" }
                }
            },
        ] });
        let either: Schema = serde_json::from_value(either).expect("it is a schema");
        Schema::AllOf(AllOfBuilder::new().item(Written::schema()).item(either).build()).into()
    }
}

impl ToSchema for ScheduleSpec {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Written::schemas(schemas);
    }
}
