//! The line to a server: in the open, or encrypted.

use std::error::Error;
use std::fmt;
use std::io;
use std::iter;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::Service;

/// How long a server may take to take a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens connections. Whoever lends them out again is `hyper_util`.
#[derive(Clone)]
pub(super) struct Line {
    /// Where it is to be encrypted.
    pub(super) tls: Option<TlsConnector>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("is_encrypted", &self.tls.is_some()).finish()
    }
}

/// A connection.
pub(super) enum Stream {
    Open(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Service<Uri> for Line {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Stream>>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let tls = self.tls.clone();
        Box::pin(async move {
            let connected = tokio::time::timeout(CONNECT_TIMEOUT, connect(tls, &to)).await;
            connected.map_err(|_late| io::Error::other("it takes no connection"))?.map(TokioIo::new)
        })
    }
}

async fn connect(tls: Option<TlsConnector>, to: &Uri) -> io::Result<Stream> {
    let host = to.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = to.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await?;
    // Where the system does not know it, answers come a little later.
    let _slower = stream.set_nodelay(true);
    let Some(tls) = tls else { return Ok(Stream::Open(stream)) };
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    Ok(Stream::Tls(Box::new(tls.connect(name, stream).await?)))
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Open(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Open(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Open(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Open(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// What went wrong on a line.
#[derive(Debug)]
pub(in crate::cli) struct Fault {
    /// The innermost cause: the others say only that something went wrong below.
    pub(super) why: String,
    /// What to do, where somebody is there and does not talk as we do.
    pub(super) advice: Option<&'static str>,
}

impl Fault {
    pub(super) fn late() -> Self {
        Self { why: "it took the connection and says nothing".to_owned(), advice: None }
    }

    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        let causes = || iter::successors(Some(error), |&cause| cause.source());
        if let Some(tls) = causes().find_map(of_tls) {
            return Self { why: tls.to_string(), advice: Some(advice(tls)) };
        }
        let why = causes().last().map(ToString::to_string).unwrap_or_default();
        let is_no_http =
            causes().any(|cause| cause.downcast_ref().is_some_and(hyper::Error::is_parse));
        let advice = is_no_http.then_some("one that encrypts is asked by https://");
        Self { why, advice }
    }
}

/// What TLS says: what is within an error of I/O is not among its sources.
fn of_tls<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let within = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let within = within.and_then(|within| within.downcast_ref());
    within.or_else(|| cause.downcast_ref())
}

fn advice(error: &rustls::Error) -> &'static str {
    use rustls::{AlertDescription, CertificateError, Error};

    match error {
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "name it as its certificate does",
        Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "its certificate has to be renewed",
        Error::InvalidCertificate(_) => {
            "--ca FILE or STEPWELL_CA names the authority that signed its certificate"
        }
        Error::InvalidMessage(_) => "a server in the open is asked by http://",
        Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::HandshakeFailure,
        ) => {
            "it asks for a certificate that it trusts: --client-cert FILE and --client-key FILE name one"
        }
        _ => "look into the log of the host",
    }
}
