//! One connection's bytes, carried both ways.

use std::sync::Mutex;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::exchange::Line;
use super::talk::{Passage, Talk, Then};

/// Until either side or the proxy ends it. Without a talk nothing is listened to.
pub(super) async fn carry(
    client: TcpStream,
    server: TcpStream,
    line: watch::Receiver<Line>,
    talk: Option<Talk>,
) {
    let no_delay = client.set_nodelay(true).and(server.set_nodelay(true));
    if no_delay.is_err() {
        return; // One of them has gone already.
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let talk = talk.map(Mutex::new);
    let weigh = |listen: fn(&mut Talk, &[u8]) -> Passage| {
        let talk = &talk;
        move |bytes: &[u8]| match talk {
            Some(talk) => listen(&mut talk.lock().unwrap(), bytes),
            None => Passage::going_on(bytes.to_vec()),
        }
    };
    tokio::select! {
        () = pump(from_client, to_server, line.clone(), weigh(Talk::hear_client)) => {}
        () = pump(from_server, to_client, line, weigh(Talk::hear_server)) => {}
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut line: watch::Receiver<Line>,
    weigh: impl Fn(&[u8]) -> Passage,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        // In a black hole nobody learns that the other side has gone.
        if line.wait_for(|line| *line == Line::Open).await.is_err() || read == 0 {
            return;
        }
        let passage = weigh(&buffer[..read]);
        if to.write_all(&passage.bytes).await.is_err() || passage.then == Then::Close {
            return;
        }
    }
}
