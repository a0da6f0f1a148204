//! A request while it is put together.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::address::Address;
use super::{INVALID_REQUEST, Response, wire};
use crate::Failure;
use crate::executor::Activation;

/// A request while it is put together. What is wrong with it is told by [`send`](Self::send).
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    pub(super) timeout: Option<Duration>,
    wrong: Option<String>,
}

impl Request {
    pub(super) fn new(method: String, url: String) -> Self {
        Self { method, url, headers: Vec::new(), body: Vec::new(), timeout: None, wrong: None }
    }

    /// Adds a header. The host sets `host`, `connection` and the like by itself.
    pub fn header(mut self, name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Adds `authorization: Bearer ...`, where the token may be a [`secret`](crate::secret).
    pub fn bearer(self, token: impl AsRef<str>) -> Self {
        let value = format!("Bearer {}", token.as_ref());
        self.header("authorization", value)
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body to a value as JSON, and its type.
    pub fn json(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.body = body,
            Err(error) => self.wrong = Some(format!("its body is no JSON: {error}")),
        }
        self.header("content-type", "application/json")
    }

    /// Waits no longer than that for the server to begin its answer. The host has a limit of its own.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends it, and reads the whole response, whatever its status.
    pub fn send(self) -> Result<Response, Failure> {
        if Activation::current().is_some() {
            let message =
                "requests only work inside a step: move this to a step that the workflow calls";
            return Err(Failure::new(Failure::MISPLACED, message));
        }
        if let Some(wrong) = &self.wrong {
            let message = format!("{} {} makes no sense: {wrong}", self.method, self.url);
            return Err(Failure::new(INVALID_REQUEST, message));
        }
        let to = Address::of(&self.url)?;
        wire::send(&self, &to)
    }
}

impl fmt::Debug for Request {
    /// Without headers and body, which may hold what is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
