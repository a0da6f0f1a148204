//! Where requests may go: `GET,POST https://api.example.com:443`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::BadCapability;

/// How a request travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Over TLS.
    Https,
    /// In the open.
    Http,
}

impl Scheme {
    /// The port that is meant where none is written.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Https => "https://",
            Self::Http => "http://",
        }
    }
}

/// Hosts: one, or all below a domain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Hosts {
    One(String),
    /// `*.example.com`, kept as `example.com`: every name below it, and not itself.
    Below(String),
}

impl Hosts {
    fn hold(&self, host: &str) -> bool {
        match self {
            Self::One(one) => one == host,
            Self::Below(domain) => is_below(host, domain),
        }
    }

    fn cover(&self, other: &Self) -> bool {
        match other {
            Self::One(host) => self.hold(host),
            Self::Below(domain) => match self {
                Self::One(_) => false,
                Self::Below(mine) => mine == domain || is_below(domain, mine),
            },
        }
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.') && !rest.starts_with('.'))
}

/// Where requests may go, and by which methods.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HttpTarget {
    /// Empty means any.
    methods: Vec<String>,
    scheme: Scheme,
    hosts: Hosts,
    /// None means any.
    port: Option<u16>,
}

const WHAT: &str = "http capability";
const EXAMPLE: &str = "write for example \"api.example.com:443\", \"GET,POST *.example.com\" or \"http://intern:8080\"";
/// The longest host name, as in DNS.
const HOST_BYTES_MAX: usize = 253;

impl HttpTarget {
    /// Whether a request may go there.
    pub fn permits(&self, method: &str, scheme: Scheme, host: &str, port: u16) -> bool {
        self.holds(scheme, host, port)
            && (self.methods.is_empty() || self.methods.iter().any(|one| one == method))
    }

    /// Whether that is where it goes, by whatever method. `host` is in small letters, an IPv6 address without brackets.
    pub fn holds(&self, scheme: Scheme, host: &str, port: u16) -> bool {
        let is_port = self.port.is_none_or(|own| own == port);
        self.scheme == scheme && is_port && self.hosts.hold(host)
    }

    /// How requests travel there.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The same for each method alone; any method is one.
    pub fn by_method(&self) -> Vec<Self> {
        if self.methods.is_empty() {
            return vec![self.clone()];
        }
        let alone = |method: &String| Self { methods: vec![method.clone()], ..self.clone() };
        self.methods.iter().map(alone).collect()
    }

    /// Whether every request that `other` permits is permitted by this one.
    pub fn covers(&self, other: &Self) -> bool {
        let methods = self.methods.is_empty()
            || (!other.methods.is_empty()
                && other.methods.iter().all(|method| self.methods.contains(method)));
        methods
            && self.scheme == other.scheme
            && (self.port.is_none() || self.port == other.port)
            && self.hosts.cover(&other.hosts)
    }
}

impl FromStr for HttpTarget {
    type Err = BadCapability;

    fn from_str(text: &str) -> Result<Self, BadCapability> {
        let bad = |why: &str| BadCapability {
            what: WHAT,
            text: text.to_owned(),
            why: why.to_owned(),
            example: EXAMPLE,
        };
        let (methods, target) = match text.split_once(' ') {
            Some((methods, target)) => (methods_of(methods).map_err(bad)?, target.trim_start()),
            None => (Vec::new(), text),
        };
        let (scheme, authority) = match target.split_once("://") {
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(("http", rest)) => (Scheme::Http, rest),
            Some(_) => return Err(bad("its scheme is neither http nor https")),
            None => (Scheme::Https, target),
        };
        let (host, port) = split_port(authority, scheme).map_err(bad)?;
        let host = host.to_ascii_lowercase();
        let hosts = match host.strip_prefix("*.") {
            Some(domain) => Hosts::Below(checked_name(domain).map_err(bad)?),
            None => Hosts::One(checked_host(&host).map_err(bad)?),
        };
        Ok(Self { methods, scheme, hosts, port })
    }
}

fn methods_of(text: &str) -> Result<Vec<String>, &'static str> {
    if text == "*" {
        return Ok(Vec::new());
    }
    let is_method = |method: &str| {
        !method.is_empty()
            && method.len() <= 32
            && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
    };
    let mut methods: Vec<String> = text.split(',').map(str::to_owned).collect();
    if !methods.iter().all(|method| is_method(method)) {
        return Err("methods are in capital letters, with commas and no spaces between them");
    }
    methods.sort();
    methods.dedup();
    Ok(methods)
}

fn split_port(authority: &str, scheme: Scheme) -> Result<(&str, Option<u16>), &'static str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or("its bracket is not closed")?;
            let port = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(':').ok_or("what follows the bracket is no port")?),
            };
            (host, port)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let Some(port) = port else { return Ok((host, Some(scheme.default_port()))) };
    match port.parse() {
        _ if port == "*" => Ok((host, None)),
        Ok(0) | Err(_) => Err("its port is neither a number from 1 to 65535 nor *"),
        Ok(port) => Ok((host, Some(port))),
    }
}

fn checked_host(host: &str) -> Result<String, &'static str> {
    match host.parse::<IpAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => checked_name(host),
    }
}

fn checked_name(name: &str) -> Result<String, &'static str> {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let is_name = name.len() <= HOST_BYTES_MAX && name.split('.').all(is_label);
    // What ends in a number is taken for an address by some resolvers, in forms such as 127.1 or 0x7f.1.
    let ends_in_number = name.rsplit('.').next().is_some_and(|last| {
        last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x")
    });
    match (is_name, ends_in_number) {
        (true, false) => Ok(name.to_owned()),
        (true, true) => Err("its host is a number, but no address in the usual form"),
        (false, _) => {
            Err("its host is neither a name of letters, digits and hyphens nor an address")
        }
    }
}

impl fmt::Display for HttpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.methods.is_empty() {
            write!(f, "{} ", self.methods.join(","))?;
        }
        if self.scheme == Scheme::Http {
            f.write_str(self.scheme.prefix())?;
        }
        match &self.hosts {
            Hosts::Below(domain) => write!(f, "*.{domain}")?,
            Hosts::One(host) if host.parse::<Ipv6Addr>().is_ok() => write!(f, "[{host}]")?,
            Hosts::One(host) => f.write_str(host)?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => f.write_str(":*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> HttpTarget {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_left_out_has_a_default_and_is_written_again() {
        for (short, long) in [
            ("api.example.com", "api.example.com:443"),
            ("API.Example.com:8443", "api.example.com:8443"),
            ("http://intern", "http://intern:80"),
            ("POST,GET https://a.b", "GET,POST a.b:443"),
            ("* *.example.com", "*.example.com:443"),
            ("http://[0::1]:8080", "http://[::1]:8080"),
            ("http://localhost:*", "http://localhost:*"),
        ] {
            assert_eq!(target(short).to_string(), long);
            assert_eq!(target(long), target(short));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_an_example() {
        for (text, why) in [
            ("", "neither a name"),
            ("*", "neither a name"),
            ("a b", "capital letters"),
            ("get a.b", "capital letters"),
            ("ftp://a.b", "scheme"),
            ("a.b:0", "port"),
            ("a.b:x", "port"),
            ("a.b/path", "neither a name"),
            ("user@a.b", "neither a name"),
            ("[::1", "bracket"),
            ("127.1", "no address"),
            ("0x7f000001", "no address"),
        ] {
            let refused = text.parse::<HttpTarget>().unwrap_err().to_string();
            assert!(refused.contains(why) && refused.contains("for example"), "{refused}");
        }
    }

    #[test]
    fn a_target_permits_its_methods_at_its_host_and_port() {
        let one = target("GET api.example.com");
        assert!(one.permits("GET", Scheme::Https, "api.example.com", 443));
        assert!(!one.permits("POST", Scheme::Https, "api.example.com", 443));
        assert!(!one.permits("GET", Scheme::Http, "api.example.com", 443));
        assert!(!one.permits("GET", Scheme::Https, "api.example.com", 444));
        assert!(!one.permits("GET", Scheme::Https, "evil-api.example.com", 443));

        let below = target("*.example.com");
        assert!(below.permits("PUT", Scheme::Https, "a.b.example.com", 443));
        assert!(!below.permits("PUT", Scheme::Https, "example.com", 443));
        assert!(!below.permits("PUT", Scheme::Https, "evilexample.com", 443));
        assert!(!below.permits("PUT", Scheme::Https, ".example.com", 443));
    }

    #[test]
    fn what_permits_more_covers_what_permits_less() {
        assert!(target("a.b").covers(&target("GET a.b")));
        assert!(!target("GET a.b").covers(&target("a.b")));
        assert!(target("GET,POST a.b").covers(&target("POST a.b")));
        assert!(target("*.b.c").covers(&target("a.b.c")));
        assert!(target("*.c.d").covers(&target("*.b.c.d")));
        assert!(!target("*.b.c").covers(&target("*.c")));
        assert!(!target("a.b").covers(&target("http://a.b:443")));
        assert!(target("a.b:*").covers(&target("a.b")) && !target("a.b").covers(&target("a.b:*")));
    }
}
