//! Judging a request before anything is done for it: whether it may go where it wants to, and what it takes along.

use std::fmt;

use hyper::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::{Authority, PathAndQuery};
use hyper::{HeaderMap, Method, Uri};
use zeroize::Zeroizing;

use super::refusal::Refusal;
use super::scrub::find;
use crate::model::{HttpTarget, Scheme, SecretPlace};
use crate::sandbox::step::equipment::{Equipment, Request as Asked};
use crate::sandbox::step::secret::Placed;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox::step) struct Destination {
    pub(in crate::sandbox::step) scheme: Scheme,
    /// In small letters; an IPv6 address without brackets.
    pub(in crate::sandbox::step) host: String,
    pub(in crate::sandbox::step) port: u16,
}

impl Destination {
    /// Reads it from the address of a request.
    pub(super) fn of(uri: &Uri) -> Result<Self, Refusal> {
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            Some(_) | None => return Err(invalid("its scheme is neither http nor https")),
        };
        let authority = uri.authority().ok_or_else(|| invalid("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(invalid("its address holds a user: send an authorization header instead"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let host = host.to_ascii_lowercase();
        let port = port(authority, scheme)?;
        Ok(Self { scheme, host, port })
    }

    pub(super) fn is_among(&self, targets: &[HttpTarget]) -> bool {
        targets.iter().any(|target| target.holds(self.scheme, &self.host, self.port))
    }
}

fn port(authority: &Authority, scheme: Scheme) -> Result<u16, Refusal> {
    match authority.port() {
        None if authority.as_str().ends_with(':') => Err(invalid("its port is empty")),
        None => Ok(scheme.default_port()),
        Some(port) if port.as_u16() == 0 => Err(invalid("its port is 0")),
        Some(port) => Ok(port.as_u16()),
    }
}

fn invalid(what: &str) -> Refusal {
    Refusal::Invalid(what.to_owned())
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scheme == Scheme::Http {
            f.write_str("http://")?;
        }
        let Self { host, port, .. } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Judges a request and makes of it what is sent: its own address and headers, with the values of secrets in place.
pub(super) fn judge(
    parts: &mut Parts,
    equipment: &Equipment,
    (placed, header_bytes_max): (&[Placed], usize),
) -> Result<Destination, Refusal> {
    let to = Destination::of(&parts.uri)?;
    if parts.method == Method::CONNECT {
        return Err(invalid("CONNECT makes a tunnel, through which nothing can be judged"));
    }
    let asked = Asked { method: parts.method.as_str(), to: &to };
    equipment.permits(asked).map_err(Refusal::not_granted)?;
    let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str).to_owned();
    if let Some(found) = placed.iter().find(|one| path.contains(one.placeholder.as_str())) {
        return Err(Refusal::not_granted(format!(
            "secret {} stands in the address of a request: addresses are logged everywhere, so send it in a header",
            found.held.name
        )));
    }
    put_in(&mut parts.headers, &to, (placed, header_bytes_max))?;
    if placed.iter().any(|one| to.is_among(&one.held.rule.hosts)) {
        // What is compressed cannot be looked through.
        parts.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    parts.headers.insert(HOST, host_header(&to)?);
    let path = if path.starts_with('/') { path } else { format!("/{path}") };
    parts.uri = path.parse().map_err(|_no_path| invalid("its path makes no sense"))?;
    Ok(to)
}

fn host_header(to: &Destination) -> Result<HeaderValue, Refusal> {
    let host = if to.host.contains(':') { format!("[{}]", to.host) } else { to.host.clone() };
    let text =
        if to.port == to.scheme.default_port() { host } else { format!("{host}:{}", to.port) };
    HeaderValue::from_str(&text).map_err(|_no_header| invalid("its host makes no sense"))
}

/// Puts the values of secrets where their placeholders stand, in at most that many bytes of headers altogether.
fn put_in(
    headers: &mut HeaderMap,
    to: &Destination,
    (placed, bytes_max): (&[Placed], usize),
) -> Result<(), Refusal> {
    let mut left = bytes_max;
    for value in headers.values_mut() {
        for one in placed {
            if find(value.as_bytes(), one.placeholder.as_bytes()).is_none() {
                continue;
            }
            may_go(one, to)?;
            let filled = filled(value.as_bytes(), one, left).ok_or_else(|| too_long(bytes_max))?;
            left = left.saturating_sub(filled.len());
            *value = HeaderValue::from_bytes(&filled)
                .map_err(|_no_header| invalid("a secret in it may not stand in a header"))?;
            value.set_sensitive(true);
        }
    }
    Ok(())
}

fn too_long(bytes_max: usize) -> Refusal {
    let what = "the head of the request";
    Refusal::limit("header_bytes_max", what, bytes_max as u128, "bytes")
}

/// The bytes with a secret's value in place of its placeholder, each looked at once. None: they would be too many.
fn filled(bytes: &[u8], one: &Placed, bytes_max: usize) -> Option<Zeroizing<Vec<u8>>> {
    let (placeholder, value) = (one.placeholder.as_bytes(), one.held.value.reveal().as_bytes());
    let mut filled = Zeroizing::new(Vec::with_capacity(bytes.len().min(bytes_max)));
    let mut rest = bytes;
    while let Some(at) = find(rest, placeholder) {
        filled.extend_from_slice(&rest[..at]);
        filled.extend_from_slice(value);
        rest = &rest[at + placeholder.len()..];
        if filled.len() > bytes_max {
            return None;
        }
    }
    filled.extend_from_slice(rest);
    (filled.len() <= bytes_max).then_some(filled)
}

fn may_go(one: &Placed, to: &Destination) -> Result<(), Refusal> {
    if to.is_among(&one.held.rule.hosts) {
        return Ok(());
    }
    Err(Refusal::not_granted(format!(
        "secret {} may not be sent to {to}: the policy of the host names where it may go (secrets.{}.hosts)",
        one.held.name, one.held.name
    )))
}

/// The secrets that are put into the body of a request to that destination.
pub(super) fn in_body(placed: &[Placed], to: &Destination) -> Vec<Placed> {
    let is_in_body = |one: &&Placed| {
        one.held.rule.place == SecretPlace::HeadersAndBody && to.is_among(&one.held.rule.hosts)
    };
    placed.iter().filter(is_in_body).cloned().collect()
}

/// Puts the values of secrets into a whole body. None: it would be longer than it may be.
pub(super) fn put_in_body(body: Vec<u8>, placed: &[Placed], bytes_max: usize) -> Option<Vec<u8>> {
    placed.iter().try_fold(body, |body, one| {
        if find(&body, one.placeholder.as_bytes()).is_none() {
            return Some(body);
        }
        filled(&body, one, bytes_max).map(|mut filled| std::mem::take(&mut *filled))
    })
}

/// What the address and headers of a request, or the headers of a response, come to on the wire.
pub(super) fn header_bytes(uri: Option<&Uri>, headers: &HeaderMap) -> usize {
    let path = uri.and_then(Uri::path_and_query).map_or(0, |path| path.as_str().len());
    let each = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
    path + headers.iter().map(each).sum::<usize>()
}

/// The body has a length of its own now.
pub(super) fn set_length(headers: &mut HeaderMap, length: usize) {
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SecretRule, SecretSource};
    use crate::sandbox::step::secret::{Held, Secret};

    fn destination(uri: &str) -> Result<Destination, String> {
        let uri: Uri = uri.parse().unwrap();
        Destination::of(&uri).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_destination_is_a_scheme_a_host_and_a_port() {
        for (uri, told) in [
            ("https://API.example.com/x", "api.example.com:443"),
            ("http://a.b", "http://a.b:80"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
            ("https://127.0.0.1:1", "127.0.0.1:1"),
        ] {
            assert_eq!(destination(uri).unwrap().to_string(), told);
        }
    }

    fn placed() -> Placed {
        let value = Secret::new("a value of a secret".to_owned().into()).unwrap();
        let rule = SecretRule {
            source: SecretSource::Env("KEY".to_owned()),
            hosts: Vec::new(),
            place: SecretPlace::HeadersAndBody,
        };
        Placed::new(&Held { name: "KEY".parse().unwrap(), value, rule }).unwrap()
    }

    #[test]
    fn a_body_is_filled_wherever_a_placeholder_stands_and_not_beyond_its_bound() {
        let placed = [placed()];
        let body = |times| format!("<{}>", placed[0].placeholder.repeat(times)).into_bytes();

        let whole = "<a value of a secreta value of a secret>";
        let filled = put_in_body(body(2), &placed, whole.len());

        assert_eq!(filled.as_deref(), Some(whole.as_bytes()));
        assert_eq!(put_in_body(body(2), &placed, whole.len() - 1), None);
        assert_eq!(put_in_body(body(100_000), &placed, whole.len()), None);
    }

    #[test]
    fn an_address_that_hides_its_host_is_refused() {
        for uri in ["https://good.com@evil.com/", "https://user:pass@evil.com/", "ftp://a.b/", "/x"]
        {
            assert!(destination(uri).is_err(), "{uri}");
        }
    }
}
