//! Where a failure came from: the way from whoever reads it down to the step that failed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The most places that a failure carries; of a longer way the innermost are kept.
pub(crate) const PLACES_MAX: usize = 16;

/// The field of a failure's details that holds the way.
const FIELD: &str = "path";

/// One place on the way to what failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Place {
    /// A child.
    Child {
        /// Its workflow.
        workflow: String,
        /// Its id, a UUID.
        execution: String,
    },
    /// A step.
    Step {
        /// Its name.
        step: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Child { workflow, execution } => write!(f, "workflow {workflow} ({execution})"),
            Self::Step { step } => write!(f, "step {step}"),
        }
    }
}

/// Takes the way out of details. What is left is what the author gave.
pub(crate) fn take(details: Option<String>) -> (Option<String>, Vec<Place>) {
    let Some(json) = details else { return (None, Vec::new()) };
    let taken = json.contains(FIELD).then(|| split(&json)).flatten();
    taken.unwrap_or((Some(json), Vec::new()))
}

fn split(json: &str) -> Option<(Option<String>, Vec<Place>)> {
    let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json).ok()?;
    let places = serde_json::from_str(fields.remove(FIELD)?.get()).ok()?;
    let rest = if fields.is_empty() { None } else { Some(serde_json::to_string(&fields).ok()?) };
    Some((rest, places))
}

/// Puts the way into details that are an object or none. Others have no room for it, and stay as they are.
pub(crate) fn put(details: Option<String>, places: &[Place]) -> Option<String> {
    if places.is_empty() {
        return details;
    }
    let with_places = || {
        let json = details.as_deref().unwrap_or("{}");
        let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json).ok()?;
        if !fields.contains_key(FIELD) {
            fields.insert(FIELD.to_owned(), serde_json::value::to_raw_value(places).ok()?);
        }
        serde_json::to_string(&fields).ok()
    };
    with_places().or(details)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str) -> Place {
        Place::Step { step: name.to_owned() }
    }

    #[test]
    fn what_was_put_in_is_taken_out_and_leaves_what_was_there() {
        let places = [
            Place::Child { workflow: "pay".to_owned(), execution: "e-1".to_owned() },
            step("charge"),
        ];

        for details in [None, Some(r#"{"code":5,"exact":1.50}"#.to_owned())] {
            let put = put(details.clone(), &places);
            assert_eq!(take(put), (details, places.to_vec()));
        }
    }

    #[test]
    fn details_that_are_no_object_or_have_a_path_of_their_own_stay() {
        for own in ["[1,2]", "\"path\"", r#"{"path":"/tmp"}"#] {
            let put = put(Some(own.to_owned()), &[step("charge")]);

            assert_eq!(put.as_deref(), Some(own));
            assert_eq!(take(put), (Some(own.to_owned()), vec![]));
        }
    }
}
