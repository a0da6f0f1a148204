//! An input that fits a schema, for people to begin with. Pure.

use serde_json::{Map, Value, json};

/// Schemas that speak of themselves have no end.
const DEPTH_MAX: usize = 8;

/// An example of what a schema describes: what it says itself, or the simplest thing that fits it as far as that is easily seen.
pub(super) fn example(schema: &Value) -> Value {
    of(schema, schema, DEPTH_MAX)
}

fn of(schema: &Value, root: &Value, depth: usize) -> Value {
    let Some(rules) = schema.as_object().filter(|_| depth > 0) else { return Value::Null };
    if let Some(given) = given(rules) {
        return given.clone();
    }
    if let Some(place) = rules.get("$ref").and_then(Value::as_str) {
        let place = place.strip_prefix('#').unwrap_or_default();
        return root.pointer(place).map_or(Value::Null, |schema| of(schema, root, depth - 1));
    }
    for several in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) =
            rules.get(several).and_then(Value::as_array).and_then(|all| all.first())
        {
            return of(first, root, depth - 1);
        }
    }
    match kind(rules) {
        Some("object") => object(rules, root, depth),
        Some("array") => {
            let least = rules.get("minItems").and_then(Value::as_u64).unwrap_or(0);
            let item = || of(rules.get("items").unwrap_or(&Value::Null), root, depth - 1);
            (0..least.min(3)).map(|_| item()).collect()
        }
        Some("string") => json!(text(rules)),
        Some("integer" | "number") => rules.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(false),
        Some(_) | None => Value::Null,
    }
}

fn given(rules: &Map<String, Value>) -> Option<&Value> {
    let first = |name: &str| rules.get(name).and_then(Value::as_array).and_then(|all| all.first());
    first("examples").or(rules.get("const")).or(rules.get("default")).or_else(|| first("enum"))
}

fn kind(rules: &Map<String, Value>) -> Option<&str> {
    match rules.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        Some(kind) => kind.as_str(),
        None if rules.contains_key("properties") => Some("object"),
        None => None,
    }
}

/// With all that is required, and nothing else.
fn object(rules: &Map<String, Value>, root: &Value, depth: usize) -> Value {
    let none = Map::new();
    let properties = rules.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let required = rules.get("required").and_then(Value::as_array);
    let required = required.map_or(&[][..], Vec::as_slice).iter().filter_map(Value::as_str);
    let field = |name: &str| {
        let schema = properties.get(name).unwrap_or(&Value::Null);
        (name.to_owned(), of(schema, root, depth - 1))
    };
    Value::Object(required.map(field).collect())
}

fn text(rules: &Map<String, Value>) -> String {
    match rules.get("format").and_then(Value::as_str) {
        Some("date-time") => "2030-01-31T12:00:00Z".to_owned(),
        Some("uri") => "https://example.com/".to_owned(),
        Some("email") => "somebody@example.com".to_owned(),
        Some(_) | None => {
            let least = rules.get("minLength").and_then(Value::as_u64).unwrap_or(0);
            let length = usize::try_from(least.min(64)).unwrap_or(0);
            format!("{:x<length$}", "text")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_required_is_there_and_fits() {
        let schema = json!({
            "type": "object",
            "required": ["id", "cents", "items", "kind", "card"],
            "properties": {
                "id": { "type": "string" },
                "cents": { "type": "integer", "minimum": 0 },
                "items": { "type": "array", "items": { "type": "boolean" }, "minItems": 2 },
                "kind": { "enum": ["gift", "sale"] },
                "card": { "$ref": "#/$defs/Card" },
                "note": { "type": ["string", "null"] },
            },
            "$defs": { "Card": { "type": "object", "required": ["owner"], "properties": { "owner": { "type": "string" } } } },
        });

        let example = example(&schema);

        let expected = json!({
            "id": "text", "cents": 0, "items": [false, false], "kind": "gift", "card": { "owner": "text" },
        });
        assert_eq!(example, expected);
    }

    #[test]
    fn what_has_no_end_ends() {
        let schema = json!({ "required": ["next"], "properties": { "next": { "$ref": "#" } } });

        assert!(example(&schema).is_object());
        assert_eq!(example(&json!(true)), Value::Null);
    }
}
