//! Asking the server.
//!
//! A connection is used again where it can be. A key goes with every request but those for what is open to everybody, as a
//! header that is printed nowhere, and only to the server that was named: nobody is sent on to another.

mod line;
mod request;
mod trust;

pub(super) use request::{Request, Response};
pub(super) use trust::Trust;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, StatusCode, Uri};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::{Host, Url};

use super::error::{CliError, Problem};
use line::{Fault, Line, line};
use request::Body;

/// Asks one server.
#[derive(Debug)]
pub(super) struct Client {
    base: Url,
    /// What says who asks: a header that is marked as a secret.
    key: Option<HeaderValue>,
    http: legacy::Client<Line, Body>,
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
        serde_json::from_str(&self.text).map_err(|odd| strange(&self.server, &odd))
    }
}

impl Client {
    /// A client of the server at that address, who shows that key.
    pub(super) fn new(
        server: &str,
        key: Option<HeaderValue>,
        trust: &Trust,
    ) -> Result<Self, CliError> {
        let base = address(server)?;
        let tls = if base.scheme() == "https" { trust.config()? } else { trust::none()? };
        let http = legacy::Client::builder(TokioExecutor::new()).build(line(tls));
        Ok(Self { base, key, http })
    }

    /// The server that is asked.
    pub(super) fn server(&self) -> String {
        self.base.to_string()
    }

    /// The server said what this client does not understand.
    pub(super) fn strange(&self, odd: &serde_json::Error) -> CliError {
        strange(&self.server(), odd)
    }

    /// Whether it shows a key.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whether others could read on the way what is shown.
    pub(super) fn is_overheard(&self) -> bool {
        let is_here = match self.base.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        };
        self.has_key() && self.base.scheme() == "http" && !is_here
    }

    /// A request to `/v1/` and these parts, each of which may be any text.
    pub(super) fn ask(&self, method: Method, parts: &[&str], query: &[(&str, &str)]) -> Request {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(parts);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.with_key(Request::new(method, url))
    }

    fn with_key(&self, mut request: Request) -> Request {
        request.headers.extend(self.key.clone().map(|key| (AUTHORIZATION, key)));
        request
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
    pub(super) async fn read_beside(&self, path: &str) -> Result<Answer, CliError> {
        self.send(self.with_key(self.beside(path))).await
    }

    /// The same for what is open to everybody: no key is shown.
    pub(super) async fn probe(&self, path: &str) -> Result<Answer, CliError> {
        self.send(self.beside(path)).await
    }

    fn beside(&self, path: &str) -> Request {
        let mut url = self.base.clone();
        url.set_path(path);
        Request::new(Method::GET, url)
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
    pub(super) async fn open(&self, request: Request) -> Result<Response, CliError> {
        let response = self.answer(request).await?;
        if response.status.is_success() {
            return Ok(response);
        }
        Err(self.refusal(response).await)
    }

    /// Sends a request.
    pub(super) async fn send(&self, request: Request) -> Result<Answer, CliError> {
        let response = self.open(request).await?;
        let status = response.status;
        let text = response.text().await.map_err(|fault| self.unreachable(fault))?;
        Ok(Answer { status, text, server: self.server() })
    }

    async fn answer(&self, request: Request) -> Result<Response, CliError> {
        let Request { method, url, headers, body, lasts } = request;
        let mut over = Box::pin(tokio::time::sleep(lasts));
        let mut request = http::Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = Uri::try_from(url.as_str())
            .map_err(|error| CliError::Usage(format!("this cannot be asked: {error}")))?;
        *request.headers_mut() = headers;
        let answered = tokio::select! {
            answered = self.http.request(request) => answered.map_err(|error| Fault::of(&error)),
            () = &mut over => Err(Fault::late()),
        };
        let (parts, body) = answered.map_err(|fault| self.unreachable(fault))?.into_parts();
        Ok(Response { status: parts.status, headers: parts.headers, body, over })
    }

    fn unreachable(&self, fault: Fault) -> CliError {
        let (server, why) = (self.server(), fault.why);
        match fault.advice {
            Some(advice) => CliError::NoLine { server, why, advice },
            None => CliError::Unreachable { server, why },
        }
    }

    async fn refusal(&self, response: Response) -> CliError {
        let status = response.status;
        let is_problem = is_problem(&response);
        let text = match response.text().await {
            Ok(text) => text,
            Err(fault) => return self.unreachable(fault),
        };
        let answer = Answer { status, text, server: self.server() };
        if !is_problem {
            return CliError::Strange {
                server: answer.server,
                why: format!("it answered {status}"),
            };
        }
        match answer.read::<Problem>() {
            Err(strange) => strange,
            Ok(_) if status == StatusCode::UNAUTHORIZED && !self.has_key() => {
                CliError::KeyNeeded { server: answer.server }
            }
            Ok(_) if status == StatusCode::UNAUTHORIZED => {
                CliError::KeyUnknown { server: answer.server }
            }
            Ok(problem) => CliError::Refused(problem),
        }
    }
}

fn strange(server: &str, odd: &serde_json::Error) -> CliError {
    CliError::Strange { server: server.to_owned(), why: odd.to_string() }
}

/// The address of a server, as it was typed.
fn address(server: &str) -> Result<Url, CliError> {
    let bad = |why: &str| {
        let example = "write for example http://127.0.0.1:7878";
        CliError::Usage(format!("{server:?} is no server's address: {why}; {example}"))
    };
    if !server.starts_with("http://") && !server.starts_with("https://") {
        return Err(bad("begin it with http:// or https://"));
    }
    let base = Url::parse(server).map_err(|error| bad(&error.to_string()))?;
    if !base.username().is_empty() || base.password().is_some() {
        // It may be a secret, so it is not said again.
        let told = "the server's address may hold no name and no password; a key goes into STEPWELL_API_KEY";
        return Err(CliError::Usage(told.to_owned()));
    }
    if base.path() != "/" || base.query().is_some() || base.fragment().is_some() {
        return Err(bad("it may have no path"));
    }
    Ok(base)
}

fn is_problem(response: &Response) -> bool {
    let content = response.headers.get("content-type");
    content.is_some_and(|content| content.as_bytes() == b"application/problem+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(server: &str) -> Client {
        let key = Some(HeaderValue::from_static("Bearer k"));
        Client::new(server, key, &Trust::default()).unwrap()
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        let refused = |server| address(server).unwrap_err().to_string();

        for bare in ["127.0.0.1:7878", "localhost:7878", "ftp://h"] {
            assert!(refused(bare).contains("begin it with http:// or https://"), "{bare}");
        }
        for more in ["http://h:1/v1", "https://h:1?a=b", "http://h:1/#a"] {
            assert!(refused(more).contains("no path"), "{more}");
        }
        for good in ["http://h:1", "http://h:1/", "https://h", "http://[::1]:1"] {
            assert!(address(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_said_again() {
        let refused = address("http://u:hunter2@h:1").unwrap_err().to_string();

        assert!(refused.contains("STEPWELL_API_KEY") && !refused.contains("hunter2"), "{refused}");
    }

    #[test]
    fn what_stands_in_a_path_is_encoded() {
        let request = client("http://h:1").ask(Method::GET, &["modules", "a/b?c#d e%2e"], &[]);

        assert_eq!(request.url.as_str(), "http://h:1/v1/modules/a%2Fb%3Fc%23d%20e%252e");
    }

    #[test]
    fn only_a_line_in_the_open_to_another_machine_is_overheard() {
        for here in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost", "https://h:1"] {
            assert!(!client(here).is_overheard(), "{here}");
        }
        for away in ["http://h:1", "http://10.0.0.1:1", "http://localhost.example"] {
            assert!(client(away).is_overheard(), "{away}");
        }
    }
}
