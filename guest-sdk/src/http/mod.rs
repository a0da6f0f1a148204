//! Requests of steps to the world, over `wasi:http`. Any client crate that supports `wasi:http` works in a step as well; this
//! one needs no other crate.
//!
//! A module says where its requests go (`capabilities` in [`module!`](crate::module)), and an operator grants it. What is not
//! granted fails with kind `not-granted` and a message that says what to do. The host adds a `traceparent`, follows no
//! redirects, and puts the value of a [`secret`](crate::secret) where its placeholder stands. A request blocks its step and
//! nothing else.
//!
//! ```no_run
//! # extern crate stepwell_sdk as stepwell;
//! use stepwell::prelude::*;
//!
//! /// Asks what a share costs, in cents.
//! #[stepwell::step(timeout = "10s")]
//! async fn price(symbol: String) -> Result<u64, Failure> {
//!     let key = stepwell::secret("QUOTES_KEY")?;
//!     let quote: serde_json::Value = stepwell::http::get(format!("https://quotes.example.com/v1/{symbol}"))
//!         .bearer(key)
//!         .send()?
//!         .ok()?
//!         .json()?;
//!     quote["cents"].as_u64().ok_or_else(|| Failure::new("no-price", "the answer holds no price"))
//! }
//!
//! stepwell::module!(
//!     steps: [price],
//!     capabilities: { http = ["GET quotes.example.com"], secret = ["QUOTES_KEY"] },
//! );
//! # fn main() {}
//! ```

mod address;
mod request;
mod response;
#[cfg(target_family = "wasm")]
mod wire;

/// Outside a sandbox there is nobody to send a request.
#[cfg(not(target_family = "wasm"))]
mod wire {
    use super::address::Address;
    use super::{FAILED, Request, Response};
    use crate::Failure;

    pub(super) fn send(request: &Request, _to: &Address) -> Result<Response, Failure> {
        let message = format!(
            "{} {} goes nowhere: requests only work inside a host",
            request.method, request.url
        );
        Err(Failure::new(FAILED, message))
    }
}

pub use request::Request;
pub use response::Response;

/// The request failed on its way: no connection, no answer, or one that breaks off.
pub const FAILED: &str = "http-failed";
/// The server answered with a status that says no: see [`Response::ok`].
pub const STATUS: &str = "http-status";
/// Nobody granted it.
pub const NOT_GRANTED: &str = "not-granted";
/// The request or its response goes beyond a limit of the host, which the message names.
pub const LIMIT_EXCEEDED: &str = "limit-exceeded";
/// The request makes no sense.
pub const INVALID_REQUEST: &str = "invalid-request";

/// A request with that method, such as `"PATCH"`.
pub fn request(method: impl Into<String>, url: impl Into<String>) -> Request {
    Request::new(method.into(), url.into())
}

/// A `GET` request.
pub fn get(url: impl Into<String>) -> Request {
    request("GET", url)
}

/// A `POST` request.
pub fn post(url: impl Into<String>) -> Request {
    request("POST", url)
}

/// A `PUT` request.
pub fn put(url: impl Into<String>) -> Request {
    request("PUT", url)
}

/// A `DELETE` request.
pub fn delete(url: impl Into<String>) -> Request {
    request("DELETE", url)
}
