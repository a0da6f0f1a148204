//! Why something failed: for policies that match on it, for people, and for callers.

use std::fmt::{self, Display, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::stepwell::workflow::types;
use crate::place::{self, PLACES_MAX, Place};

/// Why a step or workflow failed.
///
/// Every ordinary error becomes one by `?`, with kind [`Failure::ERROR`]. For that reason a `Failure` is not itself a
/// [`std::error::Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What retry policies and callers match on: short and stable, such as `"card-declined"`.
    pub kind: String,
    /// One sentence for people.
    pub message: String,
    details: Option<String>,
    places: Vec<Place>,
}

impl Failure {
    /// An ordinary error that nobody gave a kind.
    pub const ERROR: &str = "error";
    /// The execution is being cancelled; compensate and return.
    pub const CANCELLED: &str = "cancelled";
    /// The time given has passed.
    pub const TIMED_OUT: &str = "timed-out";
    /// An input is not what its function takes.
    pub const INVALID_INPUT: &str = "invalid-input";
    /// An output is not what its caller takes.
    pub const INVALID_OUTPUT: &str = "invalid-output";
    /// A text is no duration.
    pub const INVALID_DURATION: &str = "invalid-duration";
    /// A workflow waits for something that is no promise and would wait for ever.
    pub const DEADLOCKED: &str = "deadlocked";
    /// Something was used where it does not work: durable waiting inside a step, for example.
    pub const MISPLACED: &str = "misplaced";
    /// A [`crate::saga`] failed, and could not undo all that it had done: a person must look.
    pub const NOT_UNDONE: &str = "not-undone";

    /// A failure of that kind. The message is one sentence for people.
    pub fn new(kind: impl Into<String>, message: impl Display) -> Self {
        Self { kind: kind.into(), message: message.to_string(), details: None, places: Vec::new() }
    }

    /// Adds details for callers, as JSON. What cannot be written as JSON is left out, and the message says so.
    #[must_use]
    pub fn with_details(mut self, details: impl Serialize) -> Self {
        match serde_json::to_string(&details) {
            Ok(json) => self.details = Some(json),
            Err(error) => {
                // Writing into a `String` has no way to go wrong.
                write!(self.message, " (its details are no JSON: {error})").ok();
            }
        }
        self
    }

    /// The details, where there are some of that type.
    pub fn details<T: DeserializeOwned>(&self) -> Option<T> {
        self.details.as_deref().and_then(|json| serde_json::from_str(json).ok())
    }

    /// The way to what failed, from whoever reads this down: children, and the step. At most 16 places, the innermost. Whoever
    /// reads the failure from outside finds it under `path` in its details, where those are an object or none.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The same failure, as it came from there.
    pub(crate) fn at(mut self, places: Vec<Place>) -> Self {
        self.places = places;
        self
    }

    /// The same failure, as whoever called that step sees it.
    pub(crate) fn of_step(mut self, step: &str) -> Self {
        if self.places.len() < PLACES_MAX {
            self.places.insert(0, Place::Step { step: step.to_owned() });
        }
        self
    }

    /// Whether it is of that kind.
    pub fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(source) = cause {
            // Writing into a `String` has no way to go wrong.
            write!(message, ": {source}").ok();
            cause = source.source();
        }
        Self::new(Self::ERROR, message)
    }
}

/// Crosses the border to the host.
pub(crate) fn into_wit(failure: Failure) -> types::Failure {
    let Failure { kind, message, details, places } = failure;
    types::Failure { kind, message, details: place::put(details, &places) }
}

/// Crosses the border from the host.
pub(crate) fn from_wit(failure: types::Failure) -> Failure {
    let types::Failure { kind, message, details } = failure;
    let (details, places) = place::take(details);
    Failure { kind, message, details, places }
}

/// Returns a [`Failure`] of a kind, with a message in the manner of `format!`.
///
/// ```
/// # extern crate stepwell_sdk as stepwell;
/// # use stepwell::Failure;
/// fn refuse(amount: u64) -> Result<(), Failure> {
///     if amount > 10_000 {
///         stepwell::bail!("too-much", "{amount} is more than anyone may spend");
///     }
///     Ok(())
/// }
/// # fn main() {
/// assert!(refuse(20_000).unwrap_err().is("too-much"));
/// # }
/// ```
#[macro_export]
macro_rules! bail {
    ($kind:expr, $($message:tt)+) => {
        return ::core::result::Result::Err($crate::Failure::new($kind, ::std::format!($($message)+)))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);

    impl Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the amount cannot be read")
        }
    }

    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn an_ordinary_error_becomes_one_with_its_causes() {
        let failure = Failure::from("x".parse::<u32>().map_err(Outer).unwrap_err());

        assert!(failure.is(Failure::ERROR));
        assert_eq!(failure.message, "the amount cannot be read: invalid digit found in string");
    }

    #[test]
    fn details_are_read_back() {
        let failure = Failure::new("declined", "no").with_details(vec![1, 2]);

        assert_eq!(failure.details::<Vec<u32>>(), Some(vec![1, 2]));
        assert_eq!(failure.details::<String>(), None);
        assert_eq!(from_wit(into_wit(failure.clone())), failure);
    }
}
