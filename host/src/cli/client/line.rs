//! The line to a server: in the open, or encrypted.

use std::error::Error;
use std::io;
use std::iter;
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower::BoxError;
use tower::timeout::Timeout;
use tower::timeout::error::Elapsed;
use tower::util::BoxCloneSyncService;

/// How long a server may take to take a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens connections, in the open or encrypted. Whoever lends them out again is `hyper_util`.
pub(super) type Line = BoxCloneSyncService<Uri, MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>;

/// A line that encrypts by that configuration, where it is to.
pub(super) fn line(tls: ClientConfig) -> Line {
    let mut tcp = HttpConnector::new();
    // TLS goes over it too.
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
    BoxCloneSyncService::new(Timeout::new(https.wrap_connector(tcp), CONNECT_TIMEOUT))
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
        if causes().any(<dyn Error>::is::<Elapsed>) {
            return Self { why: "it takes no connection".to_owned(), advice: None };
        }
        let why = causes().last().map(ToString::to_string).unwrap_or_default();
        let is_no_http =
            causes().any(|cause| cause.downcast_ref().is_some_and(hyper::Error::is_parse));
        let advice = is_no_http.then_some("one that encrypts is asked by https://");
        Self { why, advice }
    }
}

/// What TLS says: what is within an error of I/O is not among its sources, and may be within another one.
fn of_tls<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    match cause.downcast_ref::<io::Error>() {
        Some(error) => of_tls(error.get_ref()?),
        None => cause.downcast_ref(),
    }
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
        Error::InvalidCertificate(CertificateError::Other(_)) => {
            "its certificate is an authority's own, or of version 1: docs/tls.md says how one is made"
        }
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
