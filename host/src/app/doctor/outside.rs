//! Where the host is reached, and what its modules may reach.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::whole;
use crate::app::outside;
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
    String::from_utf8_lossy(&answer).contains("Stepwell")
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
