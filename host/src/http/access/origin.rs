//! Which page of which site sent a request: browsers send requests for whoever made the page.

use std::net::IpAddr;

use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::{HeaderMap, Uri};

use super::{Access, Line};

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What the dashboard's script sends with each request, and no form of another site can.
pub(super) const DASHBOARD: HeaderName = HeaderName::from_static("x-stepwell-dashboard");

/// The name by which this host was asked, with its port.
pub(super) fn asked_for<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let in_uri = uri.authority().map(http::uri::Authority::as_str);
    in_uri.or_else(|| headers.get(HOST)?.to_str().ok())
}

/// Whether a name means this machine to everybody: a name that somebody else owns may point here too, and the pages under it
/// would be taken for ours.
pub(super) fn means_this_machine(asked_for: &str) -> bool {
    let name = match asked_for.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => asked_for,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = address.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    is_loopback || name.eq_ignore_ascii_case("localhost") || name.ends_with(".localhost")
}

/// The browser's line: ours, or the one of a proxy that is trusted and says so.
pub(super) fn line(access: &Access, peer: IpAddr, headers: &HeaderMap) -> Line {
    let peer = peer.to_canonical();
    let is_trusted = access.trusted_proxies.iter().any(|network| network.contains(&peer));
    let said = headers.get(FORWARDED_PROTO).filter(|_| is_trusted);
    match said {
        Some(said) if said.as_bytes().eq_ignore_ascii_case(b"https") => Line::Tls,
        _ => access.line,
    }
}

/// Whether the page of another site sent this. What is sent by no page is not.
pub(super) fn is_from_elsewhere(headers: &HeaderMap, uri: &Uri) -> bool {
    if let Some(site) = headers.get(FETCH_SITE) {
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let origin = origin.map(|(_scheme, authority)| authority);
    origin.is_none() || origin != asked_for(headers, uri)
}

/// Whether a page of ours says that it is one: what a cookie alone stands for must.
pub(super) fn is_from_here(headers: &HeaderMap, uri: &Uri) -> bool {
    let says = headers.contains_key(FETCH_SITE) || headers.contains_key(ORIGIN);
    says && !is_from_elsewhere(headers, uri)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        pairs.collect()
    }

    #[test]
    fn only_names_that_nobody_else_can_own_mean_this_machine() {
        for name in ["127.0.0.1", "127.8.8.8:7878", "localhost:1", "[::1]:7878", "a.localhost"] {
            assert!(means_this_machine(name), "{name}");
        }
        for name in
            ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1"]
        {
            assert!(!means_this_machine(name), "{name}");
        }
    }

    #[test]
    fn a_proxy_tells_of_its_line_only_where_it_is_trusted() {
        let proxy = IpAddr::from([10, 0, 0, 1]);
        let access = Access { trusted_proxies: vec![proxy.into()], ..Access::default() };
        let https = headers(&[("x-forwarded-proto", "https")]);

        assert_eq!(line(&access, proxy, &https), Line::Tls);
        assert_eq!(line(&access, proxy, &headers(&[("x-forwarded-proto", "http")])), Line::Plain);
        assert_eq!(line(&access, IpAddr::from([10, 0, 0, 2]), &https), Line::Plain);
        let encrypted = Access { line: Line::Tls, ..Access::default() };
        assert_eq!(line(&encrypted, proxy, &headers(&[])), Line::Tls);
    }

    #[test]
    fn pages_of_other_sites_are_told_by_what_browsers_say() {
        let uri = Uri::from_static("/v1/executions");
        let from_elsewhere = |pairs| is_from_elsewhere(&headers(pairs), &uri);

        assert!(!from_elsewhere(&[("host", "h:1")]));
        assert!(!from_elsewhere(&[("host", "h:1"), ("origin", "http://h:1")]));
        assert!(!from_elsewhere(&[("host", "h:1"), ("sec-fetch-site", "same-origin")]));
        assert!(from_elsewhere(&[("host", "h:1"), ("origin", "http://evil.example")]));
        assert!(from_elsewhere(&[("host", "h:1"), ("origin", "null")]));
        assert!(from_elsewhere(&[("host", "h:1"), ("sec-fetch-site", "cross-site")]));
        assert!(from_elsewhere(&[("host", "h:1"), ("sec-fetch-site", "same-site")]));
        assert!(!is_from_here(&headers(&[("host", "h:1")]), &uri));
    }
}
