//! Where Redis is, and what its channels are called.

use std::fmt;

use fred::types::RespVersion;
use fred::types::config::Config;

use super::outbox::Hearer;

/// What every channel begins with. An ACL that allows `&stepwell:*` is enough.
const PREFIX: &str = "stepwell";
/// The longest namespace, in bytes.
const NAMESPACE_BYTES_MAX: usize = 64;
const FORM: &str =
    "it looks like redis://host:6379, or rediss://user:password@host:6379?namespace=name with TLS";

/// Why an address cannot be used. It never holds what was given, which may have a password in it.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// Give another address.
    #[error("--redis: {why}; {FORM}")]
    BadAddress {
        /// What is wrong with it.
        why: String,
    },
    /// Mend what this machine trusts, or go without TLS.
    #[error("--redis: the certificates that this machine trusts cannot be read")]
    Untrusting(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn bad(why: impl Into<String>) -> NotifyError {
    NotifyError::BadAddress { why: why.into() }
}

/// Where Redis is, and which of its channels are this cluster's.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) config: Config,
    namespace: String,
}

impl Address {
    /// Reads an address.
    pub(super) fn read(url: &str) -> Result<Self, NotifyError> {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        if !scheme.is_some_and(|scheme| ["redis", "rediss"].contains(&scheme)) {
            return Err(bad("it must begin with redis:// or rediss://"));
        }
        let mut config = Config::from_url_centralized(url).map_err(|error| match error.kind() {
            fred::error::ErrorKind::Tls => NotifyError::Untrusting(Box::new(error)),
            _ => bad(error.details()),
        })?;
        config.version = RespVersion::RESP3;
        // Channels are the same in every database; no key is ever read.
        let database = config.database.take().unwrap_or(0);
        let namespace = namespace(url)?.map_or_else(|| database.to_string(), str::to_owned);
        Ok(Self { config, namespace })
    }

    /// The channel on which that hearer listens.
    pub(super) fn channel(&self, hearer: Hearer) -> String {
        match hearer {
            Hearer::All => format!("{PREFIX}:{}:all", self.namespace),
            Hearer::One(host) => format!("{PREFIX}:{}:host:{host}", self.namespace),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("server", &self.config.server)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

/// The namespace that the query of a URL gives.
fn namespace(url: &str) -> Result<Option<&str>, NotifyError> {
    let Some((_, query)) = url.split_once('?') else { return Ok(None) };
    // What is no parameter may be a part of a password, and is not repeated.
    let Some(given) = query.strip_prefix("namespace=") else {
        return Err(bad("the only parameter is namespace"));
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if given.is_empty() || given.len() > NAMESPACE_BYTES_MAX || !given.bytes().all(is_name) {
        let most = NAMESPACE_BYTES_MAX;
        let why = format!("a namespace has 1 to {most} letters, digits, '-', '_' or '.'");
        return Err(bad(why));
    }
    Ok(Some(given))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HostId;

    fn read(url: &str) -> Address {
        Address::read(url).unwrap()
    }

    #[test]
    fn an_address_says_who_speaks_to_whom() {
        let address = read("redis://host.example:7000/3");

        assert_eq!(address.config.server.hosts()[0].port, 7_000);
        assert_eq!(address.config.database, None);
        assert_eq!(address.channel(Hearer::All), "stepwell:3:all");
        let host = HostId::from_bytes([0; 16]);
        let expected = "stepwell:3:host:00000000-0000-0000-0000-000000000000";
        assert_eq!(address.channel(Hearer::One(host)), expected);
    }

    #[test]
    fn clusters_on_one_redis_are_told_apart_by_a_namespace() {
        assert_eq!(read("redis://host").channel(Hearer::All), "stepwell:0:all");
        let blue = read("redis://host/3?namespace=blue-1");
        assert_eq!(blue.channel(Hearer::All), "stepwell:blue-1:all");
    }

    #[test]
    fn user_and_password_come_from_the_address_and_are_not_shown() {
        let address = read("redis://us%40er:se%23cret@host");

        assert_eq!(address.config.username.as_deref(), Some("us@er"));
        assert_eq!(address.config.password.as_deref(), Some("se#cret"));
        assert!(!format!("{address:?}").contains("cret"));
    }

    #[test]
    fn a_bad_address_names_the_flag_and_never_the_password() {
        for bad in [
            "",
            "secret",
            "host:6379",
            "http://:secret@host",
            "redis-cluster://:secret@host:6379",
            "redis+unix:///secret",
            "redis://:secret@host:port",
            "redis://:secret@host:99999",
            "redis://:secret@",
            "redis://:secret@host/x",
            "redis://:secret@host/0/1",
            "redis://user:1?secret@host",
            "redis://:secret@host?namespace=",
            "redis://:secret@host?namespace=a%20b",
            "redis://:secret@host?namespace=a&name=b",
            "redis://:secret@host?name=b",
        ] {
            let told = Address::read(bad).unwrap_err();
            let shown = format!("{told} {told:?}");
            assert!(shown.starts_with("--redis: "), "{bad}: {shown}");
            assert!(!shown.contains("secret"), "{bad}: {shown}");
        }
    }
}
