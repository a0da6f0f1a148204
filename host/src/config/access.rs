//! Who reaches a host, and how: keys, proxies and TLS.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;
use ipnet::IpNet;

use crate::model::{ChosenKey, WeakKey};

/// The flags of who may reach a host.
#[derive(Debug, Args)]
pub struct AccessFlags {
    /// A key that may do everything, beside those in the database: 32 characters or more; better given by the variable STEPWELL_ADMIN_KEY [default: none]
    #[arg(long, env = "STEPWELL_ADMIN_KEY", value_name = "KEY", hide_env_values = true)]
    admin_key: Option<String>,
    /// Listen where other machines reach this host though there is no key
    #[arg(long, env = "STEPWELL_INSECURE_NO_AUTH", value_parser = FalseyValueParser::new())]
    insecure_no_auth: bool,
    /// A proxy, or a network of such, that is believed when it says for whom it asks (X-Forwarded-For); may be given several times [default: none]
    #[arg(
        long = "trusted-proxy",
        env = "STEPWELL_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_name = "IP",
        value_parser = network
    )]
    trusted_proxies: Vec<IpNet>,
    /// Connections at once; where there are more, the one that has been idle the longest is closed [default: 10000]
    #[arg(long, env = "STEPWELL_CONNECTIONS_MAX", value_name = "COUNT")]
    connections_max: Option<NonZeroUsize>,
    /// The host's certificate and what it was signed with, in PEM: requests come by TLS alone; read again when it changes [default: none]
    #[arg(long, env = "STEPWELL_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert, in PEM
    #[arg(long, env = "STEPWELL_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Authorities in PEM, one of which must have signed the certificate that each client shows [default: none]
    #[arg(long, env = "STEPWELL_TLS_CLIENT_CA", value_name = "FILE", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_none| address()).map_err(|_none| {
        "write an address such as 10.0.0.7, or a network such as 10.0.0.0/8".to_owned()
    })
}

impl AccessFlags {
    /// How many connections there may be at once.
    pub(super) fn connections_max(&self) -> Option<usize> {
        self.connections_max.map(NonZeroUsize::get)
    }
}

/// Who reaches a host, and how.
#[derive(Debug, Clone, Default)]
pub struct AccessConfig {
    /// An admin's key beside those in the database. One that is too weak is refused at the start, where nobody prints it.
    pub admin_key: Option<Result<ChosenKey, WeakKey>>,
    /// Whether it may be open to other machines without a key.
    pub insecure_no_auth: bool,
    /// Proxies that are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How it encrypts.
    pub tls: Option<TlsFiles>,
}

/// The files of TLS, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Its certificate and what it was signed with.
    pub cert: PathBuf,
    /// The private key of that.
    pub key: PathBuf,
    /// Who signs the certificates that clients must show.
    pub client_ca: Option<PathBuf>,
}

impl From<AccessFlags> for AccessConfig {
    fn from(flags: AccessFlags) -> Self {
        // A variable that is empty is one that is not set: that is how files of them leave something out.
        let admin_key = flags.admin_key.filter(|key| !key.is_empty());
        let files = flags.tls_cert.zip(flags.tls_key);
        Self {
            admin_key: admin_key.map(|key| key.parse()),
            insecure_no_auth: flags.insecure_no_auth,
            trusted_proxies: flags.trusted_proxies,
            tls: files.map(|(cert, key)| TlsFiles { cert, key, client_ca: flags.tls_client_ca }),
        }
    }
}
