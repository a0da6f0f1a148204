//! What was typed, looked at before anybody is asked.

use serde_json::value::RawValue;
use tokio::io::AsyncReadExt;

use super::error::CliError;
use crate::model::{ExecutionId, Name, TaskId};

/// An execution's id, as the server writes it.
pub(super) fn execution(text: &str) -> Result<String, CliError> {
    let id: Result<ExecutionId, _> = text.parse();
    id.map(|id| id.to_string()).map_err(|error| {
        CliError::Usage(format!("{error}: it is what stepwell run prints, see stepwell list"))
    })
}

/// A dead letter's id.
pub(super) fn dead_letter(text: &str) -> Result<String, CliError> {
    let id: Result<i64, _> = text.parse();
    id.map(|id| id.to_string()).map_err(|_no_number| {
        CliError::Usage(format!("{text:?} is no dead letter id: it is a number, see dlq list"))
    })
}

/// A task's id, as the server writes it.
pub(super) fn task(text: &str) -> Result<String, CliError> {
    let id: Result<TaskId, _> = text.parse();
    id.map(|id| id.to_string())
        .map_err(|error| CliError::Usage(format!("{error}: see stepwell tasks list")))
}

/// A name that becomes a part of a path. A dot or two would lead elsewhere.
pub(super) fn in_path(name: &Name) -> Result<&str, CliError> {
    match name.as_str() {
        dots @ ("." | "..") => Err(CliError::Usage(format!("{dots:?} cannot be sent as a name"))),
        name => Ok(name),
    }
}

/// JSON that was typed, or lies in a file, or comes from standard input.
pub(super) async fn json(given: &str, flag: &str) -> Result<Box<RawValue>, CliError> {
    let (text, from) = match given.strip_prefix('@') {
        Some(path) => (tokio::fs::read_to_string(path).await, path),
        None if given == "-" => {
            let mut text = String::new();
            let read = tokio::io::stdin().read_to_string(&mut text).await;
            (read.map(|_bytes| text), "standard input")
        }
        None => (Ok(given.to_owned()), flag),
    };
    let text = text.map_err(|source| CliError::Unreadable { path: from.to_owned(), source })?;
    RawValue::from_string(text.trim().to_owned())
        .map_err(|error| CliError::Usage(format!("what {from} holds is no JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_id_is_told_before_anybody_is_asked() {
        let told = |refused: Result<String, CliError>| refused.unwrap_err().to_string();

        assert!(told(execution("../modules")).contains("is no execution id"));
        assert!(told(execution("")).contains("is no execution id"));
        let letter = told(dead_letter("x"));
        assert_eq!(letter, "\"x\" is no dead letter id: it is a number, see dlq list");
        assert_eq!(dead_letter("7").unwrap(), "7");
    }

    #[test]
    fn dots_are_no_part_of_a_path() {
        assert!(in_path(&Name::new("..").unwrap()).is_err());
        assert_eq!(in_path(&Name::new("a.b").unwrap()).unwrap(), "a.b");
    }

    #[tokio::test]
    async fn input_is_taken_as_it_was_typed() {
        let input = json(" { \"b\": 1.0 }\n", "--input").await.unwrap();

        assert_eq!(input.get(), "{ \"b\": 1.0 }");
    }

    #[tokio::test]
    async fn what_is_no_json_is_refused_before_it_is_sent() {
        let refused = json("{'a':1}", "--input").await.unwrap_err().to_string();

        assert!(refused.contains("--input") && refused.contains("column 2"), "{refused}");
        assert!(matches!(json("@no/such", "--input").await, Err(CliError::Unreadable { .. })));
    }
}
