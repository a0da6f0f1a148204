//! Redis: a server for a test alone, that can be killed. It keeps nothing.

use std::path::PathBuf;

use super::keeper::Keeper;
use super::proxy::Proxy;

/// A server of this process.
#[derive(Debug)]
pub struct Redis {
    keeper: Keeper,
    scheme: &'static str,
    /// What stands between the scheme and the host.
    user: String,
}

impl Redis {
    /// One that anybody may speak to.
    pub async fn private() -> Self {
        Self::open("redis", None).await
    }

    /// One that refuses whoever does not know the password.
    pub async fn with_password(password: &str) -> Self {
        Self::open("redis", Some(password)).await
    }

    /// One that speaks TLS only, with the [`certificate`](Self::certificate) of its own.
    pub async fn with_tls() -> Self {
        Self::open("rediss", None).await
    }

    async fn open(scheme: &'static str, password: Option<&str>) -> Self {
        let secret = password.map(|secret| ["--requirepass".to_owned(), secret.to_owned()]);
        let options: Vec<_> = secret.into_iter().flatten().collect();
        let user = password.map_or(String::new(), |secret| format!("default:{secret}@"));
        let started = move || Self { keeper: Keeper::start(scheme, &options), scheme, user };
        tokio::task::spawn_blocking(started).await.unwrap()
    }

    /// Where it is found, with the password.
    pub fn url(&self) -> String {
        self.url_at(self.port())
    }

    /// Where it is found through a proxy.
    pub fn url_through(&self, proxy: &Proxy) -> String {
        self.url_at(proxy.port())
    }

    fn url_at(&self, port: u16) -> String {
        format!("{}://{}127.0.0.1:{port}", self.scheme, self.user)
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.keeper.port()
    }

    /// The file that a client of [`with_tls`](Self::with_tls) has to trust.
    pub fn certificate(&self) -> PathBuf {
        self.keeper.folder().join("certificate.pem")
    }

    /// Ends it by SIGKILL.
    pub async fn kill(&self) {
        self.keeper.end("kill").await;
    }

    /// Starts it again, empty, on the same port.
    pub async fn start(&self) {
        self.keeper.begin().await;
    }
}
