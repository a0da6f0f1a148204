//! A response, read to its end.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::json;

use super::STATUS;
use crate::Failure;

/// A response, read to its end.
pub struct Response {
    pub(super) asked: String,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Response {
    /// Its status, such as 200.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is from 200 to 299.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// This response, if its status is from 200 to 299; else a failure of kind [`STATUS`] with the status in its details.
    pub fn ok(self) -> Result<Self, Failure> {
        if self.is_ok() {
            return Ok(self);
        }
        let message = format!("{} was answered with status {}", self.asked, self.status);
        Err(Failure::new(STATUS, message).with_details(json!({ "status": self.status })))
    }

    /// The first header of that name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _value)| own.eq_ignore_ascii_case(name));
        found.and_then(|(_name, value)| std::str::from_utf8(value).ok())
    }

    /// The body.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body.
    pub fn into_bytes(self) -> Vec<u8> {
        self.body
    }

    /// The body as text.
    pub fn text(self) -> Result<String, Failure> {
        String::from_utf8(self.body).map_err(|_no_text| {
            Failure::new(Failure::ERROR, format!("the answer to {} is no UTF-8", self.asked))
        })
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!("the answer to {} is not what was expected: {error}", self.asked);
            Failure::new(Failure::ERROR, message)
        })
    }
}

impl fmt::Debug for Response {
    /// Without headers and body, which may hold what is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("asked", &self.asked)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
