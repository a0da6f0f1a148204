//! Where the host is reached, and what its modules may reach.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::neighbour::{Neighbour, who};
use super::store::Database;
use super::whole;
use crate::app::{access, outside};
use crate::cli::Finding;
use crate::config::Config;

/// Whether the address is free, or whose it is.
pub(super) async fn address(config: &Config) -> Finding {
    let (what, listen) = ("address", config.listen);
    match TcpListener::bind(listen).await {
        Ok(_free) => Finding::ok(what, format!("{listen} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let certificate = config.access.tls.as_ref().map(|files| &*files.cert);
            taken(listen, who(listen, certificate).await)
        }
        Err(error) => {
            let told = format!("{listen} cannot be listened on: {error}");
            Finding::fail(
                what,
                told,
                "give a --listen with an address of this machine and a port above 1023",
            )
        }
    }
}

fn taken(listen: SocketAddr, by: Neighbour) -> Finding {
    let (what, advice) = ("address", "give another --listen, or end that program");
    match by {
        Neighbour::Host => Finding::ok(what, format!("{listen}: a stepwell host answers there")),
        Neighbour::Namesake => {
            let told = format!("{listen}: a host with the certificate of --tls-cert answers there");
            Finding::ok(what, told)
        }
        Neighbour::Guarded => {
            let told =
                format!("{listen} is taken by a program that encrypts and does not say who it is");
            let advice =
                format!("{advice}; a host that asks for certificates is known by its --tls-cert");
            Finding::fail(what, told, advice)
        }
        Neighbour::Other => {
            Finding::fail(what, format!("{listen} is taken by another program"), advice)
        }
    }
}

/// Whether nobody is let in who should not be, and the host starts for all that.
pub(super) fn door(config: &Config, database: &Database) -> Finding {
    let (what, given) = ("access", &config.access);
    if let Some(Err(weak)) = given.admin_key {
        return Finding::fail(what, whole(weak), "set STEPWELL_ADMIN_KEY to such a one");
    }
    if let Err(error) = access::tls(given) {
        return Finding::fail(what, whole(error), "docs/tls.md says what each file holds");
    }
    let line = if given.tls.is_some() { "TLS" } else { "no TLS" };
    let is_alone = config.listen.ip().is_loopback() && given.trusted_proxies.is_empty();
    let has_keys = match database {
        Ok(seen) => Some(seen.as_ref().is_some_and(|seen| seen.has_keys)),
        Err(_unseen) => None,
    };
    if is_alone || given.admin_key.is_some() || has_keys == Some(true) {
        let who = if is_alone { "this machine alone" } else { "others, with keys" };
        return Finding::ok(what, format!("{who}; {line}"));
    }
    if given.insecure_no_auth {
        let told = format!("whoever reaches {} may do everything; {line}", config.listen);
        return Finding::warn(what, told, "make a key, and leave --insecure-no-auth out");
    }
    if has_keys.is_none() {
        let told = format!(
            "others reach {}, and nobody knows whether there is a key; {line}",
            config.listen
        );
        return Finding::warn(what, told, "mend the database, or give STEPWELL_ADMIN_KEY");
    }
    let told = format!(
        "others reach {}, and there is no key: the host does not start; {line}",
        config.listen
    );
    let advice = "set STEPWELL_ADMIN_KEY, or make a key with `stepwell keys create` while a host on this database listens on 127.0.0.1";
    Finding::fail(what, told, advice)
}

/// Whether the files are good that say what modules may reach.
pub(super) async fn policy(config: &Config) -> Option<Finding> {
    let file = config.policy.as_ref()?.display().to_string();
    Some(match outside::read(config).await {
        Ok(_read) => Finding::ok("policy", format!("{file} is good")),
        Err(error) => {
            Finding::fail("policy", whole(error), "mend the file, or give another --policy")
        }
    })
}
