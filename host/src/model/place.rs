//! Where the failure of a child came from, as its parent reads it.

use std::collections::BTreeMap;

use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::{ExecutionId, Failure, Name, Payload};

/// The most places that a failure carries; of a longer way the innermost are kept.
const PLACES_MAX: usize = 16;

/// The field of a failure's details that holds the way to what failed, outermost first: `{"execution", "workflow"}` of a
/// child, `{"step"}` of a step.
const FIELD: &str = "path";

impl Failure {
    /// The failure of a child as its parent reads it: with the child in front of the way to what failed. Details that are
    /// neither an object nor absent have no room for it and stay as they are, and so do those with a `path` of their own.
    #[must_use]
    pub fn of_child(self, workflow: &Name, child: ExecutionId) -> Self {
        let place = json!({ "execution": child, "workflow": workflow });
        let details = match &self.details {
            None => Some(Payload::of(&json!({ FIELD: [place] }))),
            Some(details) => with_place(details, &place),
        };
        Self { details: details.or(self.details), ..self }
    }
}

/// None where there is no room.
fn with_place(details: &Payload, place: &serde_json::Value) -> Option<Payload> {
    // Fields are carried as their author wrote them.
    let mut fields: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(details.as_str()).ok()?;
    let mut places: Vec<serde_json::Value> = match fields.get(FIELD) {
        None => Vec::new(),
        Some(places) => serde_json::from_str(places.get()).ok()?,
    };
    let is_place =
        |place: &serde_json::Value| place["step"].is_string() || place["workflow"].is_string();
    if places.len() >= PLACES_MAX || !places.iter().all(is_place) {
        return None;
    }
    places.insert(0, place.clone());
    fields.insert(FIELD.to_owned(), to_raw_value(&places).ok()?);
    Some(Payload::from_checked(serde_json::to_string(&fields).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_child(details: Option<&str>) -> Option<String> {
        let details = details.map(|json| Payload::new(json, 10_000).unwrap());
        let failure = Failure { details, ..Failure::new("declined", "no") };
        let child = ExecutionId::from_bytes([7; 16]);
        let failure = failure.of_child(&Name::new("pay").unwrap(), child);
        failure.details.map(|details| details.as_str().to_owned())
    }

    const PAY: &str = r#"{"execution":"07070707-0707-0707-0707-070707070707","workflow":"pay"}"#;

    #[test]
    fn the_child_is_put_in_front_and_the_rest_is_left_as_it_was_written() {
        assert_eq!(of_child(None), Some(format!(r#"{{"path":[{PAY}]}}"#)));
        assert_eq!(
            of_child(Some(r#"{"exact":1.50,"path":[{"step":"charge"}]}"#)),
            Some(format!(r#"{{"exact":1.50,"path":[{PAY},{{"step":"charge"}}]}}"#))
        );
    }

    #[test]
    fn where_there_is_no_room_the_details_stay() {
        let full = format!(r#"{{"path":[{}]}}"#, [r#"{"step":"s"}"#; PLACES_MAX].join(","));
        for own in ["[1]", "7", r#"{"path":"/tmp"}"#, r#"{"path":["tmp"]}"#, &full] {
            assert_eq!(of_child(Some(own)).as_deref(), Some(own));
        }
    }
}
