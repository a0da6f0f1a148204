//! Requests.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stepwell::http;
use stepwell::prelude::*;

/// What to ask.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Ask {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: String,
}

/// What was answered.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Answer {
    status: u16,
    location: Option<String>,
    body: String,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.status
    }
}

/// Sends one request.
#[stepwell::step(retry(max_attempts = 1), timeout = "30s")]
pub(crate) async fn fetch(ask: Ask) -> Result<Answer, Failure> {
    send(&ask)
}

/// Sends one request in a step of a workflow.
#[stepwell::workflow]
pub(crate) async fn fetched(ask: Ask) -> Result<Answer, Failure> {
    fetch(ask).await
}

/// Sends a request, and follows where it is sent to, as a client would.
#[stepwell::step(retry(max_attempts = 1), timeout = "30s")]
pub(crate) async fn fetch_following(mut ask: Ask) -> Result<Answer, Failure> {
    for _ in 0..5 {
        let answer = send(&ask)?;
        match answer.location {
            Some(location) if (300..400).contains(&answer.status) => ask.url = location,
            _ => return Ok(answer),
        }
    }
    stepwell::bail!("too-many-redirects", "it is sent on and on");
}

/// Sends the same request again and again, and tells how often it went well.
#[stepwell::step(retry(max_attempts = 1), timeout = "30s")]
pub(crate) async fn fetch_many(ask: Ask, times: u32) -> Result<u32, Failure> {
    for _ in 0..times {
        send(&ask)?;
    }
    Ok(times)
}

/// Sends a body of that many bytes.
#[stepwell::step(retry(max_attempts = 1), timeout = "30s")]
pub(crate) async fn upload(url: String, bytes: u32) -> Result<u16, Failure> {
    let body = vec![b'x'; usize::try_from(bytes)?];
    Ok(http::post(url).body(body).send()?.status())
}

/// Sends a request through a client that knows nothing of this host.
#[stepwell::step(retry(max_attempts = 1), timeout = "30s")]
pub(crate) async fn fetch_by_wstd(url: String) -> Result<String, Failure> {
    by_wstd(url)
}

#[cfg(target_family = "wasm")]
fn by_wstd(url: String) -> Result<String, Failure> {
    use wstd::http::{Body, Client, Request};

    let request = Request::get(url).body(Body::empty())?;
    wstd::runtime::block_on(async move {
        let mut response = Client::new()
            .send(request)
            .await
            .map_err(|error| Failure::new("by-wstd", format!("{error:?}")))?;
        let body = response
            .body_mut()
            .str_contents()
            .await
            .map_err(|error| Failure::new("by-wstd", format!("{error:?}")))?;
        Ok(body.to_owned())
    })
}

#[cfg(not(target_family = "wasm"))]
fn by_wstd(url: String) -> Result<String, Failure> {
    Ok(url)
}

pub(crate) fn send(ask: &Ask) -> Result<Answer, Failure> {
    let request = http::request(&*ask.method, &*ask.url).body(&*ask.body);
    let request =
        ask.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    let response = request.send()?;
    Ok(Answer {
        status: response.status(),
        location: response.header("location").map(str::to_owned),
        body: response.text()?,
    })
}

/// Sends a request from a workflow, below the SDK, which would refuse it by itself.
#[stepwell::workflow]
pub(crate) async fn raw_in_workflow() -> Result<(), Failure> {
    raw();
    Ok(())
}

#[cfg(target_family = "wasm")]
fn raw() {
    use wasip2::http::outgoing_handler::handle;
    use wasip2::http::types::{Fields, OutgoingRequest};

    let request = OutgoingRequest::new(Fields::new());
    drop(handle(request, None));
}

#[cfg(not(target_family = "wasm"))]
fn raw() {}
