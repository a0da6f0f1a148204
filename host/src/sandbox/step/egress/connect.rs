//! From a destination to a stream: looked up once, every address judged, connected to a judged one.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use wasmtime_wasi_http::Error;

use super::Links;
use super::address::{self, Standing};
use super::order::Destination;
use super::refusal::Refusal;
use crate::model::Scheme;

/// A stream to a server.
pub(super) enum Stream {
    Open(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connects to a destination.
pub(super) async fn connect(links: &Links, to: &Destination) -> Result<Stream, Refusal> {
    let addresses = judged(links, to).await?;
    let stream = reach(&addresses, to.port).await?;
    match to.scheme {
        Scheme::Http => Ok(Stream::Open(stream)),
        Scheme::Https => encrypt(links, to, stream).await,
    }
}

/// The addresses of a destination. One that may not be reached refuses them all: which of them is used is nobody's choice.
async fn judged(links: &Links, to: &Destination) -> Result<Vec<IpAddr>, Refusal> {
    let literal: Option<IpAddr> = to.host.parse().ok();
    let addresses = match literal {
        Some(address) => vec![address],
        None => links.resolver.resolve(to.host.clone()).await.map_err(|error| {
            let rcode = Some(format!("{} cannot be looked up: {error}", to.host));
            Refusal::Weather(Error::DnsError { rcode, info_code: None })
        })?,
    };
    if addresses.is_empty() {
        let rcode = Some(format!("{} has no address", to.host));
        return Err(Refusal::Weather(Error::DnsError { rcode, info_code: None }));
    }
    let may_be_private = links.policy.may_be_private(to.scheme, &to.host, to.port);
    for address in &addresses {
        let why = match address::standing(*address) {
            Standing::Public => continue,
            Standing::Private(_) if may_be_private => continue,
            Standing::Metadata(_) if may_be_private && literal.is_some() => continue,
            Standing::Private(why) | Standing::Metadata(why) | Standing::Never(why) => why,
        };
        return Err(Refusal::not_granted(format!(
            "http {to} leads to {address}, {why}: where that is meant, the policy of the host names it in http.private"
        )));
    }
    Ok(addresses)
}

/// Connects to the first that answers.
async fn reach(addresses: &[IpAddr], port: u16) -> Result<TcpStream, Refusal> {
    let mut last = Error::DestinationNotFound;
    for address in addresses {
        match TcpStream::connect(SocketAddr::new(*address, port)).await {
            Ok(stream) => {
                let _without = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = unconnected(&error),
        }
    }
    Err(Refusal::Weather(last))
}

fn unconnected(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            Error::DestinationIpUnroutable
        }
        _ => Error::DestinationUnavailable,
    }
}

async fn encrypt(links: &Links, to: &Destination, stream: TcpStream) -> Result<Stream, Refusal> {
    let connector = links.trust.connector().await.map_err(|error| {
        tracing::error!(cause = %error, "This host cannot speak TLS");
        Refusal::Weather(Error::ConfigurationError)
    })?;
    let name = ServerName::try_from(to.host.clone())
        .map_err(|_no_name| Refusal::Invalid(format!("{} is no name for TLS", to.host)))?;
    match connector.connect(name, stream).await {
        Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
        Err(error) => Err(Refusal::Weather(unencrypted(&error))),
    }
}

fn unencrypted(error: &io::Error) -> Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            Error::TlsCertificateError
        }
        Some(_) => Error::TlsProtocolError,
        None => Error::ConnectionTerminated,
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
