//! What runs on a proxy's thread: who calls is connected, as long as the line allows it.

use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::losses::Losses;
use super::talk::Talk;
use super::{Cut, link};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Open,
    Cut(Cut),
}

/// What is spoken on it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wire {
    Postgres,
    Opaque,
}

pub(super) struct Exchange {
    /// Ports of 127.0.0.1: its own, and the server's.
    pub(super) port: u16,
    pub(super) server: u16,
    pub(super) wire: Wire,
    pub(super) losses: Arc<Losses>,
    /// Its end is the end of the exchange.
    pub(super) wished: watch::Receiver<Line>,
    pub(super) reach: watch::Sender<Line>,
}

enum Event {
    Called(TcpStream),
    Wished(Line),
    Over,
}

/// Who may call, and who is connected.
struct Board {
    listener: Option<TcpListener>,
    links: JoinSet<()>,
}

impl Exchange {
    pub(super) async fn serve(mut self, listener: StdListener) {
        let listener = Some(TcpListener::from_std(listener).unwrap());
        let mut board = Board { listener, links: JoinSet::new() };
        loop {
            match self.next(&board).await {
                Event::Called(client) => {
                    board.links.spawn(self.link(client));
                }
                Event::Wished(line) => {
                    board.turn(line, self.port).await;
                    self.reach.send_replace(line);
                }
                Event::Over => return,
            }
            // Forgets those that have ended.
            while board.links.try_join_next().is_some() {}
        }
    }

    /// Every arm only waits, so dropping the other loses nothing.
    async fn next(&mut self, board: &Board) -> Event {
        tokio::select! {
            changed = self.wished.changed() => match changed {
                Ok(()) => Event::Wished(*self.wished.borrow_and_update()),
                Err(_) => Event::Over,
            },
            client = board.call() => Event::Called(client),
        }
    }

    fn link(&self, client: TcpStream) -> impl Future<Output = ()> + use<> {
        let mut line = self.wished.clone();
        let server = (Ipv4Addr::LOCALHOST, self.server);
        let talk = match self.wire {
            Wire::Postgres => Some(Talk::new(Arc::clone(&self.losses))),
            Wire::Opaque => None,
        };
        async move {
            let open = line.wait_for(|line| *line == Line::Open).await.is_ok();
            // A server that is down refuses; the client finds its connection closed.
            if open && let Ok(server) = TcpStream::connect(server).await {
                link::carry(client, server, line, talk).await;
            }
        }
    }
}

impl Board {
    async fn call(&self) -> TcpStream {
        match &self.listener {
            None => std::future::pending().await,
            Some(listener) => listener.accept().await.unwrap().0,
        }
    }

    async fn turn(&mut self, line: Line, port: u16) {
        match line {
            Line::Cut(Cut::Sever) => {
                self.listener = None;
                self.links.shutdown().await;
            }
            Line::Open | Line::Cut(Cut::Blackhole) if self.listener.is_none() => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
                self.listener = Some(listener);
            }
            Line::Open | Line::Cut(Cut::Blackhole) => {}
        }
    }
}
