//! Inputs against the JSON Schemas (2020-12) that modules declare.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use super::{DispatchError, Result, SchemaBreach};
use crate::model::{Manifest, ModuleDigest, Name, Payload, WorkflowSpec};

/// How many places an answer names.
const BREACHES_MAX: usize = 20;
/// How many compiled schemas are kept; beyond it all are dropped and compiled again as they are asked for.
const COMPILED_MAX: usize = 1_000;

/// The compiled schemas. One digest has one manifest for ever, so none of them goes stale.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    compiled: Mutex<HashMap<(ModuleDigest, Name), Arc<Validator>>>,
}

impl Schemas {
    /// Checks an input for a workflow of a module.
    pub(super) fn check(
        &self,
        module: ModuleDigest,
        spec: &WorkflowSpec,
        input: &Payload,
    ) -> Result<()> {
        if spec.input == Value::Bool(true) {
            return Ok(());
        }
        let validator = self.validator(module, spec)?;
        let found = breaches(&validator, input);
        if found.is_empty() {
            return Ok(());
        }
        Err(DispatchError::InvalidInput { workflow: spec.name.clone(), breaches: found })
    }

    fn validator(&self, module: ModuleDigest, spec: &WorkflowSpec) -> Result<Arc<Validator>> {
        let key = (module, spec.name.clone());
        // What is under the lock is only ever inserted whole.
        let kept = |schemas: &Self| {
            schemas.compiled.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
        };
        if let Some(validator) = kept(self) {
            return Ok(validator);
        }
        let validator = Arc::new(compile("workflow", &spec.name, &spec.input)?);
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if compiled.len() >= COMPILED_MAX {
            compiled.clear();
        }
        compiled.insert(key, Arc::clone(&validator));
        Ok(validator)
    }
}

/// Refuses a module whose schemas are none, so that no start has to find out.
pub(super) fn check_manifest(manifest: &Manifest) -> Result<()> {
    for spec in &manifest.workflows {
        compile("workflow", &spec.name, &spec.input)?;
        compile("workflow", &spec.name, &spec.output)?;
    }
    for spec in &manifest.steps {
        compile("step", &spec.name, &spec.input)?;
        compile("step", &spec.name, &spec.output)?;
    }
    Ok(())
}

/// Patterns run in linear time and nothing is fetched from elsewhere: modules are strangers.
fn compile(what: &'static str, name: &Name, schema: &Value) -> Result<Validator> {
    let options = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex());
    options.build(schema).map_err(|error| DispatchError::ModuleRefused {
        reason: format!("a schema of {what} {name} is no JSON Schema: {}", error.masked()),
    })
}

fn breaches(validator: &Validator, input: &Payload) -> Vec<SchemaBreach> {
    let value: Value = match serde_json::from_str(input.as_str()) {
        Ok(value) => value,
        // It is JSON, so it can only be nested too deeply or hold a number too large.
        Err(error) => {
            return vec![SchemaBreach { pointer: String::new(), message: error.to_string() }];
        }
    };
    let errors = validator.iter_errors(&value).take(BREACHES_MAX);
    let breach = |error: jsonschema::ValidationError<'_>| SchemaBreach {
        pointer: error.instance_path().to_string(),
        // Without the value itself, which may be a megabyte.
        message: error.masked().to_string(),
    };
    errors.map(breach).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "callers write the schema in place")]
    fn check(schema: Value, input: &str) -> Result<()> {
        let spec = json!({ "name": "checkout", "input": schema });
        let spec: WorkflowSpec = serde_json::from_value(spec).unwrap();
        Schemas::default().check(ModuleDigest::of(b"m"), &spec, &Payload::from_checked(input))
    }

    fn pointers(refused: Result<()>) -> Vec<String> {
        match refused {
            Err(DispatchError::InvalidInput { breaches, .. }) => {
                breaches.into_iter().map(|breach| breach.pointer).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_place_that_does_not_fit_is_named() {
        let schema = json!({
            "type": "object",
            "properties": { "quantity": { "minimum": 1 }, "card": { "type": "string" } },
            "required": ["id"],
        });

        let found = pointers(check(schema, r#"{"quantity":0,"card":7}"#));

        assert_eq!(found.len(), 3);
        assert!(found.contains(&"/quantity".to_owned()));
        assert!(found.contains(&"/card".to_owned()));
        assert!(found.contains(&String::new()));
    }

    #[test]
    fn an_answer_names_no_more_than_twenty_places() {
        let schema = json!({ "items": { "type": "string" } });

        let input = format!("[{}]", vec!["1"; 100].join(","));

        assert_eq!(pointers(check(schema, &input)).len(), BREACHES_MAX);
    }

    #[test]
    fn what_is_nested_too_deeply_does_not_fit() {
        let input = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));

        assert_eq!(pointers(check(json!({ "type": "array" }), &input)), [""]);
    }

    #[test]
    fn the_schema_that_takes_anything_is_not_even_read() {
        assert!(check(json!(true), "[1e999]").is_ok());
    }

    #[test]
    fn a_module_with_a_schema_that_is_none_is_refused() {
        let manifest = |input: Value| {
            let manifest = json!({ "manifest": 1, "workflows": [{ "name": "w", "input": input }] });
            Manifest::read(&manifest.to_string()).unwrap()
        };

        assert!(check_manifest(&manifest(json!({ "type": "object" }))).is_ok());
        for bad in [json!({ "type": "objekt" }), json!({ "$ref": "https://example.com/x.json" })] {
            let refused = check_manifest(&manifest(bad)).unwrap_err();
            assert!(refused.to_string().contains("workflow w"), "{refused}");
        }
    }

    #[test]
    fn a_hostile_pattern_costs_no_time() {
        let schema = json!({ "pattern": "^(a+)+$" });

        let input = format!("\"{}!\"", "a".repeat(100_000));

        assert_eq!(pointers(check(schema, &input)), [""]);
    }
}
