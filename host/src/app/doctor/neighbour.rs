//! Who has an address already. A host of ours says so, in the open or encrypted, and one that asks for certificates is known
//! by its own.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long whoever has the address may take to say who it is.
const SAYS_WITHIN: Duration = Duration::from_secs(2);
/// As much of an answer is read.
const ANSWER_BYTES: u64 = 4_096;

/// Who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Neighbour {
    /// A host of ours says so.
    Host,
    /// It has our certificate, and asks others for theirs.
    Namesake,
    /// Somebody encrypts, and says nothing to strangers.
    Guarded,
    /// Another program.
    Other,
}

/// Asks whoever has the address; this is our own certificate, where we have one.
pub(super) async fn who(address: SocketAddr, certificate: Option<&Path>) -> Neighbour {
    let plain = async { ask(TcpStream::connect(address).await?).await };
    if is_ours(timeout(SAYS_WITHIN, plain).await) {
        return Neighbour::Host;
    }
    let provider = Arc::new(ring::default_provider());
    let looking = Arc::new(Looking { provider, seen: Mutex::default() });
    let encrypted = async { ask(looking.connect(address).await?).await };
    if is_ours(timeout(SAYS_WITHIN, encrypted).await) {
        return Neighbour::Host;
    }
    let seen = looking.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(seen) = seen else { return Neighbour::Other };
    let own = certificate.and_then(|file| CertificateDer::from_pem_file(file).ok());
    if own.is_some_and(|own| own == seen) { Neighbour::Namesake } else { Neighbour::Guarded }
}

/// One that asks for a key says so in its own name.
fn is_ours<E>(answer: Result<io::Result<Vec<u8>>, E>) -> bool {
    let answer = answer.ok().and_then(Result::ok).unwrap_or_default();
    String::from_utf8_lossy(&answer).to_lowercase().contains("stepwell")
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<Vec<u8>> {
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
    stream.flush().await?;
    let (mut answer, mut stream) = (Vec::new(), stream.take(ANSWER_BYTES));
    // Whoever ends a line without taking leave has said what there was to say.
    let read = stream.read_to_end(&mut answer).await;
    if answer.is_empty() { read.map(|_none| answer) } else { Ok(answer) }
}

/// Takes any certificate and keeps it: nothing is told to whoever shows it, and nothing that is heard is believed but a name.
#[derive(Debug)]
struct Looking {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<CertificateDer<'static>>>,
}

impl Looking {
    async fn connect(
        self: &Arc<Self>,
        address: SocketAddr,
    ) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
        let verifier: Arc<dyn ServerCertVerifier> = Arc::<Self>::clone(self);
        let config = builder.dangerous().with_custom_certificate_verifier(verifier);
        let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
        let stream = TcpStream::connect(address).await?;
        connector.connect(ServerName::from(address.ip()), stream).await
    }
}

impl ServerCertVerifier for Looking {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let seen = certificate.clone().into_owned();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
