//! A web server: over HTTP or HTTPS, for steps to reach or not, which counts who came.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What whoever comes must show.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    Nothing,
    Certificate,
}

/// A server on a port of its own, until it is dropped.
#[derive(Debug)]
pub struct Web {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    open: watch::Receiver<usize>,
    /// In PEM, where it speaks TLS.
    pub authority: String,
    /// A certificate that the authority has signed for a client, and its key, in PEM.
    pub client: [String; 2],
    _serving: JoinSet<()>,
}

impl Web {
    /// One that speaks in the open.
    pub async fn start() -> Self {
        Self::listen("127.0.0.1:0", None, String::new()).await
    }

    /// The same at another address.
    pub async fn start_at(address: &str) -> Self {
        Self::listen(address, None, String::new()).await
    }

    /// One that speaks TLS as `tls.test` and 127.0.0.1, under an authority of its own.
    pub async fn start_tls() -> Self {
        Self::start_encrypted(Wanted::Nothing).await
    }

    /// The same, and whoever comes must show a certificate of that authority.
    pub async fn start_mutual_tls() -> Self {
        Self::start_encrypted(Wanted::Certificate).await
    }

    async fn start_encrypted(wanted: Wanted) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let own = KeyPair::generate().unwrap();
        let names = ["tls.test", "127.0.0.1"].map(str::to_owned);
        let certificate = CertificateParams::new(names).unwrap().signed_by(&own, &issuer).unwrap();
        let theirs = KeyPair::generate().unwrap();
        let client = CertificateParams::new(["client.test".to_owned()]).unwrap();
        let client = client.signed_by(&theirs, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = match wanted {
            Wanted::Nothing => config.with_no_client_auth(),
            Wanted::Certificate => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.der().clone()).unwrap();
                let judge = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                config.with_client_cert_verifier(judge.build().unwrap())
            }
        };
        let config = config
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.serialize_der())),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let web = Self::listen("127.0.0.1:0", Some(acceptor), authority.pem()).await;
        Self { client: [client.pem(), theirs.serialize_pem()], ..web }
    }

    async fn listen(address: &str, tls: Option<TlsAcceptor>, authority: String) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let (opened, open) = watch::channel(0);
        let counted = Arc::clone(&requests);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _from) = listener.accept().await.unwrap();
                connections.spawn(take(stream, tls.clone(), Arc::clone(&counted), opened.clone()));
            }
        });
        let client = [String::new(), String::new()];
        Self { address, requests, open, authority, client, _serving: serving }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many requests came in.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Returns when so many connections are open.
    pub async fn until_open(&self, count: usize) {
        self.open.clone().wait_for(|open| *open == count).await.unwrap();
    }
}

/// One connection, from its first byte to its end.
async fn take(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    counted: Arc<AtomicUsize>,
    opened: watch::Sender<usize>,
) {
    opened.send_modify(|open| *open += 1);
    match tls {
        None => serve(stream, &counted).await,
        Some(tls) => {
            // Who does not trust the certificate goes away.
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, &counted).await;
            }
        }
    }
    opened.send_modify(|open| *open -= 1);
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, requests: &AtomicUsize) {
    let mut asked = Vec::new();
    let head = loop {
        let mut piece = [0; 4_096];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(read) => asked.extend_from_slice(&piece[..read]),
        }
        if let Some(end) = asked.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    requests.fetch_add(1, Ordering::SeqCst);
    let length = header(&asked[..head], "content-length").and_then(|text| text.parse().ok());
    let mut body = asked.split_off(head);
    let is_chunked = header(&asked, "transfer-encoding").is_some();
    // What was not read would break off the answer.
    let is_whole = |body: &[u8]| {
        if is_chunked { body.ends_with(b"0\r\n\r\n") } else { body.len() >= length.unwrap_or(0) }
    };
    while !is_whole(&body) {
        let mut piece = [0; 4_096];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(read) => body.extend_from_slice(&piece[..read]),
        }
    }
    let text = String::from_utf8_lossy(&asked).into_owned();
    let target = text.split(' ').nth(1).unwrap_or("/").to_owned();
    answer(&mut stream, &target, &asked, &body).await;
    let _closed = stream.shutdown().await;
    // What is still unread at the end would break off the answer.
    while stream.read(&mut [0; 1_024]).await.is_ok_and(|read| read > 0) {}
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    target: &str,
    head: &[u8],
    body: &[u8],
) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let key = header(head, "x-key").unwrap_or_default();
    let said = match path {
        "/redirect" => {
            format!("HTTP/1.1 302 Found\r\nlocation: {query}\r\ncontent-length: 0\r\n\r\n")
        }
        "/bytes" => {
            let body = "x".repeat(query.parse().unwrap());
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        }
        "/headers" => {
            let value = "x".repeat(query.parse().unwrap());
            format!("HTTP/1.1 200 OK\r\nx-large: {value}\r\ncontent-length: 0\r\n\r\n")
        }
        "/compressed" => {
            "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nxx".to_owned()
        }
        "/silence" => {
            // Until whoever asked has gone away.
            let _gone = stream.read(&mut [0]).await;
            return;
        }
        "/dripping" => return drip(stream, key.as_bytes()).await,
        _ => {
            let body =
                format!("{}{}", String::from_utf8_lossy(head), String::from_utf8_lossy(body));
            format!(
                "HTTP/1.1 200 OK\r\nx-echo: {key}\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        }
    };
    let _gone = stream.write_all(said.as_bytes()).await;
}

/// A byte a chunk.
async fn drip<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) {
    let mut said = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for byte in bytes {
        said.extend_from_slice(&[b'1', b'\r', b'\n', *byte, b'\r', b'\n']);
        let _gone = stream.write_all(&said).await;
        let _gone = stream.flush().await;
        said.clear();
    }
    let _gone = stream.write_all(b"0\r\n\r\n").await;
}

fn header(head: &[u8], name: &str) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    head.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}
