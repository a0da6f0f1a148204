//! Who asks, and from where.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

use super::error::Problem;
use super::rules::Need;
use crate::dispatch::KeyHolder;
use crate::model::{KeyId, Name, Role};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The cookie of a session.
pub(super) const COOKIE_NAME: &str = "stepwell_session";

/// Workflows of a key that are named where it is refused another.
const NAMED_MAX: usize = 5;

/// Who asks. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// None where no keys are in force.
    holder: Option<Arc<KeyHolder>>,
    /// What it is called where it has no key.
    otherwise: &'static str,
    pub(super) from: IpAddr,
}

impl Caller {
    pub(super) fn new(holder: Option<KeyHolder>, from: IpAddr) -> Self {
        Self { holder: holder.map(Arc::new), otherwise: "local", from }
    }

    /// The key.
    pub(super) fn key(&self) -> Option<&KeyId> {
        self.holder.as_ref().map(|holder| &holder.id)
    }

    /// Whose key it is; none where no keys are in force.
    pub(super) fn holder(&self) -> Option<&KeyHolder> {
        self.holder.as_deref()
    }

    /// Whether it has a role that is needed.
    pub(super) fn may(&self, need: Need) -> bool {
        let roles = need.roles();
        self.holder().is_none_or(|holder| holder.roles.iter().any(|role| roles.contains(role)))
    }

    /// What the audit log calls who asks.
    pub(super) fn name(&self) -> &str {
        self.holder.as_ref().map_or(self.otherwise, |holder| &holder.name)
    }

    /// Who is said to have done something: the key, or where there is none, whoever somebody says it was.
    pub(super) fn signs(&self, said: Option<Name>) -> Name {
        let key = self.holder.as_ref().and_then(|holder| Name::new(&holder.name).ok());
        key.or(said).unwrap_or_else(|| Name::new("nobody said").expect("this is a name"))
    }

    /// Refuses who has none of the roles that are needed.
    pub(super) fn check(&self, need: Need) -> Result<(), Problem> {
        let Some(holder) = self.holder().filter(|_| !self.may(need)) else { return Ok(()) };
        let words = |roles: &[Role]| {
            roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" or ")
        };
        Err(Problem::forbidden(format!(
            "this needs a key with the role {}; {} has {}",
            words(need.roles()),
            holder.id.prefix(),
            words(&holder.roles)
        )))
    }

    /// Whether it sees executions of some workflows only.
    pub(super) fn is_limited(&self) -> bool {
        self.holder.as_ref().is_some_and(|holder| !holder.workflows.is_empty())
    }

    /// Refuses a workflow that the key is not for. Whoever starts on a caller's behalf asks this first.
    pub(super) fn may_start(&self, workflow: &Name) -> Result<(), Problem> {
        let Some(holder) = &self.holder else { return Ok(()) };
        if holder.workflows.is_empty() || holder.workflows.contains(workflow) {
            return Ok(());
        }
        let named = holder.workflows.iter().take(NAMED_MAX).map(Name::as_str);
        let only = named.collect::<Vec<_>>().join(", ");
        let more = if holder.workflows.len() > NAMED_MAX { ", …" } else { "" };
        let key = holder.id.prefix();
        Err(Problem::forbidden(format!(
            "{key} is for these workflows only: {only}{more}; not {workflow}"
        )))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(Problem::own_fault)
    }
}

/// What a request shows of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown<'a> {
    Bearer(&'a str),
    Cookie(&'a str),
}

impl<'a> Shown<'a> {
    /// A header goes before a cookie: no other site can make a browser send it.
    pub(super) fn by(headers: &'a HeaderMap) -> Option<Self> {
        if let Some(value) = headers.get(AUTHORIZATION) {
            let text = value.to_str().unwrap_or_default();
            let (scheme, key) = text.split_once(' ').unwrap_or(("", text));
            let is_bearer = scheme.eq_ignore_ascii_case("bearer");
            return Some(Self::Bearer(if is_bearer { key.trim() } else { "" }));
        }
        cookie(headers).map(Self::Cookie)
    }

    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Bearer(text) | Self::Cookie(text) => text,
        }
    }
}

/// The cookie of a session.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs =
        all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value)
}

/// Where a request comes from: the last address of which no proxy that is trusted vouches for another.
pub(super) fn origin_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut from = peer.to_canonical();
    // What one of them says cannot hide what those behind it say.
    let said = headers.get_all(FORWARDED_FOR).iter().map(HeaderValue::as_bytes);
    let said: Vec<_> = said.flat_map(|value| value.split(|byte| *byte == b',')).collect();
    let mut behind = said.iter().rev().map(|part| forwarded(part));
    while trusted.iter().any(|network| network.contains(&from))
        && let Some(Some(next)) = behind.next()
    {
        from = next.to_canonical();
    }
    from
}

/// An address as proxies write it, some with its port.
fn forwarded(part: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(part).ok()?.trim();
    let with_port = || text.parse().map(|address: SocketAddr| address.ip());
    text.parse().or_else(|_| with_port()).ok()
}

/// Who an address stands for: whoever has one of IPv6 has 2^64.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_believed_only_where_it_is_trusted() {
        let mut headers = HeaderMap::new();
        headers.insert(FORWARDED_FOR, HeaderValue::from_static("203.0.113.9, 198.51.100.7"));
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxy = address("10.0.0.1");

        assert_eq!(origin_address(proxy, &headers, &[]), proxy);
        let network: IpNet = "10.0.0.0/8".parse().unwrap();
        assert_eq!(origin_address(proxy, &headers, &[network]), address("198.51.100.7"));
        let both = [network, address("198.51.100.7").into()];
        assert_eq!(origin_address(proxy, &headers, &both), address("203.0.113.9"));
    }

    #[test]
    fn what_a_client_writes_hides_nothing_of_what_a_proxy_adds() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let trusted: IpNet = "10.0.0.0/8".parse().unwrap();
        for (said, from) in [
            (&b"\xff, 203.0.113.9"[..], "203.0.113.9"),
            (b"nonsense,, 203.0.113.9:4711", "203.0.113.9"),
            (b"198.51.100.7, [2001:db8::1]:80", "2001:db8::1"),
            (b"198.51.100.7, \xff", "10.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(FORWARDED_FOR, HeaderValue::from_bytes(said).unwrap());
            assert_eq!(origin_address(address("10.0.0.1"), &headers, &[trusted]), address(from));
        }
    }

    #[test]
    fn a_header_goes_before_a_cookie() {
        let mut headers = HeaderMap::new();
        assert_eq!(Shown::by(&headers), None);
        headers.insert(COOKIE, HeaderValue::from_static("a=b; stepwell_session=one"));
        assert_eq!(Shown::by(&headers), Some(Shown::Cookie("one")));
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer two"));
        assert_eq!(Shown::by(&headers), Some(Shown::Bearer("two")));
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic dHdv"));
        assert_eq!(Shown::by(&headers), Some(Shown::Bearer("")));
    }
}
