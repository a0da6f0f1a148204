//! Names: of workflows, steps, modules, queues, tags, signals, counters.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A name of 1 to [`Name::BYTES_MAX`] bytes without control characters. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, min_length = 1, max_length = 128, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
pub struct Name(Arc<str>);

/// A text that may not be a name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadName {
    /// Nothing was given.
    #[error("a name may not be empty")]
    Empty,
    /// It is longer than [`Name::BYTES_MAX`].
    #[error(
        "the name starting with {start:?} has {bytes} bytes, at most {} are allowed",
        Name::BYTES_MAX
    )]
    Long {
        /// Its first characters.
        start: String,
        /// Its length.
        bytes: usize,
    },
    /// It holds a NUL, a line break or another control character.
    #[error("the name {name:?} holds a control character")]
    Control {
        /// The name.
        name: String,
    },
}

impl Name {
    /// The longest name, in bytes of UTF-8.
    pub const BYTES_MAX: usize = 128;

    /// Checks a text and makes it a name.
    pub fn new(text: &str) -> Result<Self, BadName> {
        if text.is_empty() {
            return Err(BadName::Empty);
        }
        if text.len() > Self::BYTES_MAX {
            return Err(BadName::Long {
                start: text.chars().take(24).collect(),
                bytes: text.len(),
            });
        }
        if text.chars().any(char::is_control) {
            return Err(BadName::Control { name: text.to_owned() });
        }
        Ok(Self(Arc::from(text)))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The queue that work goes to unless somebody says otherwise.
    pub fn default_queue() -> Self {
        Self(Arc::from("default"))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Name {
    type Error = BadName;

    fn try_from(text: &str) -> Result<Self, BadName> {
        Self::new(text)
    }
}

impl std::str::FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_nul_is_refused_at_the_door() {
        assert!(matches!(Name::new("a\0b"), Err(BadName::Control { .. })));
        assert_eq!(Name::new(""), Err(BadName::Empty));
        assert!(matches!(Name::new(&"x".repeat(129)), Err(BadName::Long { bytes: 129, .. })));
        assert_eq!(Name::new(&"x".repeat(128)).unwrap().as_str().len(), 128);
    }
}
