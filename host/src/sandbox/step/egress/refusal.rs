//! Why a request was not made, or not finished, in the words that its guest reads.

use wasmtime_wasi_http::Error;

/// Why a request ends without an answer. The guest reads it in the error that its client gives it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// Nobody granted it: this names the capability and the way out.
    #[error("not-granted: {0}")]
    NotGranted(String),
    /// A bound was gone past: this names it.
    #[error("limit-exceeded: {0}")]
    Limit(String),
    /// It makes no sense.
    #[error("invalid-request: {0}")]
    Invalid(String),
    /// The weather between here and there.
    #[error("the request failed")]
    Weather(Error),
}

impl Refusal {
    pub(super) fn not_granted(what: impl Into<String>) -> Self {
        Self::NotGranted(what.into())
    }

    /// A bound, by the name that `docs/limits.md` has for it.
    pub(super) fn limit(name: &str, what: &str, max: u128, unit: &str) -> Self {
        Self::Limit(format!("{what} goes beyond {max} {unit} (egress.{name})"))
    }
}

impl From<Refusal> for Error {
    /// `wasi:http` has codes for the weather, and a text for everything else.
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Weather(error) => error,
            other => Self::InternalError(Some(other.to_string())),
        }
    }
}
