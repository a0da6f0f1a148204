//! What one attempt of a step may use of the network.

use std::time::Duration;

/// The bounds of the requests of one attempt. None of its times goes beyond the attempt's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressLimits {
    /// Requests that one attempt may make.
    pub requests_max: usize,
    /// Requests of one attempt that may be under way at once; more wait.
    pub requests_at_once_max: usize,
    /// The body of one request, in bytes.
    pub request_body_bytes_max: u64,
    /// The body of one response, in bytes.
    pub response_body_bytes_max: u64,
    /// The address and headers of one request, and the headers of one response, in bytes.
    pub header_bytes_max: usize,
    /// How long looking a host up, connecting and agreeing on TLS may take together.
    pub connect_timeout: Duration,
    /// How long a server may take from the connection to the head of its response.
    pub first_byte_timeout: Duration,
    /// How long a request may take as a whole.
    pub request_timeout: Duration,
}

impl Default for EgressLimits {
    fn default() -> Self {
        Self {
            requests_max: 1_000,
            requests_at_once_max: 32,
            request_body_bytes_max: 16 << 20,
            response_body_bytes_max: 64 << 20,
            header_bytes_max: 32 << 10,
            connect_timeout: Duration::from_secs(5),
            first_byte_timeout: Duration::from_secs(60),
            request_timeout: Duration::from_secs(300),
        }
    }
}
