//! The limits that a step declares, and what is wrong with them.

use serde::{Deserialize, Serialize};

use super::{ManifestError, Name, Rate, StepOptions};

/// Limits of a step for each key of its input apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PerKey {
    /// Where the key is in the input: a JSON pointer (RFC 6901), empty for all of it.
    pub pointer: String,
    /// How many of one key may run at once in the whole cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u32>,
    /// How many of one key may start in a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<String>,
}

/// Bytes of a JSON pointer.
const POINTER_BYTES_MAX: usize = 256;

/// Refuses limits that make no sense.
pub(super) fn check_limits(name: &Name, options: &StepOptions) -> Result<(), ManifestError> {
    check_limit(name, ["max_concurrent", "rate"], (options.max_concurrent, &options.rate))?;
    let Some(per_key) = &options.per_key else { return Ok(()) };
    let bounds = |what, value: &str, bounds| {
        let (name, value) = (name.clone(), value.to_owned());
        Err(ManifestError::Bounds { what, name, value, bounds })
    };
    if !is_pointer(&per_key.pointer) {
        let form = "a JSON pointer of at most 256 bytes, such as \"/customer/id\", or empty";
        return bounds("per_key.pointer", &format!("{:?}", per_key.pointer), form);
    }
    if per_key.max_concurrent.is_none() && per_key.rate.is_none() {
        return bounds("per_key", "without a limit", "given max_concurrent, rate or both");
    }
    let what = ["per_key.max_concurrent", "per_key.rate"];
    check_limit(name, what, (per_key.max_concurrent, &per_key.rate))
}

fn check_limit(
    name: &Name,
    [slots_name, rate_name]: [&'static str; 2],
    (slots, rate): (Option<u32>, &Option<String>),
) -> Result<(), ManifestError> {
    let bounds = |what, value: String, bounds| {
        Err(ManifestError::Bounds { what, name: name.clone(), value, bounds })
    };
    if slots == Some(0) {
        return bounds(slots_name, "0".to_owned(), "at least 1; pause the queue to have none run");
    }
    match rate {
        Some(rate) if rate.parse::<Rate>().is_err() => {
            let form = "so many a second, minute, hour or day, at most 100,000 a second, as in \"10/s\" or \"100/m\"";
            bounds(rate_name, format!("{rate:?}"), form)
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether a text is a JSON pointer: nothing, or names behind a slash each, in which `~` stands before 0 or 1 only.
fn is_pointer(text: &str) -> bool {
    let escapes = text.split('~').skip(1);
    let is_escaped = escapes.into_iter().all(|rest| rest.starts_with(['0', '1']));
    text.len() <= POINTER_BYTES_MAX && (text.is_empty() || text.starts_with('/')) && is_escaped
}

#[cfg(test)]
mod tests {
    use super::super::Manifest;

    #[test]
    fn limits_that_make_no_sense_are_refused_with_the_way_out() {
        let read = |options: &str| {
            let json = format!(r#"{{"manifest":1,"steps":[{{"name":"a","options":{options}}}]}}"#);
            Manifest::read(&json).unwrap_err().to_string()
        };

        assert!(read(r#"{"max_concurrent":0}"#).contains("max_concurrent of a is 0"));
        assert!(read(r#"{"rate":"ten"}"#).contains("10/s"));
        for pointer in ["customer", "/a~2", "/a~"] {
            let options = format!(r#"{{"per_key":{{"pointer":"{pointer}","max_concurrent":1}}}}"#);
            assert!(read(&options).contains("JSON pointer"), "{pointer}");
        }
        assert!(read(r#"{"per_key":{"pointer":"/a"}}"#).contains("max_concurrent, rate or both"));
        assert!(read(r#"{"per_key":{"pointer":"/a","rate":"0/s"}}"#).contains("per_key.rate"));
    }
}
