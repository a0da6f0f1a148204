//! What a module may touch of the world: the words in which it is wanted, granted and refused.
//!
//! A module wants, an operator grants, and what holds is what both say. Each capability is one text, the same in a module's
//! attributes, in a grant, in a policy file and in an error: `docs/capabilities.md` has the grammar.

mod dir;
mod http;
mod reach;
mod standing;

pub use dir::{DirWant, Mode};
pub use http::{HttpTarget, Scheme};
pub use reach::{EnvName, Reach};
pub use standing::{Grant, Standing};

/// Why a text is no capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {what}: {why}; {example}")]
pub struct BadCapability {
    /// Which kind it should be.
    pub what: &'static str,
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
    /// How one looks.
    pub example: &'static str,
}
