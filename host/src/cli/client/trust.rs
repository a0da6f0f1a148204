//! Which servers are trusted, and by which certificate a client is known.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};

use crate::cli::error::CliError;

/// The files of TLS, in PEM.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Trust {
    /// Authorities of one's own, and no others.
    pub(in crate::cli) authority: Option<PathBuf>,
    /// The certificate that a client shows, and its private key.
    pub(in crate::cli) identity: Option<(PathBuf, PathBuf)>,
}

impl Trust {
    /// How it is encrypted by them.
    pub(super) fn config(&self) -> Result<ClientConfig, CliError> {
        let roots = match &self.authority {
            Some(file) => authorities(file)?,
            None => machines(),
        };
        let config = trusting(roots)?;
        let Some((certificate, key)) = &self.identity else {
            return Ok(config.with_no_client_auth());
        };
        let chain = certificates(certificate)?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, error))?;
        config.with_client_auth_cert(chain, private).map_err(|error| {
            let (certificate, key) = (certificate.display(), key.display());
            CliError::Usage(format!("{certificate} and {key} cannot be used together: {error}"))
        })
    }
}

/// For a server in the open: nobody's certificate is looked at.
pub(super) fn none() -> Result<ClientConfig, CliError> {
    Ok(trusting(RootCertStore::empty())?.with_no_client_auth())
}

fn trusting(
    roots: RootCertStore,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, CliError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder =
        builder.map_err(|error| CliError::Usage(format!("TLS cannot be set up: {error}")))?;
    Ok(builder.with_root_certificates(roots))
}

/// What this machine trusts. Where that is nothing, no server is, and that is told when one is asked.
fn machines() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn authorities(file: &Path) -> Result<RootCertStore, CliError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| unreadable(file, error))?;
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, CliError> {
    let read = CertificateDer::pem_file_iter(file).map_err(|error| unreadable(file, error))?;
    let read: Result<Vec<_>, _> = read.collect();
    let read = read.map_err(|error| unreadable(file, error))?;
    if read.is_empty() {
        return Err(unreadable(file, "it holds no certificate in PEM"));
    }
    Ok(read)
}

fn unreadable(file: &Path, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CliError {
    CliError::Unreadable { path: file.display().to_string(), source: io::Error::other(why) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_told_by_the_name_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, "nothing of the kind").unwrap();
        let told = |authority: &Path| {
            let trust = Trust { authority: Some(authority.to_owned()), identity: None };
            trust.config().map(|_made| ()).unwrap_err().to_string()
        };

        assert!(told(&file).ends_with("ca.pem cannot be read: it holds no certificate in PEM"));
        let missing = told(&folder.path().join("none.pem"));
        assert!(missing.contains("none.pem cannot be read"), "{missing}");
    }
}
