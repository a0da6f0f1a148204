//! The address of a request, taken apart.

use super::INVALID_REQUEST;
use crate::Failure;

/// The parts of a URL that a request needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) is_https: bool,
    pub(super) authority: String,
    /// With the query.
    pub(super) path: String,
}

impl Address {
    /// Reads a URL. What follows `#` is for browsers and is left out.
    pub(super) fn of(url: &str) -> Result<Self, Failure> {
        let bad = || {
            let message =
                format!("{url:?} is no address: write for example https://example.com/path");
            Failure::new(INVALID_REQUEST, message)
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(bad)?;
        let is_https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(bad()),
        };
        let rest = rest.split_once('#').map_or(rest, |(rest, _fragment)| rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.is_empty() {
            return Err(bad());
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { is_https, authority: authority.to_owned(), path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_a_host_and_a_path() {
        for (url, is_https, authority, path) in [
            ("https://a.b", true, "a.b", "/"),
            ("HTTP://a.b:8080/x?y=/z#w", false, "a.b:8080", "/x?y=/z"),
            ("https://a.b?x=1", true, "a.b", "/?x=1"),
        ] {
            let (authority, path) = (authority.to_owned(), path.to_owned());
            assert_eq!(Address::of(url).unwrap(), Address { is_https, authority, path });
        }
        for url in ["", "a.b", "ftp://a.b", "https://", "https:///x"] {
            assert!(Address::of(url).unwrap_err().is(INVALID_REQUEST), "{url}");
        }
    }
}
