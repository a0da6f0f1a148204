//! TLS, with real files and real processes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use stepwell::app::{App, Fittings};
use stepwell::config::{AccessConfig, Config, TlsFiles};
use stepwell::model::DoorLimits;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};
use tokio_rustls::TlsConnector;

use crate::abuse::Process;

const PATIENCE: Duration = Duration::from_secs(60);

type Authority = CertifiedIssuer<'static, KeyPair>;

/// A folder with a certificate, its key, and who signed it.
pub(crate) struct Files {
    folder: TempDir,
    authority: Authority,
}

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for this machine, and its key, in PEM.
fn signed_by(authority: &Authority) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

impl Files {
    pub(crate) fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap(), authority: authority() };
        files.write(&files.authority);
        files
    }

    /// A new certificate, signed by that authority.
    fn write(&self, authority: &Authority) {
        let (cert, key) = signed_by(authority);
        std::fs::write(self.path("cert.pem"), cert).unwrap();
        std::fs::write(self.path("key.pem"), key).unwrap();
    }

    /// Who signed it, in PEM.
    pub(crate) fn authority(&self) -> String {
        self.authority.pem()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn tls(&self) -> TlsFiles {
        TlsFiles { cert: self.path("cert.pem"), key: self.path("key.pem"), client_ca: None }
    }
}

async fn start(data: &Path, tls: TlsFiles) -> anyhow::Result<App> {
    let fittings =
        Fittings { compiler: env!("CARGO_BIN_EXE_stepwell").into(), ..Fittings::real()? };
    let access = AccessConfig { tls: Some(tls), ..AccessConfig::default() };
    let mut config = Config { access, ..Config::at(data) };
    config.limits.door = DoorLimits {
        tls_look_every: Duration::from_millis(50),
        handshake_timeout: Duration::from_millis(500),
        ..DoorLimits::default()
    };
    App::start_with(config, fittings).await
}

/// A client that trusts this authority alone, and may show a certificate.
struct Client {
    config: ClientConfig,
    port: u16,
}

impl Client {
    fn new(app: &App, authority: &Authority) -> Self {
        Self::with(
            app,
            authority,
            ConfigBuilder::<ClientConfig, WantsClientCert>::with_no_client_auth,
        )
    }

    /// One that shows a certificate.
    fn known(app: &App, authority: &Authority, (cert, key): (String, String)) -> Self {
        let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        Self::with(app, authority, |builder| builder.with_client_auth_cert(chain, key).unwrap())
    }

    fn with(
        app: &App,
        authority: &Authority,
        finish: impl FnOnce(ConfigBuilder<ClientConfig, WantsClientCert>) -> ClientConfig,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let config = finish(builder.with_root_certificates(roots));
        Self { config, port: app.address().port() }
    }

    /// Asks over a connection of its own whether the host is ready, by the best of these protocols that it takes.
    async fn ready(&self, protocols: &[&str]) -> io::Result<(Version, u16)> {
        let mut config = self.config.clone();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let stream = TokioIo::new(stream);
        let request = Request::get(format!("https://localhost:{}/ready", self.port));
        let request = request.header("host", "localhost").body(Empty::<Bytes>::new()).unwrap();
        let mut tasks = JoinSet::new();
        let answer = if is_http2 {
            let hands = http2::handshake(TokioExecutor::new(), stream).await;
            let (mut sender, connection) = hands.map_err(io::Error::other)?;
            tasks.spawn(async { connection.await.is_ok() });
            sender.send_request(request).await
        } else {
            let (mut sender, connection) =
                http1::handshake(stream).await.map_err(io::Error::other)?;
            tasks.spawn(async { connection.await.is_ok() });
            sender.send_request(request).await
        };
        let answer = answer.map_err(io::Error::other)?;
        Ok((answer.version(), answer.status().as_u16()))
    }
}

const BOTH: &[&str] = &["h2", "http/1.1"];

#[tokio::test]
async fn requests_come_by_tls_in_both_versions_of_http() {
    let files = Files::new();
    let app = start(files.folder.path(), files.tls()).await.unwrap();
    let client = Client::new(&app, &files.authority);

    assert_eq!(client.ready(BOTH).await.unwrap(), (Version::HTTP_2, 200));
    assert_eq!(client.ready(&["http/1.1"]).await.unwrap(), (Version::HTTP_11, 200));
    assert_eq!(client.ready(&[]).await.unwrap(), (Version::HTTP_11, 200));
    let stranger = Client::new(&app, &authority()).ready(BOTH).await;
    assert!(stranger.unwrap_err().to_string().contains("invalid peer certificate"));
    app.stop().await;
}

#[tokio::test]
async fn plain_http_is_refused_and_whoever_says_nothing_is_cut_off() {
    let files = Files::new();
    let app = start(files.folder.path(), files.tls()).await.unwrap();

    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let plain = client.get(format!("http://{}/ready", app.address())).send().await;
    let mut silent = TcpStream::connect(app.address()).await.unwrap();
    let read = timeout(PATIENCE, silent.read_to_end(&mut Vec::new())).await;

    assert!(plain.is_err());
    assert_eq!(read.expect("the host closes it").unwrap_or(0), 0);
    app.kill().await;
}

#[tokio::test]
async fn new_files_are_taken_without_a_restart_and_bad_ones_are_not() {
    let files = Files::new();
    let app = start(files.folder.path(), files.tls()).await.unwrap();
    let (old, other) = (Client::new(&app, &files.authority), authority());
    let new = Client::new(&app, &other);
    assert!(old.ready(BOTH).await.is_ok() && new.ready(BOTH).await.is_err());

    std::fs::write(files.path("cert.pem"), "no certificate").unwrap();
    let mut looks = interval(Duration::from_millis(50));
    for _ in 0..5 {
        looks.tick().await;
        assert!(old.ready(BOTH).await.is_ok());
    }
    files.write(&other);

    let taken = timeout(PATIENCE, async { while new.ready(BOTH).await.is_err() {} });
    taken.await.expect("the new certificate is shown");
    assert!(old.ready(BOTH).await.is_err());
    app.kill().await;
}

#[tokio::test]
async fn clients_show_a_certificate_where_they_are_asked_for_one() {
    let files = Files::new();
    let clients = authority();
    std::fs::write(files.path("clients.pem"), clients.pem()).unwrap();
    let tls = TlsFiles { client_ca: Some(files.path("clients.pem")), ..files.tls() };
    let app = start(files.folder.path(), tls).await.unwrap();
    let asks = async |client: Client| client.ready(&["http/1.1"]).await;

    let known = asks(Client::known(&app, &files.authority, signed_by(&clients))).await;
    let unknown = asks(Client::known(&app, &files.authority, signed_by(&authority()))).await;
    let nameless = asks(Client::new(&app, &files.authority)).await;

    assert_eq!(known.unwrap(), (Version::HTTP_11, 200));
    assert!(unknown.is_err() && nameless.is_err());
    app.kill().await;
}

#[tokio::test]
async fn files_that_are_wrong_from_the_start_are_named() {
    let files = Files::new();
    let data = tempfile::tempdir().unwrap();
    let other_key = KeyPair::generate().unwrap().serialize_pem();
    std::fs::write(files.path("other.pem"), other_key).unwrap();
    std::fs::write(files.path("empty.pem"), "").unwrap();
    let with = |cert: &str, key: &str, client_ca: Option<&str>| TlsFiles {
        cert: files.path(cert),
        key: files.path(key),
        client_ca: client_ca.map(|name| files.path(name)),
    };

    for (tls, told) in [
        (with("gone.pem", "key.pem", None), ["gone.pem cannot be read", "No such file"]),
        (with("empty.pem", "key.pem", None), ["empty.pem holds no certificate", "--tls-cert"]),
        (with("key.pem", "key.pem", None), ["key.pem holds no certificate", "--tls-cert"]),
        (with("cert.pem", "empty.pem", None), ["empty.pem holds no private key", "--tls-key"]),
        (with("cert.pem", "other.pem", None), ["other.pem", "cert.pem cannot be used"]),
        (with("cert.pem", "key.pem", Some("empty.pem")), ["empty.pem holds no", "client-ca"]),
    ] {
        let refused = format!("{:#}", start(data.path(), tls).await.unwrap_err());
        assert!(told.iter().all(|told| refused.contains(told)), "{refused}");
    }
}

#[tokio::test]
async fn a_host_says_that_it_listens_by_tls() {
    let files = Files::new();
    let (cert, key) = (files.path("cert.pem"), files.path("key.pem"));
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());

    let host = Process::start_with(&["--tls-cert", cert, "--tls-key", key]).await;

    assert!(host.address().starts_with("https://127.0.0.1:"), "{}", host.address());
    host.end();
}
