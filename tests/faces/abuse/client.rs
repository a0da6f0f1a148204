//! A client that writes its own bytes.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Nothing here is waited for longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A connection.
pub(super) struct Client(pub(super) TcpStream);

impl Client {
    pub(super) async fn connect(address: &str) -> Self {
        let address = address.trim_start_matches("http://");
        Self(TcpStream::connect(address).await.expect("it is let in"))
    }

    /// The same, and some of a request.
    pub(super) async fn saying(address: &str, text: &str) -> Self {
        let mut client = Self::connect(address).await;
        client.say(text).await;
        client
    }

    pub(super) async fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("it is heard");
    }

    /// All that is answered, until the host ends the connection.
    pub(super) async fn hear_out(mut self) -> String {
        let mut heard = Vec::new();
        let all = timeout(PATIENCE, self.0.read_to_end(&mut heard)).await;
        // It may end by a reset.
        let _how = all.expect("the host ends the connection");
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// What is answered by the first piece.
    pub(super) async fn hear(&mut self) -> String {
        let mut heard = vec![0; 64 << 10];
        let read = timeout(PATIENCE, self.0.read(&mut heard)).await.expect("the host answers");
        heard.truncate(read.unwrap_or(0));
        String::from_utf8_lossy(&heard).into_owned()
    }
}
