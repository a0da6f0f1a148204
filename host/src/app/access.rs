//! Who is let in: what the configuration says, and what is refused to be opened.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tracing::{info, warn};

use crate::config::{AccessConfig, TlsFiles};
use crate::http::{Access, Keys, Line, Pem, Reach, Tls};
use crate::model::Role;
use crate::store::{KeyRow, Store};

/// How connections are encrypted, if they are.
pub(super) fn tls(config: &AccessConfig) -> Result<Option<Tls>> {
    let Some(TlsFiles { cert, key, client_ca }) = config.tls.clone() else { return Ok(None) };
    let tls = Tls::read(Pem { cert, key, client_ca });
    tls.map(Some).context("TLS cannot be spoken; see --tls-cert, --tls-key and --tls-client-ca")
}

/// Keys that are looked at for one that is good.
const LOOKED_AT: u32 = 1_000;

async fn warn_of_lost_keys(config: &AccessConfig, store: &dyn Store) -> Result<()> {
    let is_admins =
        |key: &KeyRow| key.revoked_at.is_none() && key.scope.roles.contains(&Role::Admin);
    if config.admin_key.is_none() && !store.keys(LOOKED_AT).await?.iter().any(is_admins) {
        warn!(
            "No admin's key is good any longer: nobody can make or revoke keys. Set STEPWELL_ADMIN_KEY to get in again"
        );
    }
    Ok(())
}

/// How the door is guarded. A door that others reach is not opened where nobody would be asked for a key.
pub(super) async fn guard(
    config: &AccessConfig,
    address: SocketAddr,
    store: &dyn Store,
) -> Result<Access> {
    let has_keys = config.admin_key.transpose()?.is_some() || store.has_keys().await?;
    let reach = if address.ip().is_loopback() { Reach::Loopback } else { Reach::Network };
    match reach {
        _ if has_keys => warn_of_lost_keys(config, store).await?,
        Reach::Loopback if config.trusted_proxies.is_empty() => info!(
            "There are no keys: whoever is on this machine may do everything, and nobody else reaches it. \
             `stepwell keys create` makes the first"
        ),
        _ if config.insecure_no_auth => {
            warn!(
                "Whoever reaches {address} may do everything: there are no keys (--insecure-no-auth)"
            );
        }
        _ => bail!(
            "{address} is reached from other machines, and there is no key to ask them for. Set STEPWELL_ADMIN_KEY to a \
             secret of 32 characters or more (`openssl rand -hex 32` makes one); or make a key with `stepwell keys create` \
             while this host listens on 127.0.0.1 without --trusted-proxy; or give --insecure-no-auth, and whoever reaches it may do everything"
        ),
    }
    Ok(Access {
        keys: if config.insecure_no_auth
            || reach == Reach::Loopback && config.trusted_proxies.is_empty()
        {
            Keys::OnceThereIsOne
        } else {
            Keys::Always
        },
        reach,
        trusted_proxies: config.trusted_proxies.clone(),
        line: if config.tls.is_some() { Line::Tls } else { Line::Plain },
    })
}
