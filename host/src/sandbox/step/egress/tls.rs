//! TLS towards the world.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;

/// Whose certificates are trusted: the machine's list, and a file of the operator's.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Trust {
    extra: Vec<CertificateDer<'static>>,
    connector: OnceCell<Connector>,
}

#[derive(Clone)]
struct Connector(TlsConnector);

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}

impl Trust {
    /// The machine's list, and what lies in that file, in PEM.
    pub(in crate::sandbox) fn with(file: Option<&Path>) -> io::Result<Self> {
        let Some(file) = file else { return Ok(Self::default()) };
        let read = CertificateDer::pem_file_iter(file).map_err(io::Error::other)?;
        let extra: Vec<_> = read.collect::<Result<_, _>>().map_err(io::Error::other)?;
        if extra.is_empty() {
            return Err(io::Error::other("it holds no certificate in PEM"));
        }
        Ok(Self { extra, connector: OnceCell::new() })
    }

    /// The machine's list is read when the first request needs it: most hosts never do.
    pub(super) async fn connector(&self) -> io::Result<TlsConnector> {
        let made = self.connector.get_or_try_init(|| async {
            let extra = self.extra.clone();
            let made = tokio::task::spawn_blocking(move || connector(extra)).await;
            made.map_err(io::Error::other)?
        });
        made.await.map(|connector| connector.0.clone())
    }
}

fn connector(extra: Vec<CertificateDer<'static>>) -> io::Result<Connector> {
    let mut roots = RootCertStore::empty();
    let machines = rustls_native_certs::load_native_certs();
    for error in &machines.errors {
        tracing::warn!(cause = %error, "A part of this machine's root certificates cannot be read");
    }
    roots.add_parsable_certificates(machines.certs);
    for certificate in extra {
        roots.add(certificate).map_err(io::Error::other)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Connector(TlsConnector::from(Arc::new(config))))
}
