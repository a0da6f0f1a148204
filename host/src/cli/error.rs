//! Why a command was not carried out.

use std::io::{self, Write};
use std::process::ExitCode;

use serde::Deserialize;

use super::out::{harmless, reason};
use crate::model::{ExecutionState, Failure, Standing};

/// Why a command was not carried out. A variant is another exit code, or another way out.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The execution has ended, and not well.
    #[error("execution {id} {}{}", state.predicate(), why(.failure.as_ref()))]
    Failed {
        /// Which.
        id: String,
        /// How.
        state: ExecutionState,
        /// Why, where it is known.
        failure: Option<Failure>,
    },
    /// The execution goes on, and nobody asked to wait.
    #[error("execution {id} is {state} and has no result yet; --wait waits for it")]
    NotYet {
        /// Which.
        id: String,
        /// How it stands.
        state: ExecutionState,
    },
    /// The execution does not go on by itself.
    #[error(
        "execution {id} is blocked; stepwell show {id} says why, stepwell resume {id} has it go on"
    )]
    Blocked {
        /// Which.
        id: String,
    },
    /// What was typed makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A file that was named cannot be read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nobody answered.
    #[error(
        "no stepwell host answers at {server} ({why}); start one with `stepwell serve`, or name another with --server or \
         STEPWELL_SERVER"
    )]
    Unreachable {
        /// Where.
        server: String,
        /// What happened.
        why: String,
    },
    /// Somebody is there, who does not talk as we do, or is not trusted.
    #[error("{server} is there, but nothing can be said to it: {why}; {advice}")]
    NoLine {
        /// Where.
        server: String,
        /// What TLS says.
        why: String,
        /// What to do.
        advice: &'static str,
    },
    /// The server asks for a key, and none was given.
    #[error(
        "{server} asks for a key: set STEPWELL_API_KEY to one, or name a file of one with --api-key-file; whoever runs the host \
         makes one with `stepwell keys create`"
    )]
    KeyNeeded {
        /// Where.
        server: String,
    },
    /// The key that was given is none.
    #[error(
        "{server} does not know this key, or it was revoked; `stepwell keys list`, with the key of an admin, lists those that \
         are good"
    )]
    KeyUnknown {
        /// Where.
        server: String,
    },
    /// The server said no.
    #[error("{0}")]
    Refused(Problem),
    /// The server said something that this client does not understand.
    #[error("{server} did not answer as a stepwell host of this version: {why}")]
    Strange {
        /// Where.
        server: String,
        /// What was odd.
        why: String,
    },
    /// Nobody reads the answer any more.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

fn why(failure: Option<&Failure>) -> String {
    failure.map(|failure| format!(": {}", harmless(&reason(failure)))).unwrap_or_default()
}

/// A problem document (RFC 9457), as far as people want to know it.
#[derive(Debug, Deserialize, thiserror::Error)]
#[error("{}{}{}", in_words(.detail), advice(.kind), lines(.errors))]
pub(super) struct Problem {
    #[serde(rename = "type", default)]
    kind: String,
    detail: String,
    #[serde(default)]
    errors: Vec<Breach>,
    #[serde(default)]
    capabilities: Option<Box<Standing>>,
}

impl Problem {
    /// How a module would stand that was refused for what it wants.
    pub(super) fn capabilities(&self) -> Option<&Standing> {
        self.capabilities.as_deref()
    }
}

/// One place where an input does not fit its schema.
#[derive(Debug, Deserialize, thiserror::Error)]
#[error("{}: {message}", if .pointer.is_empty() { "the whole" } else { .pointer })]
struct Breach {
    pointer: String,
    message: String,
}

/// Whoever typed has written no body.
fn in_words(detail: &str) -> String {
    detail.strip_prefix("the body").map_or(detail.to_owned(), |rest| format!("what was sent{rest}"))
}

/// Whoever asks may not.
const FORBIDDEN: &str = "urn:stepwell:problem:forbidden";

/// What to type, where the server cannot know that somebody types.
fn advice(kind: &str) -> &'static str {
    match kind {
        "urn:stepwell:problem:ambiguous-workflow" => " (here: --module NAME)",
        FORBIDDEN => {
            " (here: by STEPWELL_API_KEY; with an admin's, `stepwell keys create` makes one)"
        }
        "urn:stepwell:problem:not-granted" => " (here: --grant, or without --strict)",
        _ => "",
    }
}

fn lines(breaches: &[Breach]) -> String {
    let lines = breaches.iter().flat_map(|breach| ["\n  ".to_owned(), breach.to_string()]);
    lines.collect()
}

impl CliError {
    /// The same for where it is known who was asked, and where there is little room.
    pub(super) fn brief(&self) -> String {
        match self {
            Self::Unreachable { why, .. } | Self::Strange { why, .. } => why.clone(),
            other => other.to_string(),
        }
    }

    /// Whether another key would be answered something else.
    pub(super) fn is_about_who_asks(&self) -> bool {
        let is_forbidden = matches!(self, Self::Refused(problem) if problem.kind == FORBIDDEN);
        is_forbidden || matches!(self, Self::KeyNeeded { .. } | Self::KeyUnknown { .. })
    }

    fn code(&self) -> ExitCode {
        match self {
            Self::Failed { .. } | Self::NotYet { .. } | Self::Blocked { .. } => ExitCode::from(1),
            Self::Usage(_) | Self::Unreadable { .. } => ExitCode::from(2),
            Self::Unreachable { .. } | Self::NoLine { .. } | Self::Strange { .. } => {
                ExitCode::from(3)
            }
            Self::KeyNeeded { .. } | Self::KeyUnknown { .. } | Self::Refused(_) => {
                ExitCode::from(4)
            }
            // `stepwell list | head` is nobody's fault.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Self::Output(_) => ExitCode::FAILURE,
        }
    }

    /// Says it on standard error, and with which code to leave.
    pub(super) fn tell(&self) -> ExitCode {
        let code = self.code();
        if code != ExitCode::SUCCESS {
            // Where nobody listens, the code says it alone.
            writeln!(io::stderr().lock(), "stepwell: {self}").ok();
        }
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_document_becomes_a_message() {
        let document = r#"{"type":"urn:x","title":"t","status":422,"detail":"the input does not fit",
            "errors":[{"pointer":"/card","message":"is no text"},{"pointer":"","message":"no id"}]}"#;

        let problem: Problem = serde_json::from_str(document).unwrap();

        let expected = "the input does not fit\n  /card: is no text\n  the whole: no id";
        assert_eq!(CliError::Refused(problem).to_string(), expected);
    }

    #[test]
    fn whoever_has_to_name_a_module_is_told_the_flag() {
        let document =
            r#"{"type":"urn:stepwell:problem:ambiguous-workflow","detail":"in several"}"#;

        let problem: Problem = serde_json::from_str(document).unwrap();

        assert_eq!(CliError::Refused(problem).to_string(), "in several (here: --module NAME)");
    }

    #[test]
    fn an_end_is_told_in_words() {
        let failed = |state, failure| CliError::Failed { id: "E".to_owned(), state, failure };
        let timed_out = failed(ExecutionState::TimedOut, None).to_string();
        let cancelled = Some(Failure::new("cancelled", ""));

        assert_eq!(timed_out, "execution E has timed out");
        let told = failed(ExecutionState::Cancelled, cancelled).to_string();
        assert_eq!(told, "execution E was cancelled: cancelled");
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        let gone = CliError::Output(io::ErrorKind::BrokenPipe.into());

        assert_eq!(gone.tell(), ExitCode::SUCCESS);
    }
}
