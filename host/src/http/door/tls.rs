//! TLS towards clients, from files that are read again when they change.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// The files of TLS, in PEM.
#[derive(Debug, Clone)]
pub struct Pem {
    /// Its certificate and what it was signed with.
    pub cert: PathBuf,
    /// The private key of that.
    pub key: PathBuf,
    /// Who signs the certificates that clients must show.
    pub client_ca: Option<PathBuf>,
}

/// Files with which no TLS can be spoken.
#[derive(Debug, thiserror::Error)]
pub enum BadTls {
    /// A file that cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that is no PEM, or has nothing in it of what it should.
    #[error("{path} holds no {what} in PEM")]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Why.
        #[source]
        source: Option<rustls::pki_types::pem::Error>,
    },
    /// A certificate and a key that do not belong together, or that nobody can use.
    #[error("the certificate of {cert} cannot be used with the key of {key}")]
    Unfit {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// An authority that nobody can use.
    #[error("{path} holds a certificate that is no authority")]
    NoAuthority {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// TLS as it is spoken now.
#[derive(Debug)]
pub struct Tls {
    pem: Pem,
    current: RwLock<Arc<ServerConfig>>,
    /// What was read last, good or bad.
    seen: Mutex<Texts>,
}

/// The texts of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Texts {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Tls {
    /// TLS with these files, as they are now.
    pub fn read(pem: Pem) -> Result<Self, BadTls> {
        let texts = Texts::read(&pem)?;
        let current = RwLock::new(Arc::new(configure(&pem, &texts)?));
        Ok(Self { pem, current, seen: Mutex::new(texts) })
    }

    /// Agrees on it with a client, as the files are now.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current))
    }

    /// Looks at the files now and then, until the door closes.
    pub(super) async fn follow(self: Arc<Self>, every: Duration, closing: CancellationToken) {
        let mut was_unreadable = false;
        loop {
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                () = closing.cancelled() => return,
            }
            let tls = Arc::clone(&self);
            let looked = tokio::task::spawn_blocking(move || tls.look()).await;
            let Ok(Err(bad)) = looked else {
                was_unreadable = false;
                continue;
            };
            // A file that is away is not read, so it looks the same each time.
            let is_told = was_unreadable && matches!(bad, BadTls::Unreadable { .. });
            was_unreadable = matches!(bad, BadTls::Unreadable { .. });
            if !is_told {
                let cause: &dyn std::error::Error = &bad;
                tracing::warn!(
                    error = cause,
                    "The new files of TLS are not taken; the old ones go on: {bad}"
                );
            }
        }
    }

    /// Takes what is new, if it is good.
    fn look(&self) -> Result<(), BadTls> {
        let texts = Texts::read(&self.pem)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == texts {
            return Ok(());
        }
        let configured = configure(&self.pem, &texts);
        *seen = texts;
        drop(seen);
        let configured = Arc::new(configured?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = configured;
        tracing::info!(cert = %self.pem.cert.display(), "New connections are encrypted with the new files of TLS");
        Ok(())
    }
}

impl Texts {
    fn read(pem: &Pem) -> Result<Self, BadTls> {
        let read = |path: &Path| {
            fs::read(path).map_err(|source| BadTls::Unreadable { path: path.to_owned(), source })
        };
        Ok(Self {
            cert: read(&pem.cert)?,
            key: read(&pem.key)?,
            client_ca: pem.client_ca.as_deref().map(read).transpose()?,
        })
    }
}

fn configure(pem: &Pem, texts: &Texts) -> Result<ServerConfig, BadTls> {
    let provider = Arc::new(ring::default_provider());
    let chain = certificates(&pem.cert, &texts.cert)?;
    let key = PrivateKeyDer::from_pem_slice(&texts.key).map_err(|source| BadTls::NotPem {
        path: pem.key.clone(),
        what: "private key",
        source: Some(source),
    })?;
    let unfit = |source| BadTls::Unfit { cert: pem.cert.clone(), key: pem.key.clone(), source };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unfit)?;
    let builder = match pem.client_ca.as_deref().zip(texts.client_ca.as_deref()) {
        None => builder.with_no_client_auth(),
        Some((path, text)) => {
            let authorities = certificates(path, text)?;
            let refused = |source| BadTls::NoAuthority { path: path.to_owned(), source };
            builder.with_client_cert_verifier(verifier(authorities, provider).map_err(refused)?)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(unfit)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, BadTls> {
    let not_pem = |source| BadTls::NotPem { path: path.to_owned(), what: "certificate", source };
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let certificates = read.map_err(|source| not_pem(Some(source)))?;
    if certificates.is_empty() { Err(not_pem(None)) } else { Ok(certificates) }
}

type Verifier = Arc<dyn rustls::server::danger::ClientCertVerifier>;

fn verifier(
    authorities: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, Box<dyn std::error::Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority)?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    Ok(verifier.map_err(|bad: VerifierBuilderError| bad)?)
}
