//! JSON documents that the host carries and never rewrites.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// How deep lists and objects of a payload lie in one another at most: readers of JSON bound it too, commonly at 128, and an
/// answer of this host puts a payload a few levels down.
const DEPTH_MAX: usize = 100;

/// A JSON document as its author wrote it, byte for byte. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, ToSchema)]
#[schema(value_type = serde_json::Value)]
pub struct Payload(Arc<str>);

/// A text that is no payload.
#[derive(Debug, thiserror::Error)]
pub enum BadPayload {
    /// It is no JSON (RFC 8259).
    #[error("this is no JSON")]
    NotJson(#[source] serde_json::Error),
    /// Lists and objects lie too deep in one another.
    #[error(
        "the payload is nested deeper than the {DEPTH_MAX} levels that are allowed (payload_depth_max)"
    )]
    Deep,
    /// It is too long.
    #[error("the payload has {bytes} bytes, at most {max} are allowed (payload_bytes_max)")]
    Large {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
}

impl Payload {
    /// Checks that the text is JSON of at most `bytes_max` bytes.
    pub fn new(text: impl Into<Arc<str>>, bytes_max: usize) -> Result<Self, BadPayload> {
        let text = text.into();
        if text.len() > bytes_max {
            return Err(BadPayload::Large { bytes: text.len(), max: bytes_max });
        }
        serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(BadPayload::NotJson)?;
        check_depth(&text)?;
        Ok(Self(text))
    }

    /// Takes a text that was checked before, such as one read back from the store.
    pub fn from_checked(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The JSON of a value of the host's own.
    pub fn of(value: &serde_json::Value) -> Self {
        Self(value.to_string().into())
    }

    /// `null`.
    pub fn null() -> Self {
        Self("null".into())
    }

    /// The document.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its length in bytes.
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// The hash of several, one after the other, each with its length.
    pub fn hash_all(payloads: &[Self]) -> [u8; 16] {
        let mut sha = Sha256::new();
        for payload in payloads {
            sha.update(payload.bytes().to_be_bytes());
            sha.update(payload.as_str());
        }
        let mut hash = [0; 16];
        hash.copy_from_slice(&sha.finalize()[..16]);
        hash
    }

    /// SHA-256 of its bytes, cut to sixteen: what a replayed command is compared by.
    pub fn hash(&self) -> [u8; 16] {
        let mut hash = [0; 16];
        hash.copy_from_slice(&Sha256::digest(self.0.as_bytes())[..16]);
        hash
    }
}

/// Shows the length only: payloads are nobody's business in a log.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue =
            serde_json::from_str(&self.0).map_err(<S::Error as serde::ser::Error>::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        check_depth(raw.get()).map_err(<D::Error as serde::de::Error>::custom)?;
        Ok(Self(Arc::from(Box::<str>::from(raw))))
    }
}

/// How deep it goes, of a text that is JSON. Without a stack, as it was found to be JSON.
fn check_depth(json: &str) -> Result<(), BadPayload> {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth -= 1,
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(BadPayload::Deep);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_as_they_were_written() {
        let text = "{ \"b\": 1.0,  \"a\": [ ] }";

        let payload = Payload::new(text, 100).unwrap();

        assert_eq!(payload.as_str(), text);
        assert_eq!(serde_json::to_string(&payload).unwrap(), text);
        assert_eq!(serde_json::from_str::<Payload>(text).unwrap(), payload);
    }

    #[test]
    fn what_is_nested_too_deep_is_refused_however_deep_it_is() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let in_a_text = format!("\"\\\"{}\"", "[".repeat(1_000));

        for refused in [DEPTH_MAX + 1, 1 << 20] {
            let refused = nested(refused);
            assert!(matches!(Payload::new(refused.as_str(), 4 << 20), Err(BadPayload::Deep)));
            assert!(serde_json::from_str::<Payload>(&refused).is_err());
        }
        assert!(Payload::new(nested(DEPTH_MAX), 1 << 20).is_ok());
        assert!(Payload::new(in_a_text, 1 << 20).is_ok());
    }

    #[test]
    fn what_is_no_json_or_too_long_is_refused() {
        assert!(matches!(Payload::new("{", 100), Err(BadPayload::NotJson(_))));
        assert!(matches!(Payload::new("[1,2]", 4), Err(BadPayload::Large { bytes: 5, max: 4 })));
    }
}
