//! Following an execution over server-sent events.

use std::time::Duration;

use http::Method;

use super::client::{Client, Response};
use super::error::CliError;

/// A stream is opened again after this: whatever is in between may have forgotten it.
const STREAM_LASTS: Duration = Duration::from_secs(3_600);

/// What is told of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Something has happened.
    Entry,
    /// It has ended.
    End,
    /// The stream broke off, or has lasted for long.
    Broken,
}

/// A stream of events.
#[derive(Debug)]
pub(super) struct Events {
    response: Response,
    text: Vec<u8>,
}

impl Events {
    /// Follows an execution, from that entry on.
    pub(super) async fn open(client: &Client, id: &str, after: u64) -> Result<Self, CliError> {
        let after = after.to_string();
        let request = client.ask(Method::GET, &["executions", id, "events"], &[("after", &after)]);
        let response = client.open(request.lasting(STREAM_LASTS)).await?;
        Ok(Self { response, text: Vec::new() })
    }

    /// What is told next, and by the entry of which number. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> (Told, Option<u64>) {
        loop {
            // What is only there so that the stream is not silent is passed over.
            if let Some(told) = std::iter::from_fn(|| self.take()).find_map(|event| read(&event)) {
                return told;
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.text.extend_from_slice(&chunk),
                Ok(None) | Err(_) => return (Told::Broken, None),
            }
        }
    }

    fn take(&mut self) -> Option<String> {
        let end = self.text.windows(2).position(|two| two == b"\n\n")?;
        let event: Vec<u8> = self.text.drain(..end + 2).collect();
        Some(String::from_utf8_lossy(&event).into_owned())
    }
}

/// One event. None where it is only there so that the stream is not silent.
fn read(event: &str) -> Option<(Told, Option<u64>)> {
    let field = |name| event.lines().find_map(|line| line.strip_prefix(name));
    let seq = field("id:").and_then(|id| id.trim().parse().ok());
    match field("event:").map(str::trim) {
        Some("end") => Some((Told::End, seq)),
        Some("problem") => Some((Told::Broken, seq)),
        Some(_) => Some((Told::Entry, seq)),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_apart() {
        let entry = "id: 7\nevent: completed\ndata: {\"event\":1}\n\n";

        assert_eq!(read(entry), Some((Told::Entry, Some(7))));
        assert_eq!(read("event: end\ndata: {}\n\n"), Some((Told::End, None)));
        assert_eq!(read(":\n\n"), None);
    }
}
