//! Asking the server.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::CliError;

/// How long a server may take to take a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a server may take to answer: the largest modules take a minute to compile.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(300);

/// Asks one server.
#[derive(Debug)]
pub(super) struct Client {
    base: Url,
    http: reqwest::Client,
}

/// What a server said, and it was no refusal.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) text: String,
    server: String,
}

impl Answer {
    /// Reads the answer.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, CliError> {
        serde_json::from_str(&self.text).map_err(|error| CliError::Strange {
            server: self.server.clone(),
            why: error.to_string(),
        })
    }
}

impl Client {
    /// A client of the server at that address.
    pub(super) fn new(server: &str) -> Result<Self, CliError> {
        let bad = |why: &str| {
            let example = "write for example http://127.0.0.1:7878";
            CliError::Usage(format!("{server:?} is no server's address: {why}; {example}"))
        };
        if !server.starts_with("http://") {
            return Err(bad("begin it with http://"));
        }
        let base = Url::parse(server).map_err(|error| bad(&error.to_string()))?;
        if base.path() != "/" || base.query().is_some() || base.fragment().is_some() {
            return Err(bad("it may have no path"));
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            // A proxy for the web is never meant for the host on this machine.
            .no_proxy()
            .build()
            .map_err(|error| bad(&error.to_string()))?;
        Ok(Self { base, http })
    }

    /// The server that is asked.
    pub(super) fn server(&self) -> String {
        self.base.to_string()
    }

    /// A request to `/v1/` and these parts, each of which may be any text.
    pub(super) fn ask(
        &self,
        method: Method,
        parts: &[&str],
        query: &[(&str, &str)],
    ) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(parts);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.http.request(method, url)
    }

    /// Reads.
    pub(super) async fn read(
        &self,
        parts: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, CliError> {
        self.send(self.ask(Method::GET, parts, query)).await
    }

    /// Asks for what stands beside the API.
    pub(super) async fn probe(&self, path: &str) -> Result<Answer, CliError> {
        let mut url = self.base.clone();
        url.set_path(path);
        self.send(self.http.request(Method::GET, url)).await
    }

    /// Sends an order, as JSON.
    pub(super) async fn order(
        &self,
        parts: &[&str],
        order: &impl Serialize,
    ) -> Result<Answer, CliError> {
        self.send(self.ask(Method::POST, parts, &[]).json(order)).await
    }

    /// Sends a request, whose answer is read as it comes.
    pub(super) async fn open(&self, request: RequestBuilder) -> Result<Response, CliError> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refusal(response).await)
    }

    /// Sends a request.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Answer, CliError> {
        let response = self.open(request).await?;
        let status = response.status();
        let text = response.text().await.map_err(|error| self.unreachable(&error))?;
        Ok(Answer { status, text, server: self.base.to_string() })
    }

    fn unreachable(&self, error: &reqwest::Error) -> CliError {
        CliError::Unreachable { server: self.base.to_string(), why: root_cause(error) }
    }

    async fn refusal(&self, response: Response) -> CliError {
        let status = response.status();
        let is_problem = is_problem(&response);
        let server = self.base.to_string();
        let text = match response.text().await {
            Ok(text) => text,
            Err(error) => return self.unreachable(&error),
        };
        let answer = Answer { status, text, server };
        if is_problem {
            return answer.read().map_or_else(|strange| strange, CliError::Refused);
        }
        CliError::Strange { server: answer.server, why: format!("it answered {status}") }
    }
}

fn is_problem(response: &Response) -> bool {
    let content = response.headers().get("content-type");
    content.is_some_and(|content| content.as_bytes() == b"application/problem+json")
}

/// The innermost cause: the others say only that something went wrong below.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(server: &str) -> String {
        Client::new(server).unwrap_err().to_string()
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for bare in ["127.0.0.1:7878", "localhost:7878", "https://h"] {
            assert!(refused(bare).contains("begin it with http://"), "{bare}");
        }
        for more in ["http://h:1/v1", "http://h:1?a=b", "http://h:1/#a"] {
            assert!(refused(more).contains("no path"), "{more}");
        }
        assert!(Client::new("http://h:1").is_ok() && Client::new("http://h:1/").is_ok());
    }

    #[test]
    fn what_stands_in_a_path_is_encoded() {
        let client = Client::new("http://h:1").unwrap();

        let request = client.ask(Method::GET, &["modules", "a/b?c#d e%2e"], &[]).build().unwrap();

        assert_eq!(request.url().as_str(), "http://h:1/v1/modules/a%2Fb%3Fc%23d%20e%252e");
    }
}
