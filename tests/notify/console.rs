//! Redis as somebody sees it who types commands.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::host::within;

#[derive(Debug)]
pub(crate) struct Console(BufReader<TcpStream>);

impl Console {
    pub(crate) async fn open(port: u16) -> Self {
        Self(BufReader::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap()))
    }

    /// Types a command and reads the first line of the answer.
    pub(crate) async fn ask(&mut self, command: &str) -> String {
        self.0.write_all(format!("{command}\r\n").as_bytes()).await.unwrap();
        self.read_line().await
    }

    pub(crate) async fn read_line(&mut self) -> String {
        let mut line = String::new();
        within(self.0.read_line(&mut line)).await.unwrap();
        line.trim_end().to_owned()
    }

    /// How many messages Redis was given since it started.
    pub(crate) async fn messages(&mut self) -> u64 {
        let head = self.ask("info commandstats").await;
        let bytes: usize = head.strip_prefix('$').unwrap().parse().unwrap();
        let mut answer = vec![0; bytes + 2];
        self.0.read_exact(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let stats = answer.lines().find_map(|line| line.strip_prefix("cmdstat_publish:calls="));
        stats.map_or(0, |stats| stats.split(',').next().unwrap().parse().unwrap())
    }
}
