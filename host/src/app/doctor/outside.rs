//! Where the host is reached, and what its modules may reach.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::whole;
use crate::app::{access, outside};
use crate::cli::Finding;
use crate::config::Config;

/// How long whoever has the address may take to say who it is.
const SAYS_WITHIN: Duration = Duration::from_secs(2);

/// Whether the address is free, or whose it is.
pub(super) async fn address(config: &Config) -> Finding {
    let (what, listen) = ("address", config.listen);
    match TcpListener::bind(listen).await {
        Ok(_free) => Finding::ok(what, format!("{listen} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if is_stepwell(config).await {
                return Finding::ok(what, format!("{listen}: a stepwell host answers there"));
            }
            let told = format!("{listen} is taken by another program");
            Finding::fail(what, told, "give another --listen, or end that program")
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

async fn is_stepwell(config: &Config) -> bool {
    let asking = async {
        let mut stream = TcpStream::connect(config.listen).await?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
        let mut answer = Vec::new();
        stream.take(4_096).read_to_end(&mut answer).await?;
        Ok::<_, io::Error>(answer)
    };
    let answer = tokio::time::timeout(SAYS_WITHIN, asking).await;
    let answer = answer.ok().and_then(Result::ok).unwrap_or_default();
    // One that asks for a key says so in its own name.
    String::from_utf8_lossy(&answer).to_lowercase().contains("stepwell")
}

/// Whether nobody is let in who should not be, and the host starts for all that.
pub(super) fn door(config: &Config) -> Finding {
    let (what, given) = ("access", &config.access);
    if let Some(Err(weak)) = given.admin_key {
        return Finding::fail(what, whole(weak), "set STEPWELL_ADMIN_KEY to such a one");
    }
    if let Err(error) = access::tls(given) {
        return Finding::fail(what, whole(error), "docs/tls.md says what each file holds");
    }
    let line = if given.tls.is_some() { "TLS" } else { "no TLS" };
    let is_alone = config.listen.ip().is_loopback() && given.trusted_proxies.is_empty();
    if is_alone || given.admin_key.is_some() {
        let who = if is_alone { "this machine alone" } else { "others, with keys" };
        return Finding::ok(what, format!("{who}; {line}"));
    }
    if given.insecure_no_auth {
        let told = format!("whoever reaches {} may do everything; {line}", config.listen);
        return Finding::warn(what, told, "make a key, and leave --insecure-no-auth out");
    }
    let told = format!("others reach {}; {line}", config.listen);
    let advice = "have a key in the database or in STEPWELL_ADMIN_KEY, or the host does not start";
    Finding::warn(what, told, advice)
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
