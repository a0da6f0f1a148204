//! Where connections come in: how many there may be, how slow they may be, and how they are encrypted.
//!
//! [`lines`] counts them and says who makes room; a [`line`] knows where one connection stands; [`stream`] and [`bodies`] see what
//! passes; [`connection`] brings them together with HTTP; [`tls`] encrypts. Every bound is one of `model::DoorLimits`.
//!
//! Not here: what may be asked, and by whom. That is looked at when the head of a request is there.

mod bodies;
mod connection;
mod line;
mod lines;
mod stream;
mod tls;

pub(super) use bodies::{BodyFault, Weight};
pub(super) use lines::count_end;
pub use tls::{BadTls, Pem, Tls};

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::connection::Reception;
use self::lines::Lines;
use super::Door;

/// Serves until the door is closed and all that was asked is answered, or until it is shut.
pub async fn serve(listener: TcpListener, door: Door) -> io::Result<()> {
    let shut = door.shut.clone();
    tokio::select! {
        () = receive(listener, door) => {}
        () = shut.cancelled() => {}
    }
    Ok(())
}

async fn receive(listener: TcpListener, door: Door) {
    let limits = door.dispatch.limits().door.clone();
    let lines = Lines::new(limits.clone(), door.access.trusted_proxies.clone());
    let (tasks, closing) = (TaskTracker::new(), door.closing.clone());
    let tls = door.tls.clone();
    if let Some(tls) = &tls {
        tasks.spawn(Arc::clone(tls).follow(limits.tls_look_every, closing.clone()));
    }
    let reception = Reception::new(&limits, &tasks, door.router(), tls, closing.clone());
    let entrance = Entrance { listener, lines, closing, pause: limits.accept_pause };
    entrance.open(&tasks, &reception).await;
    drop(entrance);
    tasks.close();
    tasks.wait().await;
}

/// Where connections are taken.
#[derive(Debug)]
struct Entrance {
    listener: TcpListener,
    lines: Arc<Lines>,
    closing: CancellationToken,
    pause: Duration,
}

impl Entrance {
    /// Lets in whoever comes, until the door closes.
    async fn open(&self, tasks: &TaskTracker, reception: &Reception) {
        let mut last = Standing::Open;
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = self.closing.cancelled() => return,
            };
            last = match accepted {
                Ok((stream, peer)) => {
                    self.let_in(stream, peer, (tasks, reception)).await;
                    Standing::Open
                }
                Err(error) if is_of_client(&error) => last,
                Err(error) => self.rest(&error, last).await,
            };
        }
    }

    async fn let_in(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        (tasks, reception): (&TaskTracker, &Reception),
    ) {
        match self.lines.admit(peer.ip()) {
            Ok(seat) => {
                tune(&stream, self.lines.limits.write_timeout);
                tasks.spawn(reception.clone().attend(stream, peer, seat));
            }
            Err(crowded) => {
                count_end(crowded.name());
                tracing::debug!(%peer, limit = crowded.name(), "A connection was refused");
            }
        }
        self.lines.settle().await;
    }

    /// After the system refused a connection: gives one back, and does not ask again at once.
    async fn rest(&self, error: &io::Error, last: Standing) -> Standing {
        if last == Standing::Open {
            let open = self.lines.open();
            tracing::warn!(cause = %error, open, "The system refuses connections; idle ones are closed");
        }
        self.lines.make_room();
        tokio::select! {
            () = tokio::time::sleep(self.pause) => {}
            () = self.closing.cancelled() => {}
        }
        Standing::Refused
    }
}

/// How taking the last connection went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It was taken.
    Open,
    /// The system refused it, and that was told.
    Refused,
}

/// Whether a client went before it was taken.
fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind as E;
    matches!(error.kind(), E::ConnectionAborted | E::ConnectionReset | E::ConnectionRefused)
}

/// Answers go out at once; and where nobody takes them, because a client's machine is gone, the system says so in that time.
fn tune(stream: &TcpStream, write_timeout: Duration) {
    let millis = u32::try_from(write_timeout.as_millis()).unwrap_or(u32::MAX);
    let tuned = stream.set_nodelay(true).and_then(|()| {
        sockopt::set_tcp_user_timeout(stream, millis)?;
        Ok(sockopt::set_socket_keepalive(stream, true)?)
    });
    if let Err(error) = tuned {
        tracing::debug!(cause = %error, "A connection could not be set up");
    }
}
