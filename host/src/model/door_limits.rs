//! What those who connect may use of a host.

use std::time::Duration;

/// The bounds of connections and of requests as they come in. Whoever is slow beyond them is cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorLimits {
    /// Connections at once. At most what the system's bound of open files leaves.
    pub connections_max: usize,
    /// Of these, those of one address (of one /64 of IPv6) that is neither a trusted proxy nor this machine.
    pub connections_per_address_max: usize,
    /// Requests under way at once, until the last of their answers is given out: by HTTP/2 a connection has many.
    pub requests_max: usize,
    /// Of these, those of one address, as connections are counted.
    pub requests_per_address_max: usize,
    /// Changes that are being made at once, those included whose client has gone.
    pub changes_max: usize,
    /// From the opening of a connection, or the first byte of a further request, to the end of the request's headers.
    pub header_timeout: Duration,
    /// How long a connection may stay without a request.
    pub idle_timeout: Duration,
    /// The line and the headers of one request, in bytes.
    pub header_bytes_max: usize,
    /// Headers of one request by HTTP/1.1.
    pub headers_max: usize,
    /// Between two pieces of a body.
    pub body_idle_timeout: Duration,
    /// A whole body.
    pub body_timeout: Duration,
    /// All bodies together that come in, or have come in and are being acted on, in bytes.
    pub bodies_bytes_max: usize,
    /// All answers together that are on their way out, in bytes, those of unknown length aside.
    pub answers_bytes_max: usize,
    /// How long a client may take nothing of what it is sent.
    pub write_timeout: Duration,
    /// How long a client that sent more than was read may take to read the answer, before the connection goes.
    pub linger: Duration,
    /// Agreeing on TLS.
    pub handshake_timeout: Duration,
    /// Requests at once on one connection by HTTP/2.
    pub streams_max: u32,
    /// Requests that a client may have taken back, by HTTP/2, before they were looked at.
    pub resets_max: usize,
    /// How often a client by HTTP/2 is asked whether it is there.
    pub ping_every: Duration,
    /// How long it may take to answer that.
    pub ping_timeout: Duration,
    /// How often the files of TLS are looked at.
    pub tls_look_every: Duration,
    /// After the system refused a connection, because of too many open files or the like.
    pub accept_pause: Duration,
}

impl Default for DoorLimits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            connections_per_address_max: 1_000,
            requests_max: 10_000,
            requests_per_address_max: 1_000,
            changes_max: 4_096,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            header_bytes_max: 64 << 10,
            headers_max: 100,
            body_idle_timeout: Duration::from_secs(20),
            body_timeout: Duration::from_secs(300),
            bodies_bytes_max: 256 << 20,
            answers_bytes_max: 512 << 20,
            write_timeout: Duration::from_secs(30),
            linger: Duration::from_secs(2),
            handshake_timeout: Duration::from_secs(10),
            streams_max: 100,
            resets_max: 20,
            ping_every: Duration::from_secs(30),
            ping_timeout: Duration::from_secs(20),
            tls_look_every: Duration::from_secs(5),
            accept_pause: Duration::from_millis(100),
        }
    }
}
